#include "metrics/regression_report.h"

#include <algorithm>
#include <cmath>

#include "metrics/compensated_sum.h"

namespace nntrain::metrics {

namespace {

template <class Term>
double sum_over(std::size_t rows, Term&& term) {
  CompensatedSum sum;
  for (std::size_t i = 0; i < rows; ++i) sum.add(term(i));
  return sum.value();
}

double square(double value) { return value * value; }

}  // namespace

RegressionScores regression_scores(std::span<const float> truth, std::span<const float> predicted) {
  const std::size_t rows = truth.size();
  const auto count = static_cast<double>(rows);
  const auto error = [&](std::size_t i) {
    return static_cast<double>(truth[i]) - static_cast<double>(predicted[i]);
  };
  RegressionScores scores;
  scores.mae = sum_over(rows, [&](std::size_t i) { return std::abs(error(i)); }) / count;
  const double squares = sum_over(rows, [&](std::size_t i) { return square(error(i)); });
  scores.rmse = std::sqrt(squares / count);
  if (rows < 2) return scores;
  const double mean = sum_over(rows, [&](std::size_t i) { return static_cast<double>(truth[i]); }) / count;
  const double spread =
      sum_over(rows, [&](std::size_t i) { return square(static_cast<double>(truth[i]) - mean); });
  const auto [least, most] = std::minmax_element(truth.begin(), truth.end());
  const bool varies = *least != *most;  // the mean of equal values may be off by its last bit
  scores.r2 = varies ? 1.0 - squares / spread : squares == 0 ? 1.0 : 0.0;
  return scores;
}

RegressionScores average(std::span<const RegressionScores> outputs) {
  const auto count = static_cast<double>(outputs.size());
  RegressionScores mean;
  mean.mae = sum_over(outputs.size(), [&](std::size_t i) { return outputs[i].mae; }) / count;
  mean.rmse = sum_over(outputs.size(), [&](std::size_t i) { return outputs[i].rmse; }) / count;
  const bool known = std::all_of(outputs.begin(), outputs.end(),
                                 [](const RegressionScores& one) { return one.r2.has_value(); });
  if (known) mean.r2 = sum_over(outputs.size(), [&](std::size_t i) { return *outputs[i].r2; }) / count;
  return mean;
}

std::vector<double> residuals(std::span<const float> truth, std::span<const float> predicted) {
  std::vector<double> values(truth.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<double>(truth[i]) - static_cast<double>(predicted[i]);
  return values;
}

std::vector<double> quantiles(std::vector<double> values, std::span<const double> at) {
  std::sort(values.begin(), values.end());
  std::vector<double> found;
  for (const double share : at) {
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(std::floor(place));
    const std::size_t above = std::min(below + 1, values.size() - 1);
    const double part = place - static_cast<double>(below);
    found.push_back(values[below] + part * (values[above] - values[below]));
  }
  return found;
}

}  // namespace nntrain::metrics

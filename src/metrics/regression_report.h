#pragma once
// MAE, RMSE and R2 as scikit-learn's mean_absolute_error, root_mean_squared_error and r2_score; quantiles of
// residuals as numpy.quantile. Pure functions; sums in the order of rows.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace nntrain::metrics {

struct RegressionScores {
  double mae = 0, rmse = 0;
  std::optional<double> r2;  ///< none for fewer than two rows; with constant truth 1 when exact, else 0
};

/// Of one output; `truth` and `predicted` are parallel and not empty.
RegressionScores regression_scores(std::span<const float> truth, std::span<const float> predicted);

/// Of several outputs: the mean of each score (scikit-learn's uniform_average).
RegressionScores average(std::span<const RegressionScores> outputs);

/// truth - predicted, row by row.
std::vector<double> residuals(std::span<const float> truth, std::span<const float> predicted);

/// numpy.quantile(values, at), linear between neighbours; `values` is not empty.
std::vector<double> quantiles(std::vector<double> values, std::span<const double> at);

}  // namespace nntrain::metrics

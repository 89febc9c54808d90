#include "cli/inspect_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/digits.h"
#include "core/error.h"
#include "core/registry.h"
#include "io/npy_header.h"

namespace nntrain::cli {

namespace {

std::string name_of(const checkpoint::WeightArray& weight) { return weight.layer + "/" + weight.name; }

}  // namespace

WeightStatistics statistics_of(const checkpoint::WeightArray& weight) {
  WeightStatistics result{name_of(weight), weight.shape};
  result.minimum = std::numeric_limits<double>::infinity();
  result.maximum = -result.minimum;
  double sum = 0;
  std::int64_t finite = 0, zeros = 0;
  for (const float value : weight.values) {
    if (std::isnan(value)) ++result.nan_count;
    if (std::isinf(value)) ++result.infinite_count;
    if (!std::isfinite(value)) continue;
    ++finite;
    zeros += value == 0 ? 1 : 0;
    sum += value;
    result.minimum = std::min(result.minimum, static_cast<double>(value));
    result.maximum = std::max(result.maximum, static_cast<double>(value));
  }
  if (finite == 0) result.minimum = result.maximum = std::nan("");
  result.mean = sum / static_cast<double>(finite);
  double squares = 0;  // around the mean: no cancellation
  for (const float value : weight.values) {
    if (std::isfinite(value)) squares += (value - result.mean) * (value - result.mean);
  }
  result.deviation = std::sqrt(squares / static_cast<double>(finite));
  result.zero_fraction =
      static_cast<double>(zeros) / static_cast<double>(std::max<std::size_t>(1, weight.values.size()));
  return result;
}

std::string statistics_table(const std::vector<checkpoint::WeightArray>& weights) {
  std::size_t longest = 12;
  for (const checkpoint::WeightArray& weight : weights) longest = std::max(longest, name_of(weight).size());
  std::string text = fmt::format("{:<{}}  {:<14}{:>12}{:>12}{:>12}{:>12}{:>6}{:>6}{:>9}", "weights", longest,
                                 "shape", "mean", "deviation", "min", "max", "NaN", "Inf", "zeros %");
  for (const checkpoint::WeightArray& weight : weights) {
    const WeightStatistics s = statistics_of(weight);
    text += fmt::format("\n{:<{}}  {:<14}{:>12.4g}{:>12.4g}{:>12.4g}{:>12.4g}{:>6}{:>6}{:>9.1f}", s.name,
                        longest, s.shape.to_string(), s.mean, s.deviation, s.minimum, s.maximum, s.nan_count,
                        s.infinite_count, 100 * s.zero_fraction);
  }
  return text;
}

Json statistics_json(const std::vector<checkpoint::WeightArray>& weights) {
  Json list = Json::array();
  for (const checkpoint::WeightArray& weight : weights) {
    const WeightStatistics s = statistics_of(weight);
    list.push_back({{"name", s.name},
                    {"shape", s.shape.extents()},
                    {"mean", s.mean},
                    {"deviation", s.deviation},
                    {"min", s.minimum},
                    {"max", s.maximum},
                    {"nan", s.nan_count},
                    {"inf", s.infinite_count},
                    {"zeros", s.zero_fraction}});
  }
  return list;
}

const checkpoint::WeightArray& find_weight(const std::vector<checkpoint::WeightArray>& weights,
                                           const std::string& name) {
  std::vector<std::string> names;
  for (const checkpoint::WeightArray& weight : weights) {
    names.push_back(name_of(weight));
    if (names.back() == name) return weight;
  }
  const std::string near = nearest(name, names);
  throw InputError("--weights=" + name + ": the file has no such weights" +
                   (near.empty() ? "; --weights lists them" : "; did you mean " + near + "?"));
}

std::string weight_csv(const checkpoint::WeightArray& weight) {
  const auto columns = static_cast<std::size_t>(weight.shape.last());
  std::string text;
  for (std::size_t i = 0; i < weight.values.size(); ++i)
    text += fmt::format("{}{}", weight.values[i], (i + 1) % columns == 0 ? '\n' : ',');
  return text;
}

bool is_csv_of_weights(std::string_view start, const checkpoint::WeightArray& weight) {
  const auto columns = static_cast<std::size_t>(weight.shape.last());
  const std::size_t most = weight.values.size();
  std::size_t cells = 0, long_ones = 0;
  while (!start.empty()) {
    const std::size_t end = start.find_first_of(",\n");
    if (end == std::string_view::npos) break;  // cut, or not ours
    const std::string_view cell = start.substr(0, end);
    const bool last = start[end] == '\n';
    float value = 0;
    const auto [stop, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error != std::errc() || stop != cell.data() + cell.size() || fmt::format("{}", value) != cell)
      return false;
    if (++cells > most || last != (cells % columns == 0)) return false;
    long_ones += significant_digits(cell) >= kLongDigits - 1;  // the shortest text of a float has 7 to 9
    start.remove_prefix(end + 1);
  }
  return cells > 0 && 2 * long_ones >= cells;
}

std::string weight_npy(const checkpoint::WeightArray& weight) {
  std::string bytes = io::npy_header(weight.shape);
  bytes.append(reinterpret_cast<const char*>(weight.values.data()), weight.values.size() * sizeof(float));
  return bytes;
}

}  // namespace nntrain::cli

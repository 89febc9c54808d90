#include "nn/layers/learned_spec.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/call.h"
#include "core/error.h"
#include "nn/layers/index_lookup.h"

namespace nntrain::nn {

namespace {

struct Summary {
  std::vector<float> values, weights;
};

/// numpy.interp at one place.
double interpolated(double x, const std::vector<double>& xs, const std::vector<double>& ys) {
  if (x <= xs.front()) return ys.front();
  if (x >= xs.back()) return ys.back();
  const auto j = static_cast<std::size_t>(std::upper_bound(xs.begin(), xs.end(), x) - xs.begin()) - 1;
  if (xs[j] == x) return ys[j];
  return (ys[j + 1] - ys[j]) / (xs[j + 1] - xs[j]) * (x - xs[j]) + ys[j];
}

Summary compressed(const Summary& summary, double epsilon) {
  if (static_cast<double>(summary.values.size()) * epsilon < 1) return summary;
  std::vector<double> shares, sums, values(summary.values.begin(), summary.values.end());
  float sum = 0;
  for (const float weight : summary.weights) sums.push_back(sum += weight);
  for (const double one : sums) shares.push_back(static_cast<float>(one) / sum);
  Summary result;
  const auto count = static_cast<std::int64_t>(std::ceil(1.0 / epsilon));
  double before = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const double percent = epsilon + static_cast<double>(i) * epsilon;
    const double weight = interpolated(percent, shares, sums);
    result.values.push_back(static_cast<float>(interpolated(percent, shares, values)));
    result.weights.push_back(static_cast<float>(weight - before));
    before = weight;
  }
  return result;
}

Json learned_vocabulary(const std::vector<float>& values, const Json& config) {
  std::map<std::int64_t, std::int64_t> counts;
  for (const float value : values) {
    if (!is_whole(value))
      throw InputError("IntegerLookup takes whole numbers of at most 16777216, got " +
                       format_call(Json(value)) + " among the training inputs");
    ++counts[static_cast<std::int64_t>(value)];
  }
  for (const char* special : {"mask_token", "oov_token"}) {
    if (!config[special].is_null()) counts.erase(config[special].get<std::int64_t>());
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> words;  // count, word: both from high to low
  for (const auto& [word, count] : counts) words.emplace_back(count, word);
  std::sort(words.rbegin(), words.rend());
  words.resize(std::min(words.size(), static_cast<std::size_t>(most_learned_words(config))));
  Json vocabulary = Json::array();
  for (const auto& [count, word] : words) vocabulary.push_back(word);
  return vocabulary;
}

/// Keras' summarize, then compress_summary twice: quantiles of float32 values.
std::vector<float> quantile_boundaries(std::vector<float> values, std::int64_t bins, double epsilon) {
  std::sort(values.begin(), values.end());
  const double step = std::max(static_cast<double>(values.size()) / (1.0 / epsilon), 1.0);
  Summary summary;
  for (auto i = static_cast<std::size_t>(step - 1); i < values.size(); i += static_cast<std::size_t>(step))
    summary.values.push_back(values[i]);
  summary.weights.assign(summary.values.size(), static_cast<float>(step));
  summary = compressed(compressed(summary, epsilon), 1.0 / static_cast<double>(bins));
  summary.values.pop_back();
  return summary.values;
}

}  // namespace

bool learns_from_data(const Json& spec) {
  const Json& config = spec["config"];
  if (spec["class_name"] == "Discretization")
    return config["bin_boundaries"].is_null() && !config["num_bins"].is_null();
  const Json& kind = spec["class_name"];
  return (kind == "IntegerLookup" || kind == "StringLookup") && config["vocabulary"].is_null();
}

Json learned(Json spec, std::vector<float> values) {
  Json& config = spec["config"];
  if (spec["class_name"] == "StringLookup") return spec;  // building the model says that it lacks one
  if (spec["class_name"] == "IntegerLookup") {
    config["vocabulary"] = learned_vocabulary(values, config);
    return spec;
  }
  const auto bins = config["num_bins"].get<std::int64_t>();
  const double epsilon = config["epsilon"].get<double>();
  if (bins < 1 || !(epsilon > 0 && epsilon < 1))
    throw InputError("Discretization: num_bins must be at least 1 and epsilon between 0 and 1, got " +
                     format_call(config["num_bins"]) + " and " + format_call(config["epsilon"]));
  config["bin_boundaries"] = quantile_boundaries(std::move(values), bins, epsilon);
  return spec;
}

}  // namespace nntrain::nn

// Every metric against real Keras, over uneven batches; cut into shards the sums are the same.

#include <gtest/gtest.h>

#include <cmath>

#include "core/call.h"
#include "core/error.h"
#include "golden_json.h"
#include "metrics/metric.h"

namespace nntrain::metrics {
namespace {

Shape sample_of(const Json& array) {
  std::vector<std::int64_t> extents = array["shape"].get<std::vector<std::int64_t>>();
  extents.erase(extents.begin());
  if (extents.empty()) extents.push_back(1);
  return Shape(extents);
}

/// "true_positives_1" -> "true_positives".
std::string without_number(const std::string& name) {
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  return digits > 1 && digits < name.size() && name[digits - 1] == '_' ? name.substr(0, digits - 1) : name;
}

bool unsupported(const std::string& spec) {
  return spec.find("axis=") != std::string::npos && spec.find("axis=-1") == std::string::npos;
}

TEST(Golden, Metrics) {
  int tried = 0;
  for (const Json& one : golden::cases("metrics")) {
    const std::string spec = one["spec"].get<std::string>(), name = one["name"].get<std::string>();
    if (unsupported(spec)) continue;
    SCOPED_TRACE(name);
    const Shape target = sample_of(one["batches"][0]["y_true"]),
                output = sample_of(one["batches"][0]["y_pred"]);
    std::string key;
    const std::unique_ptr<Metric> metric = make_metric(parse_call(spec), target, output, key);
    metric->build(target, output);
    // Keras numbers repeated names (true_positives_1) by the objects a process has made; a model gets the
    // plain one.
    const std::string bare =
        without_number(one["history_key"].is_string() ? one["history_key"].get<std::string>() : "");
    if (!bare.empty() && bare != "f" && spec.find('(') != std::string::npos) {
      EXPECT_EQ(without_number(key), bare);
    }
    std::vector<double> sums(static_cast<std::size_t>(metric->size()), 0.0);
    for (const Json& batch : one["batches"]) {
      const std::vector<float> t = golden::values(batch["y_true"]), p = golden::values(batch["y_pred"]);
      std::vector<float> w;
      MetricInputs in;
      in.classes = output.last();
      in.positions = static_cast<std::int64_t>(p.size()) / in.classes;
      in.target_width = static_cast<std::int64_t>(t.size()) / in.positions;
      in.targets = t.data();
      in.predictions = p.data();
      if (!batch["sample_weight"].is_null()) {
        const std::vector<float> rows = golden::values(batch["sample_weight"]);
        for (std::int64_t i = 0; i < in.positions; ++i)
          w.push_back(
              rows[static_cast<std::size_t>(i) * rows.size() / static_cast<std::size_t>(in.positions)]);
        in.weights = w.data();
      }
      metric->update(in, sums);
    }
    if (one["direction"].is_string()) {
      EXPECT_EQ(metric->larger_is_better(), one["direction"] == "up") << "direction";
    }
    std::vector<double> result;
    metric->result(sums, result);
    const std::vector<float> expected = one["result"].is_number()
                                            ? std::vector<float>{one["result"].get<float>()}
                                            : golden::values(one["result"]);
    golden::expect_near(std::vector<float>(result.begin(), result.end()), expected, 2e-5, "result");
    ++tried;
  }
  EXPECT_GE(tried, 200);
}

/// Keras 3.15.1: an output of exactly 0 is positive at no threshold.
TEST(Golden, OutputsOfZeroAreNeverPositive) {
  const std::vector<float> p = {0, 0, 0, 0.3F, 0.6F, 0.9F, 1, 1, 0, 0.5F}, t = {0, 1, 0, 0, 1, 1, 1, 0, 0, 1};
  for (const auto& [spec, wanted] :
       {std::pair("PrecisionAtRecall(0.9)", 0.0), std::pair("PrecisionAtRecall(0.7)", 0.8),
        std::pair("PrecisionAtRecall(0.7, num_thresholds=3)", 2.0 / 3),
        std::pair("RecallAtPrecision(0.5)", 0.8), std::pair("SensitivityAtSpecificity(0.1)", 0.8),
        std::pair("SpecificityAtSensitivity(0.9)", 0.0)}) {
    std::string key;
    const std::unique_ptr<Metric> metric = make_metric(parse_call(spec), Shape{1}, Shape{1}, key);
    metric->build(Shape{1}, Shape{1});
    std::vector<double> sums(static_cast<std::size_t>(metric->size()), 0.0), values;
    metric->update({10, 1, 1, t.data(), p.data(), nullptr}, sums);
    metric->result(sums, values);
    EXPECT_NEAR(values.at(0), wanted, 1e-6) << spec;
  }
}

}  // namespace
}  // namespace nntrain::metrics

// Every layer against real Keras: outputs, gradients, moving statistics, added losses; on one simulated rank
// with several shards, and cut over two simulated ranks bit for bit.

#include <gtest/gtest.h>

#include <cmath>

#include "core/call.h"
#include "core/error.h"
#include "golden_json.h"
#include "nn/model/sequential.h"

namespace nntrain::nn {
namespace {

/// Tree sums of one process that holds all shards.
class LocalSum : public GlobalSum {
 public:
  explicit LocalSum(int shards) : shards_(shards) {}
  void sum(std::span<const double> per_shard, std::span<double> total) override {
    std::vector<double> column(static_cast<std::size_t>(shards_));
    for (std::size_t i = 0; i < total.size(); ++i) {
      for (std::size_t s = 0; s < column.size(); ++s) column[s] = per_shard[s * total.size() + i];
      total[i] = tree_sum(column);
    }
  }

 private:
  int shards_;
};

class GivenMoments : public Adaptation {
 public:
  GivenMoments(std::vector<float> x, std::int64_t size) : x_(std::move(x)), size_(size) {}
  void moments(std::span<double> mean, std::span<double> variance, std::int64_t& count) override {
    count = static_cast<std::int64_t>(x_.size()) / size_;
    const auto rows = static_cast<double>(count);
    for (std::size_t i = 0; i < x_.size(); ++i) mean[i % mean.size()] += x_[i] / rows;
    for (std::size_t i = 0; i < x_.size(); ++i) {
      const double d = x_[i] - mean[i % mean.size()];
      variance[i % mean.size()] += d * d / rows;
    }
  }

 private:
  std::vector<float> x_;
  std::int64_t size_;
};

struct Result {
  std::vector<float> y, dx;
  std::vector<std::vector<float>> weights, gradients;
  double loss = 0;
};

/// Runs the layer between two Identity-like neighbours: a Rescaling(1) with no weights in front is not
/// needed, dx is asked of the layer itself.
Result run(const Json& one, int shards) {
  const Shape input(one["input_shape"].get<std::vector<std::int64_t>>());
  Sequential model("m", {parse_call(one["spec"].get<std::string>())}, input);
  std::vector<float> memory(static_cast<std::size_t>(std::max<std::int64_t>(16, model.total_floats())));
  model.bind(memory);
  model.initialize(1);
  if (one.value("initial", false)) {  // what our own initializers make must be what Keras' made
    for (std::size_t v = 0; v < model.variables().size(); ++v) {
      const Variable& variable = model.variables()[v];
      golden::expect_near({variable.values, variable.values + variable.size()},
                          golden::values(one["weights"][v]["value"]), 1e-7, "initial " + variable.name);
    }
  }
  std::size_t k = 0;
  if (one["weights"].is_array()) {
    for (Variable& variable : model.variables()) {
      if (k >= one["weights"].size()) break;
      const std::vector<float> given = golden::values(one["weights"][k++]["value"]);
      EXPECT_EQ(static_cast<std::int64_t>(given.size()), variable.size()) << one["name"];
      std::copy(given.begin(), given.end(), variable.values);
    }
  }
  if (one.contains("adapt_x") && !one["adapt_x"].is_null()) {
    GivenMoments moments(golden::values(one["adapt_x"]), input.size());
    model.layers()[0]->adapt(moments);
  }
  std::vector<float> x = golden::values(one["x"]);
  const std::int64_t rows = static_cast<std::int64_t>(x.size()) / input.size();
  const Mode mode = one["training"].get<bool>() ? Mode::kTraining : Mode::kInference;
  model.prepare(rows, Mode::kTraining);
  std::vector<std::int64_t> bounds;
  for (int s = 0; s <= shards; ++s) bounds.push_back(shard_begin(s, shards, rows));
  LocalSum sums(shards);
  std::vector<double> activity(static_cast<std::size_t>(shards), 0.0);
  BatchContext context;
  context.mode = mode;
  context.rows = context.batch_rows = rows;
  context.bounds = bounds;
  context.shards = shards;
  context.sums = &sums;
  context.activity_loss = activity;
  Result result;
  Layer& layer = *model.layers()[0];
  result.y.resize(static_cast<std::size_t>(rows * model.output_shape().size()));
  layer.is_view() ? void(result.y = x) : layer.forward(context, x.data(), result.y.data());
  for (const double share : activity) result.loss += share;
  std::vector<float> gradient(memory.size(), 0.0F);
  GradientTree tree({0, shards}, shards, {std::span<float>(gradient)},
                    static_cast<std::int64_t>(memory.size()));
  if (!one["dy"].is_null()) {
    std::vector<float> dy = golden::values(one["dy"]);
    result.dx.resize(x.size());
    layer.is_view() ? void(result.dx = dy)
                    : layer.backward(context, x.data(), result.y.data(), dy.data(), result.dx.data(), tree);
  }
  for (const Variable& variable : model.variables()) {
    result.weights.emplace_back(variable.values, variable.values + variable.size());
    if (variable.trainable)
      result.gradients.emplace_back(gradient.begin() + variable.offset,
                                    gradient.begin() + variable.offset + variable.size());
  }
  result.loss += model.regularization_loss();
  return result;
}

TEST(Golden, Layers) {
  int tried = 0;
  for (const Json& one : golden::cases("layers")) {
    const std::string spec = one["spec"].get<std::string>(), name = one["name"].get<std::string>();
    const bool random =
        spec.find("Dropout") != std::string::npos || spec.find("GaussianNoise") != std::string::npos;
    if (random && one["training"].get<bool>() && spec.find("(0.0)") == std::string::npos)
      continue;                                                   // random_layer_test.cpp
    if (spec.find("noise_shape") != std::string::npos) continue;  // docs/vocabulary.md: not supported
    const double tolerance = name.find("far") != std::string::npos ? 2e-4 : 2e-5;
    for (const int shards : {1, 3}) {
      SCOPED_TRACE(name + " shards " + std::to_string(shards));
      Result result;
      ASSERT_NO_THROW(result = run(one, shards));
      golden::expect_near(result.y, golden::values(one["y"]), tolerance, "y");
      if (!one["dx"].is_null() && !random) {
        // Our backward includes the gradients of the added losses; Keras' golden numbers hold them apart.
        std::vector<float> dx = golden::values(one["dx"]);
        if (one["loss_dx"].is_object()) {
          const std::vector<float> extra = golden::values(one["loss_dx"]);
          for (std::size_t i = 0; i < dx.size(); ++i) dx[i] += extra[i];
        }
        golden::expect_near(result.dx, dx, tolerance, "dx");
      }
      if (one["dweights"].is_array() && !one["dx"].is_null()) {
        ASSERT_EQ(result.gradients.size(), one["dweights"].size());
        for (std::size_t k = 0; k < result.gradients.size(); ++k) {
          std::vector<float> expected = golden::values(one["dweights"][k]);
          if (one["loss_dweights"].is_array() && one["loss_dweights"][k].is_object()) {
            const std::vector<float> extra = golden::values(one["loss_dweights"][k]);
            for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += extra[i];
          }
          golden::expect_near(result.gradients[k], expected, tolerance, "dweights " + std::to_string(k));
        }
      }
      if (one["weights_after"].is_array()) {
        for (std::size_t k = 0; k < one["weights_after"].size(); ++k) {
          const Json& after = one["weights_after"][k].contains("value") ? one["weights_after"][k]["value"]
                                                                        : one["weights_after"][k];
          golden::expect_near(result.weights[k], golden::values(after), tolerance,
                              "weights after " + std::to_string(k));
        }
      }
      if (one["loss"].is_number()) {
        const double expected = one["loss"].get<double>();
        EXPECT_NEAR(result.loss, expected, 2e-5 * std::max(1.0, std::abs(expected)));
      }
    }
    ++tried;
  }
  EXPECT_GE(tried, 230);
}

TEST(Golden, ModelConfigsOfKeras) {
  for (const Json& one : golden::cases("model_configs")) {
    SCOPED_TRACE(one["name"].get<std::string>());
    Json config = one["model_config"];
    if (config.is_string()) config = Json::parse(config.get<std::string>());
    if (!config.contains("class_name")) config = {{"class_name", "Sequential"}, {"config", config}};
    const Architecture architecture = architecture_from_keras(config);
    const Shape input = architecture.has_input ? architecture.input
                                               : Shape(one["input_shape"].get<std::vector<std::int64_t>>());
    const Sequential from_keras(architecture.name, architecture.layers, input);
    std::vector<Json> specs;
    for (const Json& layer : one["layers"]) specs.push_back(parse_call(layer.get<std::string>()));
    const Sequential ours("sequential", specs, Shape(one["input_shape"].get<std::vector<std::int64_t>>()));
    ASSERT_EQ(ours.variables().size(), one["weights"].size());
    for (std::size_t k = 0; k < ours.variables().size(); ++k) {
      EXPECT_EQ(ours.variables()[k].shape,
                Shape(one["weights"][k]["shape"].get<std::vector<std::int64_t>>()));
      EXPECT_EQ(from_keras.variables()[k].shape, ours.variables()[k].shape);
      const std::string path = one["weights"][k]["path"].get<std::string>();
      EXPECT_NE(path.find(ours.variables()[k].layer + "/" + ours.variables()[k].name), std::string::npos)
          << path;
    }
    // Our own config is read back to the same layers.
    const Architecture again = architecture_from_keras(ours.config());
    EXPECT_EQ(Sequential("s", again.layers, again.input).parameter_count(), ours.parameter_count());
  }
}

}  // namespace
}  // namespace nntrain::nn

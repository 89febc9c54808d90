// Activations, losses, regularizers, constraints and initializers against real Keras.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/call.h"
#include "core/error.h"
#include "golden_json.h"
#include "nn/activations/activation.h"
#include "nn/losses/loss.h"
#include "nn/variables/constraint.h"
#include "nn/variables/initializer.h"
#include "nn/variables/regularizer.h"

namespace nntrain::nn {
namespace {

TEST(Golden, Activations) {
  int tried = 0;
  for (const Json& one : golden::cases("activations")) {
    const std::string spec = one["spec"].get<std::string>(), name = one["name"].get<std::string>();
    const std::unique_ptr<Activation> activation = activations().make(parse_call(spec));
    const Shape shape = golden::shape(one["x"]);
    std::vector<float> x = golden::values(one["x"]), y(golden::values(one["y"]).size()), dx(x.size());
    const std::vector<float> dy = golden::values(one["dy"]);
    activation->forward(shape.leading(), shape.last(), x.data(), nullptr, y.data());
    golden::expect_near(y, golden::values(one["y"]), 1e-5, name + " y");
    activation->backward(shape.leading(), shape.last(), x.data(), y.data(), dy.data(), dx.data());
    std::vector<float> expected = golden::values(one["dx"]);
    if (one.contains("kinks") && one["kinks"].is_array()) {  // where the slope is a convention
      for (const Json& k : one["kinks"]) dx[k.get<std::size_t>()] = expected[k.get<std::size_t>()];
    }
    // Equal values in a row: which of them the sort puts first decides the slope, a convention too.
    if (name != "sparsemax_large") golden::expect_near(dx, expected, 1e-5, name + " dx");
    ++tried;
  }
  EXPECT_GE(tried, 55);
}

/// docs/vocabulary.md: only the last axis.
bool unsupported_loss(const std::string& spec) { return spec == "CosineSimilarity(axis=1)"; }

/// What the shards of a mini-batch add up for a loss of the whole of it; here it is cut into two.
std::vector<double> batch_sums(const Loss& loss, const LossInputs& in, const std::vector<float>& scale) {
  std::vector<double> sums(static_cast<std::size_t>(loss.batch_sums(in.positions, in.classes)), 0.0);
  const std::int64_t cut = in.positions / 3;
  for (const auto& [begin, end] : {std::pair{std::int64_t{0}, cut}, {cut, in.positions}}) {
    LossInputs part = in;
    part.first_position = begin;
    part.positions = end - begin;
    part.targets += begin * in.target_width;
    part.predictions += begin * in.classes;
    if (!sums.empty()) loss.add_batch_sums(part, scale.data() + begin, sums);
  }
  return sums;
}

TEST(Golden, Losses) {
  int tried = 0;
  for (const Json& one : golden::cases("losses")) {
    const std::string spec = one["spec"].get<std::string>(), name = one["name"].get<std::string>();
    if (unsupported_loss(spec)) continue;
    const std::unique_ptr<Loss> loss = losses().make(parse_call(spec));
    const Shape shape = golden::shape(one["y_pred"]);
    const std::vector<float> targets = golden::values(one["y_true"]),
                             predictions = golden::values(one["y_pred"]);
    LossInputs in;
    std::vector<double> workspace;
    in.workspace = &workspace;
    in.classes = shape.last();
    in.positions = shape.leading();
    in.target_width = static_cast<std::int64_t>(targets.size()) / in.positions;
    in.targets = targets.data();
    in.logits = in.predictions = predictions.data();
    const auto positions = static_cast<std::size_t>(in.positions);
    std::vector<float> weights(positions, 1.0F), mask(positions, 1.0F), losses_of(positions),
        d(predictions.size());
    const bool weighted = !one["sample_weight"].is_null();
    if (loss->has_mask()) loss->mask(in, mask);
    double counted = 0;
    for (const float m : mask) counted += m;
    if (weighted) {
      const std::vector<float> rows = golden::values(one["sample_weight"]);
      for (std::size_t i = 0; i < positions; ++i) weights[i] = rows[i * rows.size() / positions];
    }
    double total = 0;
    for (std::size_t i = 0; i < positions; ++i) total += weights[i] *= mask[i];
    double divisor = loss->has_mask() ? counted : static_cast<double>(in.positions);
    if (loss->reduction() == Reduction::kSum) divisor = 1;
    if (loss->reduction() == Reduction::kMeanWithSampleWeight && (weighted || loss->has_mask()))
      divisor = total;
    std::vector<float> scale(positions);
    for (std::size_t i = 0; i < positions; ++i)
      scale[i] = static_cast<float>(divisor > 0 ? weights[i] / divisor : 0.0);
    in.batch_positions = in.positions;
    const std::vector<double> sums = batch_sums(*loss, in, scale);
    in.batch_sums = sums;
    loss->compute(in, scale.data(), losses_of.data(), d.data());
    double value = 0;
    for (std::size_t i = 0; i < positions; ++i)
      value += weights[i] == 0 ? 0.0 : static_cast<double>(losses_of[i]) * weights[i];
    value = divisor > 0 ? value / divisor : 0.0;
    const double expected = one["value"].get<double>();
    EXPECT_NEAR(value, expected, 2e-5 * std::max(1e-3, std::abs(expected))) << name;
    golden::expect_near(d, golden::values(one["d_y_pred"]), 2e-5, name + " d_y_pred", 1e-6);
    ++tried;
  }
  EXPECT_GE(tried, 200);
}

TEST(Golden, LossFunctionNamesAreKnown) {
  for (const Json& one : golden::cases("losses")) {
    if (one["function_name"].is_null() || unsupported_loss(one["spec"].get<std::string>())) continue;
    EXPECT_NO_THROW(losses().canonical(one["function_name"])) << one["function_name"];
  }
}

TEST(Golden, Regularizers) {
  for (const Json& one : golden::cases("regularizers")) {
    const std::string name = one["name"].get<std::string>();
    const std::unique_ptr<Regularizer> regularizer =
        regularizers().make(parse_call(one["spec"].get<std::string>()));
    const Shape shape = golden::shape(one["x"]);
    const std::vector<float> x = golden::values(one["x"]);
    std::vector<float> dx(x.size(), 0.0F);
    const double expected = one["value"].get<double>();
    EXPECT_NEAR(regularizer->loss(shape, x), expected, 1e-5 * std::max(1e-3, std::abs(expected))) << name;
    regularizer->add_gradient(shape, x, 1.0F, dx);
    golden::expect_near(dx, golden::values(one["dx"]), 1e-5, name);
  }
}

TEST(Golden, Constraints) {
  for (const Json& one : golden::cases("constraints")) {
    std::vector<float> w = golden::values(one["w"]);
    constraints().make(parse_call(one["spec"].get<std::string>()))->apply(golden::shape(one["w"]), w);
    golden::expect_near(w, golden::values(one["result"]), 1e-5, one["name"].get<std::string>());
  }
}

double moment(const std::vector<float>& values, double mean) {
  double sum = 0;
  for (const float value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

TEST(Golden, Initializers) {
  for (const Json& one : golden::cases("initializers")) {
    const std::string name = one["name"].get<std::string>(),
                      kind = one["expected"]["kind"].get<std::string>();
    const Shape shape(one["shape"].get<std::vector<std::int64_t>>());
    const std::unique_ptr<Initializer> initializer =
        initializers().make(parse_call(one["spec"].get<std::string>()));
    const Json& expected = one["expected"];
    // Statistics from many draws of the same shape.
    std::vector<float> all;
    for (std::uint32_t variable = 0; variable < 400 || all.size() < 20000; ++variable) {
      std::vector<float> values(static_cast<std::size_t>(shape.size()));
      initializer->fill(shape, 1, variable, values);
      all.insert(all.end(), values.begin(), values.end());
      const bool own_seed = one["spec"].get<std::string>().find("seed=") != std::string::npos;
      if (kind == "exact" || kind == "orthogonal" || own_seed) break;
    }
    if (kind == "exact") {
      golden::expect_near(all, golden::values(expected["value"]), 1e-6, name);
    } else if (all.size() >= 20000 && kind == "uniform") {
      const double limit = (expected["high"].get<double>() - expected["low"].get<double>()) / 2;
      EXPECT_NEAR(moment(all, 0.5 * (*std::max_element(all.begin(), all.end()) +
                                     *std::min_element(all.begin(), all.end()))),
                  limit / std::sqrt(3.0), 0.02 * limit)
          << name;
    } else if (all.size() >= 20000 && (kind == "truncated_normal" || kind == "normal")) {
      const double mean = expected.value("mean", 0.0);
      const double spread = expected.contains("resulting_std") ? expected["resulting_std"].get<double>()
                                                               : expected["stddev"].get<double>();
      EXPECT_NEAR(moment(all, mean), spread, 0.02 * spread) << name;
    }
  }
}

}  // namespace
}  // namespace nntrain::nn

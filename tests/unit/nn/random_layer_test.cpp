// Dropout, AlphaDropout, GaussianNoise and GaussianDropout in training: the numbers and shares that real
// Keras gives for constant inputs; backward with the factors of the forward pass; the same draws however the
// rows are cut.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "core/call.h"
#include "golden_json.h"
#include "nn/model/sequential.h"

namespace nntrain::nn {
namespace {

struct Outcome {
  std::vector<float> y, dx;
};

/// Rows first .. first + rows of a mini-batch of constant inputs; dy is 1.
Outcome run(const std::string& spec, float x, std::int64_t first, std::int64_t rows, std::int64_t columns,
            std::uint64_t step = 3) {
  Sequential model("m", {parse_call(spec)}, Shape{columns});
  model.prepare(rows, Mode::kTraining);
  const std::vector<std::int64_t> bounds = {0, rows};
  BatchContext context;
  context.mode = Mode::kTraining;
  context.rows = rows;
  context.batch_rows = first + rows;
  context.first_row = first;
  context.bounds = bounds;
  context.seed = 11;
  context.step = step;
  const std::vector<float> inputs(static_cast<std::size_t>(rows * columns), x);
  Outcome outcome{std::vector<float>(inputs.size()), std::vector<float>(inputs.size())};
  std::vector<float> dy(inputs.size(), 1.0F);
  Layer& layer = *model.layers()[0];
  layer.forward(context, inputs.data(), outcome.y.data());
  std::vector<float> nothing;
  GradientTree tree({0, 1}, 1, {std::span<float>(nothing)}, 1);
  layer.backward(context, inputs.data(), outcome.y.data(), dy.data(), outcome.dx.data(), tree);
  return outcome;
}

TEST(Golden, RandomLayersInTraining) {
  for (const Json& one : golden::cases("random_layers")) {
    SCOPED_TRACE(one["name"].get<std::string>());
    const auto x = one["x"].get<float>();
    const Outcome outcome = run(one["spec"].get<std::string>(), x, 0, one["rows"].get<std::int64_t>(),
                                one["columns"].get<std::int64_t>());
    const auto count = static_cast<double>(outcome.y.size());
    const double mean = std::accumulate(outcome.y.begin(), outcome.y.end(), 0.0) / count;
    double squares = 0;
    for (const float y : outcome.y) squares += (y - mean) * (y - mean);
    const double deviation = one["deviation"].get<double>(), six_errors = 6.0 * deviation / std::sqrt(count);
    EXPECT_NEAR(mean, one["mean"].get<double>(), six_errors);
    EXPECT_NEAR(std::sqrt(squares / count), deviation, 0.02 * deviation);
    if (!one.contains("values")) {
      EXPECT_GT(std::set<float>(outcome.y.begin(), outcome.y.end()).size(), outcome.y.size() / 2);
      continue;
    }
    const std::vector<float> values = golden::values(one["values"]), shares = golden::values(one["shares"]);
    const std::set<float> ours(outcome.y.begin(), outcome.y.end());
    golden::expect_near(std::vector<float>(ours.begin(), ours.end()), values, 1e-6, "values");
    for (std::size_t k = 0; k < values.size(); ++k) {
      const auto found = std::count_if(outcome.y.begin(), outcome.y.end(),
                                       [&](float y) { return std::abs(y - values[k]) < 1e-3; });
      EXPECT_NEAR(static_cast<double>(found) / count, shares[k], 0.01);
    }
  }
}

TEST(RandomLayers, BackwardHasTheFactorsOfTheForwardPass) {
  for (const char* spec : {"Dropout(0.3)", "GaussianDropout(0.3)"}) {
    const Outcome outcome = run(spec, 2.0F, 0, 40, 9);
    for (std::size_t i = 0; i < outcome.y.size(); ++i)
      EXPECT_FLOAT_EQ(outcome.dx[i], outcome.y[i] / 2.0F) << spec;
  }
  const Outcome noise = run("GaussianNoise(0.3)", 2.0F, 0, 40, 9);
  for (const float dx : noise.dx) EXPECT_EQ(dx, 1.0F);
  const Outcome alpha = run("AlphaDropout(0.3)", 2.0F, 0, 40, 9),
                other = run("AlphaDropout(0.3)", 3.0F, 0, 40, 9);
  for (std::size_t i = 0; i < alpha.y.size(); ++i) EXPECT_NEAR(alpha.dx[i], other.y[i] - alpha.y[i], 1e-6);
}

TEST(RandomLayers, DrawsAreThoseOfTheRowInTheMiniBatch) {
  for (const char* spec : {"Dropout(0.3)", "AlphaDropout(0.3)", "GaussianNoise(0.3)", "GaussianDropout(0.3)",
                           "Dropout(0.3, seed=4)"}) {
    const std::vector<float> whole = run(spec, 2.0F, 0, 10, 7).y, part = run(spec, 2.0F, 4, 6, 7).y;
    EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + 4 * 7)) << spec;
    EXPECT_NE(run(spec, 2.0F, 0, 10, 7, 8).y, whole) << "another step must draw anew: " << spec;
  }
  EXPECT_NE(run("Dropout(0.3, seed=4)", 2.0F, 0, 10, 7).y, run("Dropout(0.3, seed=5)", 2.0F, 0, 10, 7).y);
}

}  // namespace
}  // namespace nntrain::nn

// A model of many layers takes time in proportion: each of these would take minutes if a layer looked at all
// others.

#include <gtest/gtest.h>

#include <numeric>

#include "core/call.h"
#include "nn/model/sequential.h"
#include "nn/variables/gradient_tree.h"

namespace nntrain::nn {
namespace {

constexpr int kLayers = 50000;

TEST(ManyLayers, AreBuiltSteppedAndDescribed) {
  const std::vector<Json> specs(kLayers,
                                layers().canonical({{"class_name", "Dense"}, {"config", {{"units", 1}}}}));
  Sequential model("deep", specs, Shape{1});
  ASSERT_EQ(model.variables().size(), 2U * kLayers);
  EXPECT_EQ(model.layers().back()->name(), "dense_" + std::to_string(kLayers - 1));
  std::vector<float> values(static_cast<std::size_t>(model.total_floats()), 1.0F);
  model.bind(values);
  model.prepare(1, Mode::kTraining);
  std::vector<float> gradients(static_cast<std::size_t>(model.trainable_floats()));
  GradientTree tree({0, 1}, 1, {std::span<float>(gradients)}, 1);
  for (const Variable& variable : model.variables()) {
    if (variable.name == "kernel") tree.defer(variable);
  }
  const std::vector<std::int64_t> bounds = {0, 1};
  BatchContext context;
  context.mode = Mode::kTraining;
  context.rows = 1;
  context.bounds = bounds;
  const float x = 1;
  EXPECT_EQ(*model.forward(context, &x), 1.0F + kLayers);
  float d_logits = 1;
  model.backward(context, &d_logits, tree);
  ASSERT_EQ(tree.deferred().size(), static_cast<std::size_t>(kLayers));
  EXPECT_NE(tree.deferred().front().dz, nullptr);
  EXPECT_NE(tree.deferred().back().dz, nullptr);
  const std::string summary = summary_table(model);
  EXPECT_NE(summary.find("Total params: 100,000"), std::string::npos);
  EXPECT_EQ(model.config()["config"]["layers"].size(), 1U + kLayers);
}

}  // namespace
}  // namespace nntrain::nn

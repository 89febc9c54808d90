#include "nntrain/nn/gradient_tree.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "nntrain/core/random.h"

namespace nntrain::nn {
namespace {

constexpr std::int64_t kSize = 37;

float leaf_value(int shard, std::int64_t i) {
  const RandomStream stream(5, Purpose::kTest, static_cast<std::uint32_t>(shard));
  return std::ldexp(stream.uniform(0, static_cast<std::uint64_t>(i)) - 0.5F, shard * 5 % 17);
}

class Penalty : public Regularizer {
 public:
  double loss(const Shape&, std::span<const float>) const override { return 0; }
  void add_gradient(const Shape&, std::span<const float> values, float scale, std::span<float> gradient) const override {
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += scale * values[i];
  }
};

/// The gradient summed by `ranks` simulated ranks.
std::vector<float> summed(int shards, int ranks, Accumulate accumulate, const Variable& variable) {
  std::vector<ShardRange> all_nodes;
  std::vector<std::vector<float>> arrays;
  for (int r = 0; r < ranks; ++r) {
    const ShardRange local = shards_of_rank(r, ranks, shards);
    const std::vector<ShardRange> nodes = covering_nodes(local, shards);
    const std::size_t first = arrays.size();
    for (const ShardRange node : nodes) {
      all_nodes.push_back(node);
      arrays.emplace_back(static_cast<std::size_t>(kSize), -1.0F);
    }
    std::vector<std::span<float>> spans(arrays.begin() + static_cast<std::ptrdiff_t>(first), arrays.end());
    GradientTree tree(local, shards, spans, kSize, accumulate);
    std::vector<std::int64_t> bounds(static_cast<std::size_t>(local.count()) + 1);
    for (std::size_t s = 0; s < bounds.size(); ++s) bounds[s] = static_cast<std::int64_t>(s);
    BatchContext context;
    context.bounds = bounds;
    int completed = 0;
    tree.on_complete = [&](const Variable&) { ++completed; };
    tree.add(variable, context, [&](int local_shard, float* destination, gemm::Write write) {
      for (std::int64_t i = 0; i < kSize; ++i) {
        const float value = leaf_value(local.begin + local_shard, i);
        destination[i] = write == gemm::Write::kAdd ? destination[i] + value : value;
      }
    });
    EXPECT_EQ(completed, 1);
  }
  for (const TreeStep& step : combining_program(all_nodes, shards)) {
    add_in_place(arrays[static_cast<std::size_t>(step.target)], arrays[static_cast<std::size_t>(step.source)]);
  }
  return arrays[0];
}

Variable make_variable() {
  Variable variable;
  variable.shape = Shape{kSize};
  variable.offset = 0;
  variable.index = 3;
  return variable;
}

TEST(GradientTree, EveryCutIntoRanksGivesTheSameBits) {
  const Variable variable = make_variable();
  for (const int shards : {1, 2, 3, 5, 8, 13}) {
    const std::vector<float> expected = summed(shards, 1, Accumulate::kSeparate, variable);
    for (int ranks = 1; ranks <= shards; ++ranks) {
      for (const Accumulate accumulate : {Accumulate::kSeparate, Accumulate::kInGemm}) {
        const std::vector<float> sum = summed(shards, ranks, accumulate, variable);
        EXPECT_EQ(std::memcmp(sum.data(), expected.data(), sum.size() * sizeof(float)), 0) << shards << " shards, " << ranks << " ranks";
      }
    }
  }
}

TEST(GradientTree, ARegularizerJoinsOnceAtAFixedPlace) {
  Variable variable = make_variable();
  std::vector<float> values(static_cast<std::size_t>(kSize), 1000.0F);
  variable.values = values.data();
  const std::vector<float> plain = summed(8, 1, Accumulate::kInGemm, variable);
  variable.regularizer = std::make_shared<Penalty>();
  const std::vector<float> expected = summed(8, 1, Accumulate::kInGemm, variable);
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_NEAR(expected[i] - plain[i], 1000.0F, 0.1F);
  for (int ranks = 2; ranks <= 8; ++ranks) {
    const std::vector<float> sum = summed(8, ranks, Accumulate::kInGemm, variable);
    EXPECT_EQ(std::memcmp(sum.data(), expected.data(), sum.size() * sizeof(float)), 0) << ranks;
  }
}

TEST(GradientTree, AShardWithoutRowsAddsZeros) {
  std::vector<float> node(1, 0.0F);
  GradientTree tree({0, 2}, 2, {std::span<float>(node)}, 1, Accumulate::kInGemm);
  Variable variable = make_variable();
  variable.shape = Shape{1};
  const std::vector<std::int64_t> bounds = {0, 1, 1};  // the second shard is empty
  BatchContext context;
  context.bounds = bounds;
  tree.add(variable, context, [](int local_shard, float* destination, gemm::Write write) {
    EXPECT_EQ(write, gemm::Write::kStore) << "an empty shard must not be left to GEMM's accumulate";
    destination[0] = local_shard == 0 ? -0.0F : 0.0F;
  });
  EXPECT_FALSE(std::signbit(node[0]));
}

TEST(ColumnSums, AddsRowsInOrder) {
  const std::vector<float> x = {1, 2, 3, 4, 5, 6};
  std::vector<float> sums(2, 9.0F);
  column_sums(3, 2, x.data(), sums.data());
  EXPECT_EQ(sums, (std::vector<float>{9, 12}));
  column_sums(0, 2, x.data(), sums.data());
  EXPECT_EQ(sums, (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace nntrain::nn

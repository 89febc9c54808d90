#include "core/tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/random.h"

namespace nntrain {
namespace {

/// One float per shard, with magnitudes that make every order of additions visible.
std::vector<float> leaves(int shards) {
  const RandomStream stream(7, Purpose::kTest, 0);
  std::vector<float> values(static_cast<std::size_t>(shards));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = std::ldexp(stream.uniform(0, i) - 0.5F, static_cast<int>(i * 7 % 24));
  return values;
}

float reference(const std::vector<float>& values, std::size_t begin, std::size_t width) {
  if (begin >= values.size()) return 0;
  if (width == 1) return values[begin];
  const float left = reference(values, begin, width / 2);
  if (begin + width / 2 >= values.size()) return left;
  return left + reference(values, begin + width / 2, width / 2);
}

/// Sums as `ranks` ranks would: each runs its local program, then the nodes are combined.
float sum_by_ranks(const std::vector<float>& values, int ranks) {
  const int shards = static_cast<int>(values.size());
  std::vector<ShardRange> nodes;
  std::vector<float> sums;
  for (int r = 0; r < ranks; ++r) {
    const ShardRange local = shards_of_rank(r, ranks, shards);
    const TreeProgram program = local_program(local, shards);
    std::vector<float> buffers(static_cast<std::size_t>(program.buffers));
    for (const TreeStep& step : program.steps) {
      float& target = buffers[static_cast<std::size_t>(step.target)];
      if (step.operation == TreeStep::Operation::kStoreLeaf)
        target = values[static_cast<std::size_t>(step.shard)];
      if (step.operation == TreeStep::Operation::kAddLeaf)
        target += values[static_cast<std::size_t>(step.shard)];
      if (step.operation == TreeStep::Operation::kAdd)
        target += buffers[static_cast<std::size_t>(step.source)];
    }
    for (const ShardRange node : covering_nodes(local, shards)) nodes.push_back(node);
    sums.insert(sums.end(), buffers.begin(), buffers.begin() + program.nodes);
  }
  for (const TreeStep& step : combining_program(nodes, shards)) {
    sums[static_cast<std::size_t>(step.target)] += sums[static_cast<std::size_t>(step.source)];
  }
  return sums[0];
}

TEST(Tree, EveryNumberOfRanksGivesTheSameBits) {
  for (int shards = 1; shards <= 33; ++shards) {
    const std::vector<float> values = leaves(shards);
    const float expected = reference(values, 0, 64);
    for (int ranks = 1; ranks <= 2 * shards + 3; ++ranks) {  // more ranks than shards too
      const float sum = sum_by_ranks(values, ranks);
      EXPECT_EQ(std::memcmp(&sum, &expected, sizeof(float)), 0) << shards << " shards, " << ranks << " ranks";
    }
  }
}

TEST(Tree, OrderMattersInThisData) {  // else the test above proves nothing
  int different = 0;
  for (int shards = 4; shards <= 33; ++shards) {
    const std::vector<float> values = leaves(shards);
    float serial = 0;
    for (const float value : values) serial += value;
    different += serial != reference(values, 0, 64) ? 1 : 0;
  }
  EXPECT_GE(different, 5);
}

TEST(Tree, DoubleSumFollowsTheSameTree) {
  for (int shards : {1, 2, 3, 6, 8, 13}) {
    const std::vector<float> values = leaves(shards);
    std::vector<double> wide(values.begin(), values.end());
    const auto node = [&](auto&& self, std::size_t begin, std::size_t width) -> double {
      if (width == 1) return wide[begin];
      const double left = self(self, begin, width / 2);
      return begin + width / 2 >= wide.size() ? left : left + self(self, begin + width / 2, width / 2);
    };
    EXPECT_EQ(tree_sum(wide), node(node, 0, 16)) << shards;
  }
}

TEST(Tree, PowersOfTwoNeedOneNode) {
  for (int ranks : {1, 2, 4, 8}) {
    for (int r = 0; r < ranks; ++r) EXPECT_EQ(covering_nodes(shards_of_rank(r, ranks, 8), 8).size(), 1U);
  }
}

TEST(Tree, RanksBeyondTheShardsHaveNone) {
  for (int ranks : {1, 5, 8, 13, 100}) {
    int next = 0, busy = 0;
    for (int r = 0; r < ranks; ++r) {
      const ShardRange local = shards_of_rank(r, ranks, 5);
      EXPECT_EQ(local.begin, next);
      next = local.end;
      busy += local.count() > 0 ? 1 : 0;
      if (local.count() > 0) continue;
      EXPECT_TRUE(covering_nodes(local, 5).empty());
      EXPECT_TRUE(local_program(local, 5).steps.empty());
      EXPECT_EQ(local_program(local, 5).buffers, 0);
    }
    EXPECT_EQ(next, 5);
    EXPECT_EQ(busy, std::min(ranks, 5));
  }
}

TEST(Tree, ShardsCoverTheRowsOnce) {
  for (std::int64_t rows : {0, 1, 7, 32, 1000003}) {
    EXPECT_EQ(shard_begin(0, 8, rows), 0);
    EXPECT_EQ(shard_begin(8, 8, rows), rows);
    for (int s = 0; s < 8; ++s) EXPECT_EQ(shard_begin(s, 8, rows), s * rows / 8);
  }
  EXPECT_EQ(shard_begin(65535, 65536, std::int64_t{1} << 60), (std::int64_t{1} << 44) * 65535);
}

}  // namespace
}  // namespace nntrain

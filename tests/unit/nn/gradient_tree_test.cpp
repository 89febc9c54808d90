#include "nn/variables/gradient_tree.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "core/random.h"

namespace nntrain::nn {
namespace {

constexpr std::int64_t kSize = 37;

float leaf_value(int shard, std::int64_t i) {
  const RandomStream stream(5, Purpose::kTest, static_cast<std::uint32_t>(shard));
  return std::ldexp(stream.uniform(0, static_cast<std::uint64_t>(i)) - 0.5F, shard * 5 % 17);
}

class Penalty : public Regularizer {
 public:
  double loss(const Shape&, std::span<const float>) override { return 0; }
  void add_gradient(const Shape&, std::span<const float> values, float scale,
                    std::span<float> gradient) override {
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += scale * values[i];
  }
};

/// How `variable` gets its gradient: leaves by a function, column sums, or a product.
using Add = std::function<void(GradientTree&, const Variable&, ShardRange local)>;

void add_leaves(GradientTree& tree, const Variable& variable, ShardRange local) {
  tree.add(variable, [&](int local_shard, float* destination) {
    for (std::int64_t i = 0; i < kSize; ++i) destination[i] = leaf_value(local.begin + local_shard, i);
  });
}

/// The gradient summed by `ranks` simulated ranks, more than shards too.
std::vector<float> summed(int shards, int ranks, const Variable& variable,
                          SumFormat format = SumFormat::kFloat32, const Add& add = add_leaves) {
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
    GradientTree tree(local, shards, spans, kSize, format);
    int completed = 0;
    tree.on_complete = [&](const Variable&) { ++completed; };
    add(tree, variable, local);
    EXPECT_EQ(completed, 1);
  }
  for (const TreeStep& step : combining_program(all_nodes, shards)) {
    std::vector<float>& target = arrays[static_cast<std::size_t>(step.target)];
    const std::vector<float>& source = arrays[static_cast<std::size_t>(step.source)];
    if (format == SumFormat::kBfloat16) {
      add_rounded(target.data(), target.data(), source.data(), kSize);
    } else {
      add_in_place(target, source);
    }
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

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

void expect_same_at_every_cut(SumFormat format, const Add& add, const Variable& variable) {
  for (const int shards : {1, 2, 3, 5, 8, 13}) {
    const std::vector<float> expected = summed(shards, 1, variable, format, add);
    for (int ranks = 1; ranks <= 2 * shards + 1; ++ranks)
      EXPECT_TRUE(same_bits(summed(shards, ranks, variable, format, add), expected))
          << shards << " shards, " << ranks << " ranks";
  }
}

/// kSize columns, three rows a shard; the leaf is their sum, or the product with one input.
struct Batch {
  std::vector<float> dz, x;
  std::vector<std::int64_t> bounds = {0};
  BatchContext context;
  explicit Batch(ShardRange local) {
    for (int s = local.begin; s < local.end; ++s) {
      for (std::int64_t i = 0; i < 3 * kSize; ++i) dz.push_back(leaf_value(s, i));
      for (std::int64_t r = 0; r < 3; ++r) x.push_back(leaf_value(s + 1, r));
      bounds.push_back(bounds.back() + 3);
    }
    context.rows = bounds.back();
    context.bounds = bounds;
  }
};

void add_columns(GradientTree& tree, const Variable& variable, ShardRange local) {
  const Batch batch(local);
  tree.add_column_sums(variable, batch.context, batch.dz.data());
}

void add_product(GradientTree& tree, const Variable& variable, ShardRange local) {
  const Batch batch(local);
  tree.add_product({&variable, batch.x.data(), batch.dz.data(), 1}, batch.context);
}

TEST(GradientTree, EveryCutIntoRanksGivesTheSameBits) {
  Variable kernel = make_variable();
  kernel.shape = Shape{1, kSize};
  for (const SumFormat format : {SumFormat::kFloat32, SumFormat::kBfloat16}) {
    expect_same_at_every_cut(format, add_leaves, make_variable());
    expect_same_at_every_cut(format, add_columns, make_variable());
    expect_same_at_every_cut(format, add_product, kernel);
  }
}

TEST(GradientTree, TwoBytesHoldEverySum) {
  Variable kernel = make_variable();
  kernel.shape = Shape{1, kSize};
  std::vector<float> values(static_cast<std::size_t>(kSize), 0.3F);
  kernel.values = values.data();
  for (const bool penalised : {false, true}) {
    if (penalised) kernel.regularizer = std::make_shared<Penalty>();
    for (const Add& add : {Add(add_leaves), Add(add_columns), Add(add_product)}) {
      for (const float value : summed(5, 2, kernel, SumFormat::kBfloat16, add))
        EXPECT_EQ(value, round_to_bfloat16(value));
      EXPECT_FALSE(same_bits(summed(5, 2, kernel, SumFormat::kBfloat16, add), summed(5, 2, kernel)));
    }
  }
}

/// Leaves and sums rounded one by one, written out.
TEST(GradientTree, RoundsLeavesAndSums) {
  const std::vector<float> sum = summed(3, 1, make_variable(), SumFormat::kBfloat16);
  for (std::int64_t i = 0; i < kSize; ++i) {
    const auto leaf = [&](int s) { return round_to_bfloat16(leaf_value(s, i)); };
    EXPECT_EQ(sum[static_cast<std::size_t>(i)],
              round_to_bfloat16(round_to_bfloat16(leaf(0) + leaf(1)) + leaf(2)));
  }
}

TEST(GradientTree, ARankWithoutShardsCompletesEverything) {
  GradientTree tree({3, 3}, 8, {}, kSize);
  Variable kernel = make_variable();
  kernel.shape = Shape{1, kSize};
  int completed = 0;
  tree.on_complete = [&](const Variable&) { ++completed; };
  for (const Add& add : {Add(add_leaves), Add(add_columns), Add(add_product)}) add(tree, kernel, {3, 3});
  EXPECT_EQ(completed, 3);
}

TEST(GradientTree, ARegularizerJoinsOnceAtAFixedPlace) {
  Variable variable = make_variable();
  std::vector<float> values(static_cast<std::size_t>(kSize), 1000.0F);
  variable.values = values.data();
  const std::vector<float> plain = summed(8, 1, variable);
  variable.regularizer = std::make_shared<Penalty>();
  const std::vector<float> expected = summed(8, 1, variable);
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_NEAR(expected[i] - plain[i], 1000.0F, 0.1F);
  for (int ranks = 2; ranks <= 11; ++ranks) {
    const std::vector<float> sum = summed(8, ranks, variable);
    EXPECT_EQ(std::memcmp(sum.data(), expected.data(), sum.size() * sizeof(float)), 0) << ranks;
  }
}

TEST(GradientTree, AShardWithoutRowsAddsZeros) {
  std::vector<float> node(1, 0.0F);
  GradientTree tree({0, 2}, 2, {std::span<float>(node)}, 1);
  Variable variable = make_variable();
  variable.shape = Shape{1};
  tree.add(variable,
           [](int local_shard, float* destination) { destination[0] = local_shard == 0 ? -0.0F : 0.0F; });
  EXPECT_FALSE(std::signbit(node[0]));
}

/// A kernel (3, 2) and a mini-batch of 7 rows in 3 shards, two positions a row.
struct ProductCase {
  static constexpr std::int64_t kInputs = 3, kUnits = 2, kPositions = 2, kRows = 7;
  Variable kernel = make_variable();
  std::vector<float> x, dz, values = std::vector<float>(6, 0.5F);
  std::vector<std::int64_t> bounds = {0, 2, 4, 7};
  BatchContext context;

  ProductCase() {
    kernel.shape = Shape{kInputs, kUnits};
    kernel.values = values.data();
    for (std::int64_t i = 0; i < kRows * kPositions * kInputs; ++i) x.push_back(leaf_value(0, i));
    for (std::int64_t i = 0; i < kRows * kPositions * kUnits; ++i) dz.push_back(leaf_value(1, i));
    context.rows = kRows;
    context.bounds = bounds;
  }
  GradientTree::Product product() const { return {&kernel, x.data(), dz.data(), kPositions}; }
};

/// Chains and a library, whose rows are not independent.
void expect_sum_of_shards(const Products& products) {
  const ProductCase given;
  std::vector<float> node(6, -1.0F), expected(6);
  GradientTree tree({0, 3}, 3, {std::span<float>(node)}, 6, SumFormat::kFloat32, products);
  tree.add_product(given.product(), given.context);
  std::vector<ProductLeaf> leaves;
  for (std::size_t s = 0; s < 3; ++s) {
    const std::int64_t begin = given.bounds[s] * 2, end = given.bounds[s + 1] * 2;
    leaves.push_back({given.x.data() + begin * 3, given.dz.data() + begin * 2, end - begin});
  }
  const auto whole = products.kernel_gradient();
  whole->set(leaves, 3, 2);
  whole->rows(0, 3, expected.data());
  EXPECT_EQ(std::memcmp(node.data(), expected.data(), sizeof(float) * 6), 0);
}

TEST(GradientTree, AProductIsTheSumOfItsShards) {
  expect_sum_of_shards(chain_products());
  expect_sum_of_shards(*blas_products(BlasLibrary::kOpenBlas));
}

TEST(BatchContext, ProductsTakeAShardsRowsWhereRowsAreNotIndependent) {
  ProductCase given;
  using Pieces = std::vector<std::pair<std::int64_t, std::int64_t>>;
  const auto pieces = [&](std::int64_t most) {
    Pieces all;
    given.context.for_product_rows(
        2, most, [&](std::int64_t row, std::int64_t count) { all.emplace_back(row, count); });
    return all;
  };
  EXPECT_EQ(pieces(6), (Pieces{{0, 6}, {6, 6}, {12, 2}}));
  const auto library = blas_products(BlasLibrary::kOpenBlas);
  given.context.products = library.get();
  EXPECT_EQ(pieces(6), (Pieces{{0, 4}, {4, 4}, {8, 6}}));
  given.bounds = {0, 0, 7, 7};  // shards without rows
  given.context.bounds = given.bounds;
  EXPECT_EQ(pieces(6), (Pieces{{0, 14}}));
}

TEST(GradientTree, ADeferredProductIsOnlyNotedAndComplete) {
  const ProductCase given;
  std::vector<float> node(6, -1.0F);
  GradientTree tree({0, 3}, 3, {std::span<float>(node)}, 6);
  const GradientTree::Product* noted = nullptr;  // when others are told
  tree.on_complete = [&](const Variable& variable) {
    EXPECT_EQ(&variable, &given.kernel);
    noted = tree.deferred().data();
    EXPECT_EQ(noted->dz, given.dz.data());
  };
  tree.defer(given.kernel);
  tree.add_product(given.product(), given.context);
  EXPECT_EQ(node, std::vector<float>(6, -1.0F));
  EXPECT_NE(noted, nullptr);
  ASSERT_EQ(tree.deferred().size(), 1U);
  EXPECT_EQ(tree.deferred()[0].x, given.x.data());
  EXPECT_EQ(tree.deferred()[0].dz, given.dz.data());
  EXPECT_EQ(tree.deferred()[0].positions, 2);
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

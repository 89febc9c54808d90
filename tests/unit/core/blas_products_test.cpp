// A library's kernels behind the seam: the products are right, and their bits depend on nothing that changes
// with the number of ranks: not on where in memory a shard's rows lie, nor on who makes which rows of a
// gradient.

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/products/gemm.h"
#include "core/products/products.h"
#include "core/products/scratch.h"
#include "core/random.h"
#include "core/tree.h"

namespace nntrain {
namespace {

using Floats = std::vector<float>;

Floats random(std::int64_t count, std::uint32_t index) {
  const RandomStream stream(23, Purpose::kTest, index);
  Floats values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = stream.uniform(0, i) - 0.5F;
  return values;
}

bool same_bits(const float* a, const float* b, std::size_t count) {
  return std::memcmp(a, b, count * sizeof(float)) == 0;
}

std::vector<BlasLibrary> libraries() {
  std::vector<BlasLibrary> all = {BlasLibrary::kOpenBlas};
  if (has_blas(BlasLibrary::kOneDnn)) all.push_back(BlasLibrary::kOneDnn);
  return all;
}

struct Extents {
  std::int64_t m, n, k;
};

// Few rows and many, narrow and wide, odd and even, below and beyond what libraries make without packing.
const Extents kExtents[] = {{1, 1, 1},     {1, 10, 50},    {4, 500, 784},  {5, 7, 3},     {16, 64, 64},
                            {32, 500, 10}, {32, 500, 500}, {33, 10, 500},  {64, 1, 64},   {100, 129, 257},
                            {128, 40, 78}, {256, 50, 300}, {257, 300, 70}, {32, 10, 1400}};

class BlasProducts : public ::testing::TestWithParam<BlasLibrary> {
 protected:
  std::unique_ptr<Products> products_ = blas_products(GetParam());
};

TEST_P(BlasProducts, AgreeWithChains) {
  for (const auto& [m, n, k] : kExtents) {
    const Floats x = random(m * k, 1), w = random(k * n, 2), dz = random(m * n, 3);
    const double close = 1e-5 * std::sqrt(static_cast<double>(std::max(k, std::max(m, n)) + 1));
    Floats y(static_cast<std::size_t>(m * n)), expected = y, dx(static_cast<std::size_t>(m * k)),
                                               expected_dx = dx;
    products_->multiply(m, n, k, x.data(), w.data(), y.data());
    chain_products().multiply(m, n, k, x.data(), w.data(), expected.data());
    products_->multiply_transposed(m, k, n, dz.data(), w.data(), dx.data());
    chain_products().multiply_transposed(m, k, n, dz.data(), w.data(), expected_dx.data());
    for (std::size_t i = 0; i < y.size(); ++i)
      ASSERT_NEAR(y[i], expected[i], close) << m << " " << n << " " << k;
    for (std::size_t i = 0; i < dx.size(); ++i)
      ASSERT_NEAR(dx[i], expected_dx[i], close) << m << " " << n << " " << k;
  }
}

TEST_P(BlasProducts, GradientsFollowTheTreeOfSumsWhoeverMakesWhichRows) {
  for (const auto& [rows, inputs, units] :
       {Extents{20, 13, 10}, {33, 70, 51}, {96, 200, 40}, {256, 129, 7}}) {
    const Floats x = random(rows * inputs, 4), dz = random(rows * units, 5);
    for (const int shards : {1, 2, 3, 5, 8, 13, 32, 100}) {
      SCOPED_TRACE(std::to_string(rows) + " rows, " + std::to_string(shards) + " shards");
      std::vector<ProductLeaf> leaves;
      std::vector<Floats> sums;
      const auto gradient = products_->kernel_gradient();
      for (int s = 0; s < shards; ++s) {
        const std::int64_t begin = shard_begin(s, shards, rows);
        leaves.push_back(
            {x.data() + begin * inputs, dz.data() + begin * units, shard_begin(s + 1, shards, rows) - begin});
        sums.emplace_back(static_cast<std::size_t>(inputs * units));
        gradient->set({&leaves.back(), 1}, inputs, units);
        gradient->rows(0, inputs, sums.back().data());
      }
      std::vector<ShardRange> nodes;  // one a shard: added as the ranks' nodes are
      for (int s = 0; s < shards; ++s) nodes.push_back({s, s + 1});
      for (const TreeStep& step : combining_program(nodes, shards))
        add_in_place(sums[static_cast<std::size_t>(step.target)],
                     sums[static_cast<std::size_t>(step.source)]);
      const Floats& expected = sums[0];
      gradient->set(leaves, inputs, units);
      Floats whole(expected.size(), -1.0F);
      gradient->rows(0, inputs, whole.data());
      EXPECT_TRUE(same_bits(whole.data(), expected.data(), whole.size()));
      for (const std::int64_t cut : {std::int64_t{1}, inputs / 3, inputs - 1}) {
        Floats parts(expected.size(), -1.0F);
        gradient->rows(0, cut, parts.data());
        gradient->rows(cut, inputs, parts.data() + cut * units);
        EXPECT_TRUE(same_bits(parts.data(), expected.data(), parts.size())) << "cut at " << cut;
      }
    }
  }
}

/// A copy that begins `offset` floats after a cache line.
class Moved {
 public:
  Moved(const Floats& values, std::int64_t offset) {
    float* start = memory_.of(static_cast<std::int64_t>(values.size()) + offset) + offset;
    std::copy(values.begin(), values.end(), start);
    data = start;
  }
  float* data;

 private:
  Scratch memory_;
};

// A shard's rows lie elsewhere in a rank's arrays at every number of ranks.
TEST_P(BlasProducts, BitsDoNotDependOnTheAlignmentOfArrays) {
  for (const auto& [m, n, k] : kExtents) {
    const Floats x = random(m * k, 1), w = random(k * n, 2), dz = random(m * n, 3);
    const Floats nothing_y(static_cast<std::size_t>(m * n)), nothing_dx(static_cast<std::size_t>(m * k)),
        nothing_g(static_cast<std::size_t>(k * n));
    Floats first_y, first_dx, first_g;
    for (std::int64_t offset = 0; offset < 16; ++offset) {
      // All arrays moved, and each by itself.
      for (int which = offset == 0 ? 3 : 0; which < 4; ++which) {
        const auto by = [&](int array) { return which == 3 || which == array ? offset : 0; };
        const Moved my_x(x, by(0)), my_w(w, by(1)), my_dz(dz, by(0));
        Moved y(nothing_y, by(2)), dx(nothing_dx, by(2)), g(nothing_g, by(2));
        products_->multiply(m, n, k, my_x.data, my_w.data, y.data);
        products_->multiply_transposed(m, k, n, my_dz.data, my_w.data, dx.data);
        const auto gradient = products_->kernel_gradient();
        const ProductLeaf leaf{my_x.data, my_dz.data, m};
        gradient->set({&leaf, 1}, k, n);
        gradient->rows(0, k, g.data);
        if (first_y.empty()) {
          first_y.assign(y.data, y.data + m * n);
          first_dx.assign(dx.data, dx.data + m * k);
          first_g.assign(g.data, g.data + k * n);
        }
        const std::string what = std::to_string(m) + " " + std::to_string(n) + " " + std::to_string(k) +
                                 ", offset " + std::to_string(offset) + " of " + std::to_string(which);
        ASSERT_TRUE(same_bits(first_y.data(), y.data, first_y.size())) << "forward " << what;
        ASSERT_TRUE(same_bits(first_dx.data(), dx.data, first_dx.size())) << "input gradient " << what;
        ASSERT_TRUE(same_bits(first_g.data(), g.data, first_g.size())) << "kernel gradient " << what;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Libraries, BlasProducts, ::testing::ValuesIn(libraries()),
                         [](const auto& test) { return std::string(blas_name(test.param)); });

TEST(BlasCores, KernelsBelowTheCpuAreNamedWithBetterOnes) {
  EXPECT_EQ(gemm::better_core("Prescott", true, true), "SkylakeX");
  EXPECT_EQ(gemm::better_core("Haswell", true, true), "SkylakeX");
  EXPECT_EQ(gemm::better_core("Prescott", true, false), "Haswell");
  for (const char* core : {"SkylakeX", "Cooperlake", "SapphireRapids"})
    EXPECT_EQ(gemm::better_core(core, true, true), "") << core;
  EXPECT_EQ(gemm::better_core("Zen", true, false), "");
  EXPECT_EQ(gemm::better_core("Prescott", false, false), "");
}

TEST(BlasFacts, SayWhatTheBitsDependOn) {
  for (const BlasLibrary library : libraries()) {
    const BlasFacts facts = blas_facts(library);
    for (const std::string& fact : {facts.library, facts.version, facts.kernel, facts.cpu})
      EXPECT_FALSE(fact.empty());
  }
}

}  // namespace
}  // namespace nntrain

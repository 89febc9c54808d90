// The chain products against their definition, std::fma by std::fma: the bits, not the values.

#include "core/products/chain.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/products/chain_functions.h"
#include "core/random.h"
#include "core/tree.h"

namespace nntrain::chain {
namespace {

using Floats = std::vector<float>;

Floats random(std::int64_t count, std::uint32_t index) {
  const RandomStream stream(17, Purpose::kTest, index);
  Floats values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = stream.uniform(0, i) - 0.5F;
  return values;
}

/// sum over p of a(p) b(p) as the header defines it.
template <class A, class B>
float chain(std::int64_t k, A a, B b) {
  float sum = 0;
  for (std::int64_t p = 0; p < k; ++p) sum = std::fma(a(p), b(p), sum);
  return sum;
}

bool same_bits(const Floats& a, const Floats& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

std::vector<Functions> instruction_sets() {
  std::vector<Functions> all = {portable_functions()};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0)
    all.push_back(avx2_functions());
  if (__builtin_cpu_supports("avx512f") != 0) all.push_back(avx512_functions());
#elif defined(__aarch64__)
  all.push_back(neon_functions());
#endif
  return all;
}

struct Extents {
  std::int64_t m, n, k;
};

// Around the widths of vectors, tiles, panels, blocks and of what counts as few rows.
const Extents kExtents[] = {{1, 1, 1},      {1, 10, 7},    {3, 5, 33},     {8, 48, 64},   {16, 50, 200},
                            {17, 51, 65},   {31, 24, 1},   {40, 97, 31},   {64, 49, 70},  {65, 33, 193},
                            {130, 70, 400}, {5, 1400, 20}, {70, 1400, 20}, {33, 20, 600}, {257, 50, 70},
                            {300, 17, 520}, {600, 49, 30}, {5, 64, 1400},  {1, 300, 784}, {5, 1400, 64},
                            {64, 100, 9},   {257, 64, 64}, {9, 64, 64},    {8, 1, 40},    {64, 1, 64},
                            {100, 2, 33},   {257, 3, 500}, {17, 3, 16},    {7, 2, 50},    {24, 200, 50},
                            {20, 300, 17},  {70, 1400, 3}, {300, 130, 2},  {33, 2049, 2}, {6, 3, 3}};

TEST(Chain, ProductsAreChainsOfFusedMultiplyAdds) {
  for (const auto& [m, n, k] : kExtents) {
    const Floats x = random(m * k, 1), w = random(k * n, 2), wt = random(n * k, 3);
    Floats expected(static_cast<std::size_t>(m * n)), expected_transposed = expected;
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        const auto at = [](const Floats& values, std::int64_t index) {
          return values[static_cast<std::size_t>(index)];
        };
        const auto row = [&](std::int64_t p) { return at(x, i * k + p); };
        expected[static_cast<std::size_t>(i * n + j)] =
            chain(k, row, [&](std::int64_t p) { return at(w, p * n + j); });
        expected_transposed[static_cast<std::size_t>(i * n + j)] =
            chain(k, row, [&](std::int64_t p) { return at(wt, j * k + p); });
      }
    }
    for (const Functions& functions : instruction_sets()) {
      SCOPED_TRACE(std::string(functions.name) + " " + std::to_string(m) + " x " + std::to_string(n) + " x " +
                   std::to_string(k));
      Floats scratch(static_cast<std::size_t>(functions.scratch_floats(m, n, k))), y(expected.size(), -1.0F);
      functions.multiply(m, n, k, x.data(), w.data(), y.data(), scratch.data());
      EXPECT_TRUE(same_bits(y, expected));
      functions.multiply_transposed(m, n, k, x.data(), wt.data(), y.data(), scratch.data());
      EXPECT_TRUE(same_bits(y, expected_transposed));
    }
  }
}

TEST(Chain, NothingToContractIsZero) {
  Floats y(6, -1.0F);
  multiply(2, 3, 0, nullptr, nullptr, y.data());
  EXPECT_EQ(y, Floats(6, 0.0F));
  y.assign(6, -1.0F);
  multiply_transposed(2, 3, 0, nullptr, nullptr, y.data());
  EXPECT_EQ(y, Floats(6, 0.0F));
}

/// The gradient over `shards` shards of `rows` rows, by the definition.
Floats gradient(std::int64_t rows, std::int64_t inputs, std::int64_t units, int shards, const Floats& x,
                const Floats& dz) {
  Floats g(static_cast<std::size_t>(inputs * units));
  std::vector<ShardRange> leaves;
  for (int s = 0; s < shards; ++s) leaves.push_back({s, s + 1});
  const std::vector<TreeStep> program = combining_program(leaves, shards);
  std::vector<float> parts(static_cast<std::size_t>(shards));
  for (std::int64_t i = 0; i < inputs; ++i) {
    for (std::int64_t j = 0; j < units; ++j) {
      for (int s = 0; s < shards; ++s) {
        const std::int64_t begin = shard_begin(s, shards, rows), end = shard_begin(s + 1, shards, rows);
        parts[static_cast<std::size_t>(s)] = chain(
            end - begin,
            [&](std::int64_t r) { return x[static_cast<std::size_t>((begin + r) * inputs + i)]; },
            [&](std::int64_t r) { return dz[static_cast<std::size_t>((begin + r) * units + j)]; });
      }
      for (const TreeStep& step : program)
        parts[static_cast<std::size_t>(step.target)] += parts[static_cast<std::size_t>(step.source)];
      g[static_cast<std::size_t>(i * units + j)] = parts[0];
    }
  }
  return g;
}

TEST(Chain, GradientsFollowTheTreeOfSums) {
  for (const auto& [rows, inputs, units] : {Extents{1, 3, 5},
                                            {16, 9, 48},
                                            {20, 13, 10},
                                            {33, 70, 51},
                                            {600, 13, 50},
                                            {1000, 65, 7},
                                            {70, 128, 64},
                                            {70, 129, 30},
                                            {20, 13, 1},
                                            {70, 65, 2},
                                            {600, 100, 3},
                                            {1000, 64, 1},
                                            {70, 200, 10},
                                            {513, 200, 10},
                                            {256, 140, 53}}) {
    const Floats x = random(rows * inputs, 4), dz = random(rows * units, 5);
    for (const int shards : {1, 2, 3, 5, 6, 7, 8, 13, 32, 100}) {
      const Floats expected = gradient(rows, inputs, units, shards, x, dz);
      std::vector<Leaf> leaves;
      for (int s = 0; s < shards; ++s) {  // with more shards than rows, some have none
        const std::int64_t begin = shard_begin(s, shards, rows);
        leaves.push_back(
            {x.data() + begin * inputs, dz.data() + begin * units, shard_begin(s + 1, shards, rows) - begin});
      }
      for (const Functions& functions : instruction_sets()) {
        SCOPED_TRACE(std::string(functions.name) + " rows " + std::to_string(rows) + " shards " +
                     std::to_string(shards));
        Floats panels(static_cast<std::size_t>(rows * (units + functions.panel_columns)));
        Floats room(static_cast<std::size_t>(functions.gradient_room(rows))), g(expected.size(), -1.0F);
        functions.pack(leaves, units, panels.data());
        functions.gradient_rows(leaves, inputs, units, panels.data(), 0, inputs, room.data(), g.data(),
                                nullptr);
        EXPECT_TRUE(same_bits(g, expected));
        const std::int64_t begin = inputs / 3, end = inputs - inputs / 4;
        Floats part(static_cast<std::size_t>((end - begin) * units));
        functions.gradient_rows(leaves, inputs, units, panels.data(), begin, end, room.data(), part.data(),
                                g.data());
        EXPECT_TRUE(
            same_bits(part, Floats(expected.begin() + begin * units, expected.begin() + end * units)));
      }
    }
  }
}

}  // namespace
}  // namespace nntrain::chain

#include "nntrain/core/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "nntrain/core/random.h"

namespace nntrain::gemm {
namespace {

std::vector<float> random(std::int64_t count, std::uint32_t index) {
  const RandomStream stream(11, Purpose::kTest, index);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = stream.uniform(0, i) - 0.5F;
  return values;
}

void expect_product(Transpose ta, Transpose tb, std::int64_t m, std::int64_t n, std::int64_t k) {
  const std::vector<float> a = random(m * k, 1), b = random(k * n, 2);
  std::vector<float> c = random(m * n, 3);
  const std::int64_t lda = ta == Transpose::kYes ? m : k;
  const std::int64_t ldb = tb == Transpose::kYes ? k : n;
  multiply(ta, tb, m, n, k, a.data(), lda, b.data(), ldb, c.data(), n);
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0.0;
      for (std::int64_t p = 0; p < k; ++p) {
        const double x = a[static_cast<std::size_t>(ta == Transpose::kYes ? p * m + i : i * k + p)];
        const double y = b[static_cast<std::size_t>(tb == Transpose::kYes ? j * k + p : p * n + j)];
        sum += x * y;
      }
      ASSERT_NEAR(c[static_cast<std::size_t>(i * n + j)], sum, 1e-5 * std::sqrt(static_cast<double>(k + 1)));
    }
  }
}

TEST(Gemm, AgreesWithTheDefinition) {
  for (const Transpose ta : {Transpose::kNo, Transpose::kYes}) {
    for (const Transpose tb : {Transpose::kNo, Transpose::kYes}) {
      expect_product(ta, tb, 16, 50, 78);
      expect_product(ta, tb, 1, 10, 50);
      expect_product(ta, tb, 50, 1, 3);
      expect_product(ta, tb, 3, 7, 0);
    }
  }
}

TEST(Gemm, EmptyOutputsAreFine) { multiply(Transpose::kNo, Transpose::kNo, 0, 5, 3, nullptr, 3, nullptr, 5, nullptr, 5); }

TEST(Gemm, RowsDoNotDependOnAlignment) {
  constexpr std::int64_t m = 16, n = 33, k = 50;
  const std::vector<float> a = random(m * k + 3, 1), b = random(k * n + 5, 2);
  std::vector<float> first(m * n), second(m * n + 7);
  multiply(Transpose::kNo, Transpose::kNo, m, n, k, a.data(), k, b.data(), n, first.data(), n);
  std::vector<float> shifted_a(a.size() + 1), shifted_b(b.size() + 3);
  std::copy(a.begin(), a.end(), shifted_a.begin() + 1);
  std::copy(b.begin(), b.end(), shifted_b.begin() + 3);
  multiply(Transpose::kNo, Transpose::kNo, m, n, k, shifted_a.data() + 1, k, shifted_b.data() + 3, n, second.data() + 7, n);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), second.begin() + 7));
}

/// Rows of a mini-batch, cut into shards of which some are the library's: merged or alone, the bits of a row stay.
TEST(Gemm, ShardsMayBeMerged) {
  constexpr std::int64_t n = 21, k = 34, positions = 2;
  const std::vector<std::int64_t> bounds = {0, 10, 10, 13, 13 + kLibraryRows / positions, 100, 100 + kLibraryRows};
  const std::vector<float> x = random(bounds.back() * positions * k, 1), w = random(k * n, 2);
  for (const Transpose transpose : {Transpose::kNo, Transpose::kYes}) {
    std::vector<float> merged(static_cast<std::size_t>(bounds.back() * positions * n)), alone(merged.size());
    multiply_shards(bounds, positions, transpose, n, k, x.data(), w.data(), merged.data());
    for (std::size_t s = 0; s + 1 < bounds.size(); ++s) {
      const std::vector<std::int64_t> one = {0, bounds[s + 1] - bounds[s]};
      const std::int64_t row = bounds[s] * positions;
      multiply_shards(one, positions, transpose, n, k, x.data() + row * k, w.data(), alone.data() + row * n);
    }
    EXPECT_EQ(std::memcmp(merged.data(), alone.data(), merged.size() * sizeof(float)), 0);
  }
}

TEST(Gemm, SaysWhatItUses) {
  EXPECT_NE(kernel_identity().find("OpenBLAS"), std::string::npos);
  EXPECT_GT(measured_rate_gflops(), 0.0);
}

}  // namespace
}  // namespace nntrain::gemm

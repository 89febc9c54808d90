#include "core/products/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "core/random.h"

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

TEST(Gemm, EmptyOutputsAreFine) {
  multiply(Transpose::kNo, Transpose::kNo, 0, 5, 3, nullptr, 3, nullptr, 5, nullptr, 5);
}

TEST(Gemm, SaysWhatItUses) {
  EXPECT_NE(description().find("OpenBLAS"), std::string::npos);
  EXPECT_GT(measured_rate_gflops(), 0.0);
}

}  // namespace
}  // namespace nntrain::gemm

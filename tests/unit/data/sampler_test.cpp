#include "data/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <vector>

namespace nntrain::data {
namespace {

std::vector<std::int64_t> order_of(std::int64_t rows, std::uint64_t seed, std::int64_t epoch) {
  const Sampler sampler(rows, seed, epoch, Order::kShuffled);
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < rows; ++i) order.push_back(sampler.row(i));
  return order;
}

/// Chi-squared of equally likely bins.
double chi_squared(const std::vector<std::int64_t>& counts, double expected) {
  double sum = 0;
  for (const std::int64_t count : counts)
    sum += (static_cast<double>(count) - expected) * (static_cast<double>(count) - expected) / expected;
  return sum;
}

/// Mean + 6 standard deviations of chi-squared with `freedom` degrees of freedom.
double limit(double freedom) { return freedom + 6 * std::sqrt(2 * freedom); }

TEST(Sampler, IsAPermutation) {
  std::vector<std::int64_t> sizes = {1000, 1023, 1024, 1025, 55000, 60000, 65536, 65537};
  for (std::int64_t n = 1; n <= 130; ++n) sizes.push_back(n);
  for (const std::int64_t n : sizes) {
    std::vector<bool> seen(static_cast<std::size_t>(n), false);
    for (const std::int64_t row : order_of(n, 42, 3)) {
      ASSERT_GE(row, 0);
      ASSERT_LT(row, n);
      ASSERT_FALSE(seen[static_cast<std::size_t>(row)]) << n;
      seen[static_cast<std::size_t>(row)] = true;
    }
  }
}

// Several rows at a time are those that row() names, wherever a range begins and ends.
TEST(Sampler, RangesAreTheRowsOneByOne) {
  for (const std::int64_t n : {1, 2, 3, 7, 8, 9, 31, 130, 1023, 1024, 1025, 60000}) {
    for (const Order order : {Order::kFile, Order::kShuffled}) {
      const Sampler sampler(n, 42, 3, order);
      for (const std::int64_t count :
           {std::int64_t{0}, std::int64_t{1}, std::int64_t{8}, std::int64_t{19}, n}) {
        for (const std::int64_t first : {std::int64_t{0}, n / 3, n - count}) {
          if (first < 0 || first + count > n) continue;
          std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
          sampler.rows(first, rows);
          for (std::int64_t i = 0; i < count; ++i)
            ASSERT_EQ(rows[static_cast<std::size_t>(i)], sampler.row(first + i))
                << n << " " << first << " " << i;
        }
      }
    }
  }
}

TEST(Sampler, HugeSizesStayInRange) {
  for (const std::int64_t n : {std::int64_t{1} << 40, (std::int64_t{1} << 62) + 1, INT64_MAX}) {
    const Sampler sampler(n, 1, 0, Order::kShuffled);
    std::set<std::int64_t> rows;
    for (std::int64_t i = 0; i < 1000; ++i) {
      rows.insert(sampler.row(i));
      EXPECT_GE(*rows.begin(), 0);
      EXPECT_LT(*rows.rbegin(), n);
    }
    EXPECT_EQ(rows.size(), 1000U);
  }
}

TEST(Sampler, DependsOnSeedAndEpochAlone) {
  EXPECT_EQ(order_of(1000, 7, 2), order_of(1000, 7, 2));
  EXPECT_NE(order_of(1000, 7, 2), order_of(1000, 7, 3));
  EXPECT_NE(order_of(1000, 7, 2), order_of(1000, 8, 2));
  EXPECT_NE(order_of(1000, 7, 2), order_of(1000, 7 + (std::uint64_t{1} << 32), 2));
}

TEST(Sampler, FileOrderIsTheIdentity) {
  const Sampler sampler(100, 7, 2, Order::kFile);
  for (std::int64_t i = 0; i < 100; ++i) EXPECT_EQ(sampler.row(i), i);
}

TEST(Sampler, EveryOrderOfFewRowsIsEquallyLikely) {
  for (const auto& [n, orders] : {std::pair(2, 2), {3, 6}, {4, 24}, {5, 120}}) {
    std::map<std::vector<std::int64_t>, std::int64_t> counts;
    const int epochs = 400 * orders;
    for (int epoch = 0; epoch < epochs; ++epoch) ++counts[order_of(n, 5, epoch)];
    ASSERT_EQ(counts.size(), static_cast<std::size_t>(orders));
    std::vector<std::int64_t> bins;
    for (const auto& [order, count] : counts) bins.push_back(count);
    EXPECT_LT(chi_squared(bins, 400), limit(orders - 1)) << n;
  }
}

TEST(Sampler, EveryRowIsEquallyLikelyAtEveryPosition) {
  for (const std::int64_t n : {6, 7, 8, 16, 32, 100, 150, 260}) {
    constexpr int kEpochs = 5000;
    std::vector<std::int64_t> counts(static_cast<std::size_t>(n * n), 0);
    std::vector<std::int64_t> next(static_cast<std::size_t>(n), 0);  // the step from one position to the next
    for (int epoch = 0; epoch < kEpochs; ++epoch) {
      const std::vector<std::int64_t> order = order_of(n, 11, epoch);
      for (std::int64_t i = 0; i < n; ++i)
        ++counts[static_cast<std::size_t>(i * n + order[static_cast<std::size_t>(i)])];
      ++next[static_cast<std::size_t>((order[1] - order[0] + n) % n)];
    }
    // Tables of permutations: the statistic times (n - 1) / n has (n - 1)^2 degrees of freedom.
    const auto size = static_cast<double>(n);
    EXPECT_LT(chi_squared(counts, kEpochs / size) * (size - 1) / size, limit((size - 1) * (size - 1))) << n;
    EXPECT_EQ(next[0], 0);
    next.erase(next.begin());
    EXPECT_LT(chi_squared(next, kEpochs / (size - 1)), limit(size - 2)) << n;
  }
}

TEST(Sampler, MixesALargeSet) {
  constexpr std::int64_t kRows = 55000;
  const std::vector<std::int64_t> order = order_of(kRows, 42, 0);
  double covariance = 0;
  std::int64_t ascents = 0;
  std::int64_t fixed = 0;
  for (std::int64_t i = 0; i < kRows; ++i) {
    const std::int64_t row = order[static_cast<std::size_t>(i)];
    const double half = 0.5 * (kRows - 1);
    covariance += (static_cast<double>(i) - half) * (static_cast<double>(row) - half);
    fixed += row == i;
    if (i > 0) ascents += row > order[static_cast<std::size_t>(i - 1)];
  }
  const double variance = (static_cast<double>(kRows) * kRows - 1) / 12 * kRows;
  EXPECT_LT(std::abs(covariance / variance), 5 / std::sqrt(kRows));
  EXPECT_NEAR(static_cast<double>(ascents), kRows / 2.0, 5 * std::sqrt(kRows / 12.0));
  EXPECT_LT(fixed, 10);  // Poisson with mean 1
}

}  // namespace
}  // namespace nntrain::data

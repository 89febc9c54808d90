// Splits that never cut a group.

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/error.h"
#include "train/data/split.h"

namespace nntrain::train {
namespace {

constexpr std::int64_t kRows = 120;

/// Seven groups of different sizes, scattered.
std::vector<std::int64_t> groups() {
  std::vector<std::int64_t> group;
  for (std::int64_t row = 0; row < kRows; ++row) group.push_back(row * row % 11 % 7);
  return group;
}

std::set<std::int64_t> validating_rows(const DataSettings& data) {
  const RowSplit split = split_rows(kRows, data, {}, false, nullptr, groups);
  EXPECT_EQ(split.train.count() + split.validation.count(), kRows);
  EXPECT_EQ(std::set<std::int64_t>(split.order.begin(), split.order.end()).size(), std::size_t{kRows});
  return {split.order.begin() + split.validation.begin, split.order.begin() + split.validation.end};
}

void expect_whole_groups(const std::set<std::int64_t>& validating) {
  const std::vector<std::int64_t> group = groups();
  std::set<std::int64_t> names;
  for (const std::int64_t row : validating) names.insert(group[static_cast<std::size_t>(row)]);
  for (std::int64_t row = 0; row < kRows; ++row)
    EXPECT_EQ(validating.count(row), names.count(group[static_cast<std::size_t>(row)])) << row;
}

TEST(SplitByGroups, TakesWholeGroupsNearTheFraction) {
  DataSettings data;
  data.split.shuffle = true;
  std::set<std::set<std::int64_t>> seen;
  for (const double fraction : {0.1, 0.3, 0.5}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      data.split.fraction = fraction;
      data.split.seed = seed;
      const std::set<std::int64_t> validating = validating_rows(data);
      expect_whole_groups(validating);
      EXPECT_NEAR(static_cast<double>(validating.size()), fraction * kRows, 16) << fraction << " " << seed;
      EXPECT_EQ(validating, validating_rows(data));  // a function of the seed
      seen.insert(validating);
    }
  }
  EXPECT_GT(seen.size(), 10U);
}

TEST(SplitByGroups, FoldsAreWholeGroupsAndMeetEachRowOnce) {
  DataSettings data;
  data.split.folds = 3;
  std::map<std::int64_t, int> times;
  for (data.split.fold = 0; data.split.fold < 3; ++data.split.fold) {
    const std::set<std::int64_t> validating = validating_rows(data);
    expect_whole_groups(validating);
    EXPECT_FALSE(validating.empty());
    for (const std::int64_t row : validating) ++times[row];
  }
  EXPECT_EQ(times.size(), std::size_t{kRows});
  for (const auto& [row, count] : times) EXPECT_EQ(count, 1) << row;
}

TEST(SplitByGroups, WhatWouldCutAGroupIsRefused) {
  const auto refuses = [](const DataSettings& data, const FitSettings& fit) {
    EXPECT_THROW(split_rows(kRows, data, fit, false, nullptr, groups), InputError);
  };
  DataSettings rows;
  rows.validation_rows = "100:";
  rows.rows = ":100";
  refuses(rows, {});
  FitSettings last;
  last.validation_split = 0.2;
  refuses({}, last);
  DataSettings stratified;
  stratified.split.fraction = 0.2;
  stratified.split.shuffle = stratified.split.stratify = true;
  refuses(stratified, {});
  DataSettings folds;
  folds.split.folds = 8;
  refuses(folds, {});
  // Rows of one group each are no cut.
  const auto each = [] {
    std::vector<std::int64_t> group(kRows);
    for (std::size_t row = 0; row < group.size(); ++row) group[row] = static_cast<std::int64_t>(row);
    return group;
  };
  EXPECT_NO_THROW(split_rows(kRows, {}, last, false, nullptr, each));
}

}  // namespace
}  // namespace nntrain::train

// fit.shuffle = blocks(window=K): which rows are mixed with which, and how well.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "data/sampler.h"

namespace nntrain::data {
namespace {

std::vector<std::int64_t> order_of(const Sampler& sampler, std::int64_t rows) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
  for (std::int64_t i = 0; i < rows; ++i) order[static_cast<std::size_t>(i)] = sampler.row(i);
  return order;
}

std::vector<std::int64_t> block_order(const Sampler& sampler) {
  std::vector<std::int64_t> blocks;
  for (std::int64_t place = 0; place < sampler.places(); ++place) blocks.push_back(sampler.block_at(place));
  return blocks;
}

TEST(BlockSampler, APermutationWhateverTheBlocks) {
  for (const std::int64_t rows : {1, 2, 7, 16, 37, 128, 1000})
    for (const std::int64_t block_rows : {1, 2, 3, 5, 16, 64, 999, 1000, 5000})
      for (const std::int64_t window : {1, 2, 3, 100, 100000})
        for (const std::int64_t epoch : {0, 1, 2}) {
          const Sampler sampler(rows, 5, epoch, BlockOrder{block_rows, window});
          std::vector<std::int64_t> order = order_of(sampler, rows);
          std::sort(order.begin(), order.end());
          for (std::int64_t i = 0; i < rows; ++i)
            ASSERT_EQ(order[static_cast<std::size_t>(i)], i) << rows << " " << block_rows << " " << window;
          ASSERT_EQ(sampler.position_of_place(sampler.places()), rows);
        }
}

TEST(BlockSampler, PlacesAndPositionsAgreeAroundTheShortBlock) {
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    const Sampler sampler(37, 1, epoch, BlockOrder{5, 3});
    ASSERT_EQ(sampler.places(), 8);
    for (std::int64_t place = 0; place < 8; ++place) {
      const std::int64_t begin = sampler.position_of_place(place), end = sampler.position_of_place(place + 1);
      EXPECT_EQ(end - begin, sampler.block_at(place) == 7 ? 2 : 5);
      for (std::int64_t i = begin; i < end; ++i) EXPECT_EQ(sampler.place_of_position(i), place);
    }
  }
}

TEST(BlockSampler, AWindowHoldsTheRowsOfItsBlocksAndNoOthers) {
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    const Sampler sampler(37, 1, epoch, BlockOrder{5, 3});
    const std::vector<std::int64_t> order = order_of(sampler, 37);
    for (std::int64_t first = 0; first < 8; first += 3) {
      const std::int64_t last = std::min<std::int64_t>(first + 3, 8);
      std::set<std::int64_t> rows, expected;
      for (std::int64_t i = sampler.position_of_place(first); i < sampler.position_of_place(last); ++i)
        rows.insert(order[static_cast<std::size_t>(i)]);
      for (std::int64_t place = first; place < last; ++place) {
        const std::int64_t block = sampler.block_at(place);
        for (std::int64_t row = 5 * block; row < std::min<std::int64_t>(5 * block + 5, 37); ++row)
          expected.insert(row);
      }
      EXPECT_EQ(rows, expected) << "epoch " << epoch << ", from place " << first;
    }
  }
}

/// The first, second, .. of blocks sorted by class: how many of each class a window holds.
std::vector<std::int64_t> of_classes(const Sampler& sampler, std::int64_t first, std::int64_t last,
                                     std::int64_t classes) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes), 0);
  for (std::int64_t place = first; place < last; ++place)
    ++counts[static_cast<std::size_t>(sampler.block_at(place) * classes / sampler.places())];
  return counts;
}

TEST(BlockSampler, EveryWindowIsASampleOfTheWholeFile) {
  for (const std::int64_t blocks : {938, 940, 100, 47, 50, 1000})
    for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
      const Sampler sampler(64 * blocks, 7, epoch, BlockOrder{64, 47});
      for (std::int64_t first = 0; first < blocks; first += 47) {
        const std::int64_t last = std::min(first + 47, blocks);
        const double expected = static_cast<double>(last - first) / 10;
        for (const std::int64_t count : of_classes(sampler, first, last, 10))
          ASSERT_LT(std::abs(static_cast<double>(count) - expected), 2)
              << blocks << " blocks, from place " << first;
      }
    }
}

TEST(BlockSampler, AnyTwoBlocksMeetInSomeWindow) {
  const std::int64_t blocks = 23;
  std::set<std::pair<std::int64_t, std::int64_t>> met;
  for (std::int64_t epoch = 0; epoch < 2000; ++epoch) {
    const std::vector<std::int64_t> order = block_order(Sampler(2 * blocks, 7, epoch, BlockOrder{2, 5}));
    for (std::int64_t a = 0; a < blocks; ++a)
      for (std::int64_t b = a + 1; b < std::min((a / 5 + 1) * 5, blocks); ++b)
        met.insert(std::minmax(order[static_cast<std::size_t>(a)], order[static_cast<std::size_t>(b)]));
  }
  EXPECT_EQ(met.size(), static_cast<std::size_t>(blocks * (blocks - 1) / 2));
}

TEST(BlockSampler, AShortBlockIsFoundWhereverItStands) {
  for (const std::int64_t blocks : {1, 2, 3, 5, 12, 47, 100, 938})
    for (const std::int64_t window : {1, 2, 3, 7, 47, 99, 938})
      for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
        const Permutation::Keys keys = Permutation::keys_of(4, epoch);
        const BlockPermutation order(blocks, std::min(window, blocks), keys);
        for (std::int64_t block = 0; block < blocks; ++block)
          ASSERT_EQ(order.at(order.place_of(block)), block) << blocks << " blocks, window " << window;
      }
}

TEST(BlockSampler, EveryEpochSeedAndWindowHasAnOrderOfItsOwn) {
  std::set<std::vector<std::int64_t>> blocks, rows;
  for (const std::uint64_t seed : {1U, 2U, 3U})
    for (std::int64_t epoch = 0; epoch < 5; ++epoch) {
      const Sampler sampler(200, seed, epoch, BlockOrder{10, 4});
      blocks.insert(block_order(sampler));
      rows.insert(order_of(sampler, 200));
    }
  EXPECT_EQ(blocks.size(), 15U);
  EXPECT_EQ(rows.size(), 15U);
  std::set<std::vector<std::int64_t>> patterns;  // by place in the window, not by row
  const Sampler sampler(200, 1, 0, BlockOrder{10, 4});
  const std::vector<std::int64_t> order = block_order(sampler);
  for (std::int64_t window = 0; window < 5; ++window) {
    std::vector<std::int64_t> pattern;
    for (std::int64_t i = 40 * window; i < 40 * (window + 1); ++i) {
      const std::int64_t row = sampler.row(i);
      const auto place = std::find(order.begin(), order.end(), row / 10) - order.begin() - 4 * window;
      pattern.push_back(place * 10 + row % 10);
    }
    patterns.insert(pattern);
  }
  EXPECT_EQ(patterns.size(), 5U);
}

/// Chi-squared of equally likely bins against its mean and 6 deviations.
void expect_uniform(const std::vector<std::int64_t>& counts) {
  double total = 0, sum = 0;
  for (const std::int64_t count : counts) total += static_cast<double>(count);
  const double expected = total / static_cast<double>(counts.size());
  for (const std::int64_t count : counts)
    sum += (static_cast<double>(count) - expected) * (static_cast<double>(count) - expected) / expected;
  const double freedom = static_cast<double>(counts.size()) - 1;
  EXPECT_LT(sum, freedom + 6 * std::sqrt(2 * freedom));
}

TEST(BlockSampler, ARowIsEquallyOftenAtEveryPositionOfTheEpoch) {
  std::vector<std::int64_t> positions(64, 0), neighbours(64, 0);
  for (std::int64_t epoch = 0; epoch < 6400; ++epoch) {
    const std::vector<std::int64_t> order = order_of(Sampler(64, 3, epoch, BlockOrder{8, 4}), 64);
    ++positions[static_cast<std::size_t>(std::find(order.begin(), order.end(), 13) - order.begin())];
    ++neighbours[static_cast<std::size_t>(order[40])];
  }
  expect_uniform(positions);
  expect_uniform(neighbours);
}

TEST(BlockSampler, AnyDataSetNeedsNoMemoryAndNoTime) {
  const std::int64_t rows = (std::int64_t{1} << 50) + 12345;
  const Sampler sampler(rows, 1, 0, BlockOrder{4096, 1000});
  std::set<std::int64_t> seen;
  for (std::int64_t i = 0; i < 1000; ++i) {
    const std::int64_t row = sampler.row(rows - 1 - i * 1'000'003);
    ASSERT_GE(row, 0);
    ASSERT_LT(row, rows);
    seen.insert(row);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

/// A run that goes on with a later version sees the same rows.
TEST(BlockSampler, AFixedOrderStaysWhatItIs) {
  EXPECT_EQ(order_of(Sampler(11, 42, 1, BlockOrder{3, 2}), 11),
            (std::vector<std::int64_t>{0, 5, 4, 2, 3, 1, 9, 8, 7, 6, 10}));
}

}  // namespace
}  // namespace nntrain::data

// Blocks that begin anew where files and chunks do.

#include "data/row_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "data/array_source.h"
#include "data/sampler.h"

namespace nntrain::data {
namespace {

using Rows = std::vector<std::int64_t>;

TEST(RowBlocks, CoverAllRowsInOrderWhateverTheCuts) {
  for (const std::int64_t rows : {1, 5, 16, 37})
    for (const std::int64_t block_rows : {1, 3, 8, 16, 100})
      for (const Rows& cuts : {Rows{}, Rows{1}, Rows{4, 5, 30}, Rows{0, 8, 16, 37, 99}, Rows{36}}) {
        const RowBlocks blocks(rows, block_rows, cuts);
        std::int64_t row = 0;
        Rows short_blocks;
        for (std::int64_t block = 0; block < blocks.count(); ++block) {
          ASSERT_EQ(blocks.begin(block), row);
          ASSERT_GE(blocks.rows_of(block), 1);
          ASSERT_LE(blocks.rows_of(block), std::min(block_rows, rows));
          if (blocks.rows_of(block) < blocks.block_rows()) short_blocks.push_back(block);
          for (std::int64_t i = 0; i < blocks.rows_of(block); ++i) ASSERT_EQ(blocks.block_of(row + i), block);
          row += blocks.rows_of(block);
        }
        ASSERT_EQ(row, rows);
        ASSERT_EQ(blocks.short_blocks(), short_blocks);
        for (const std::int64_t cut : cuts)
          if (cut < rows) {
            ASSERT_EQ(blocks.begin(blocks.block_of(cut)), cut);
          }
      }
}

TEST(RowBlocks, AnOrderOfThemIsAPermutationAndItsPlacesAreBlocks) {
  const Rows cuts = {4, 5, 30};
  for (const std::int64_t window : {1, 2, 5, 100})
    for (std::int64_t epoch = 0; epoch < 10; ++epoch) {
      const Sampler sampler(37, 3, epoch, BlockOrder{8, window, cuts});
      const RowBlocks& blocks = sampler.blocks();
      std::int64_t position = 0;
      for (std::int64_t place = 0; place < sampler.places(); ++place) {
        ASSERT_EQ(sampler.position_of_place(place), position);
        const std::int64_t rows = blocks.rows_of(sampler.block_at(place));
        for (std::int64_t i = 0; i < rows; ++i) ASSERT_EQ(sampler.place_of_position(position + i), place);
        position += rows;
      }
      ASSERT_EQ(position, 37);
      ASSERT_EQ(sampler.position_of_place(sampler.places()), 37);
      Rows order(37), all(37);
      for (std::int64_t i = 0; i < 37; ++i) order[static_cast<std::size_t>(i)] = sampler.row(i);
      std::sort(order.begin(), order.end());
      std::iota(all.begin(), all.end(), 0);
      ASSERT_EQ(order, all);
    }
}

ArrayInfo chunked(std::int64_t rows, std::int64_t chunk_rows, const Rows& files) {
  ArrayInfo info;
  info.rows = rows;
  info.sample = Shape{4};
  info.chunk_rows = chunk_rows;
  info.files = files;
  return info;
}

TEST(BlockCuts, KeepBlocksOnTheChunksOfEveryFile) {
  // Two files of 25 rows in chunks of 10; blocks of 10.
  EXPECT_EQ(block_cuts(chunked(50, 10, {25}), {0, 50}, 10), Rows({25}));
  EXPECT_EQ(block_cuts(chunked(50, 10, {25}), {3, 50}, 10), Rows({7, 22}));  // row 10, row 25
  EXPECT_EQ(block_cuts(chunked(50, 10, {25}), {28, 48}, 10), Rows({7}));     // row 35
  EXPECT_EQ(block_cuts(chunked(50, 10, {25}), {20, 50}, 10), Rows({5}));     // row 25
  EXPECT_EQ(block_cuts(chunked(50, 10, {25}), {0, 25}, 10), Rows{});
  EXPECT_EQ(block_cuts(chunked(50, 0, {25}), {3, 50}, 10), Rows{}) << "no chunks, no cuts";
  // Small files share a block as long as they fit into it.
  EXPECT_EQ(block_cuts(chunked(12, 3, {3, 6, 9}), {0, 12}, 6), Rows({6}));
  EXPECT_EQ(block_cuts(chunked(14, 2, {2, 12}), {0, 14}, 4), Rows({2, 12}));
}

}  // namespace
}  // namespace nntrain::data

#pragma once
// The order of samples in an epoch: a permutation computed per index, O(1) memory, a function of seed, epoch,
// rows and, for blocks, their size and the window alone; never of ranks or of what is in memory. Blocks: Xu
// et al., "CorgiPile", SIGMOD 2022, with windows that are samples of the whole file (BlockPermutation).

#include <cstdint>
#include <span>
#include <vector>

#include "data/block_permutation.h"
#include "data/permutation.h"
#include "data/row_blocks.h"

namespace nntrain::data {

enum class Order { kFile, kShuffled, kBlocks };

/// fit.shuffle = blocks(window).
struct BlockOrder {
  std::int64_t block_rows = 1;
  std::int64_t window = 1;              ///< blocks whose rows are mixed with one another
  std::vector<std::int64_t> cuts = {};  ///< rows at which a block begins in any case (RowBlocks)
};

class Sampler {
 public:
  /// A permutation of [0, rows) for this epoch. kFile: the identity.
  Sampler(std::int64_t rows, std::uint64_t seed, std::int64_t epoch, Order order);
  /// kBlocks: the blocks in an order of this epoch (BlockPermutation); `window` after `window` of them are a
  /// window, and the rows of each window stand in an order of their own. A window of all blocks mixes all
  /// rows.
  Sampler(std::int64_t rows, std::uint64_t seed, std::int64_t epoch, const BlockOrder& blocks);
  /// The row at position `position` of the epoch; position in [0, rows). About 30 ns; kBlocks: several times
  /// that.
  std::int64_t row(std::int64_t position) const;
  /// rows = row(position), row(position + 1), ..; kShuffled: about 7 ns each.
  void rows(std::int64_t position, std::span<std::int64_t> rows) const;
  /// Where a row stands; not for kBlocks.
  std::int64_t position_of(std::int64_t row) const {
    return order_ == Order::kFile ? row : permutation_.place_of(keys_, 0, row);
  }
  Order order() const { return order_; }

  // kBlocks: what whoever reads ahead needs to know. Places are blocks in the epoch's order.
  const RowBlocks& blocks() const { return blocks_; }
  /// The position that the row of `position` would have if the blocks were not mixed: in the same window.
  std::int64_t mixed(std::int64_t position) const;
  std::int64_t places() const { return blocks_.count(); }
  std::int64_t window() const { return window_; }
  std::int64_t block_at(std::int64_t place) const { return order_of_blocks_.at(place); }
  std::int64_t place_of_position(std::int64_t position) const;
  /// The first position of a place; of places(): the rows.
  std::int64_t position_of_place(std::int64_t place) const;

 private:
  std::int64_t row_in_blocks(std::int64_t position) const;

  std::int64_t rows_;
  Order order_;
  Permutation permutation_;  ///< of all rows
  Permutation::Keys keys_{};
  /// Where a short block stands, where the positions behind it begin, and the rows that are missing up to
  /// there.
  struct Short {
    std::int64_t place, behind, missing;
  };
  RowBlocks blocks_{1, 1};
  std::int64_t window_ = 1;
  BlockPermutation order_of_blocks_;
  std::vector<Short> shorts_;  ///< by place
};

}  // namespace nntrain::data

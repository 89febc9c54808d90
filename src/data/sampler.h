#pragma once
// The order of samples in an epoch: a permutation computed per index, O(1) memory, a function of seed, epoch,
// rows and, for blocks, their size and the window alone; never of ranks or of what is in memory. Unbalanced
// Feistel network with cycle walking: Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA
// 2002; its round keys are drawn by Philox. Blocks: Xu et al., "CorgiPile", SIGMOD 2022.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "data/row_blocks.h"

namespace nntrain::data {

enum class Order { kFile, kShuffled, kBlocks };

/// A permutation of [0, size).
class Permutation {
 public:
  static constexpr int kMostRounds = 16;
  using Keys = std::array<std::uint64_t, kMostRounds>;

  explicit Permutation(std::int64_t size);
  /// Another one for each set of keys and each tweak.
  std::int64_t at(const Keys& keys, std::uint64_t tweak, std::int64_t index) const;
  /// values = at(first), at(first + 1), ..: several at a time, because the rounds of one wait for each other.
  void at(const Keys& keys, std::uint64_t tweak, std::int64_t first, std::span<std::int64_t> values) const;
  /// Where `value` stands.
  std::int64_t place_of(const Keys& keys, std::uint64_t tweak, std::int64_t value) const;

 private:
  std::uint64_t encrypt(const Keys& keys, std::uint64_t tweak, std::uint64_t value) const;
  std::uint64_t decrypt(const Keys& keys, std::uint64_t tweak, std::uint64_t value) const;

  std::int64_t size_;
  int left_bits_ = 0;  ///< the domain is [0, 2^(left + right)), less than twice the size
  int right_bits_ = 0;
  /// Few bits mix slowly: with 8 rounds the orders of 5 to 8 rows were visibly unequal, from 9 rows on not.
  int rounds_ = kMostRounds;
};

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
  /// kBlocks: the blocks in an order of this epoch; `window` after `window` of them are a window, and the
  /// rows of each window stand in an order of their own. A window of all blocks mixes all rows.
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
  std::int64_t block_at(std::int64_t place) const { return permutation_.at(keys_, 0, place); }
  std::int64_t place_of_position(std::int64_t position) const;
  /// The first position of a place; of places(): the rows.
  std::int64_t position_of_place(std::int64_t place) const;

 private:
  std::int64_t row_in_blocks(std::int64_t position) const;

  std::int64_t rows_;
  Order order_;
  Permutation permutation_;  ///< of rows, or of blocks
  Permutation::Keys keys_{};
  /// Where a short block stands, where the positions behind it begin, and the rows that are missing up to
  /// there.
  struct Short {
    std::int64_t place, behind, missing;
  };
  RowBlocks blocks_{1, 1};
  std::int64_t window_ = 1;
  std::vector<Short> shorts_;  ///< by place
};

}  // namespace nntrain::data

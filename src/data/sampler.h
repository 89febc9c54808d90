#pragma once
// The order of samples in an epoch: a permutation computed per index, O(1) memory, a function of seed, epoch,
// rows and, for blocks, their size and the window alone; never of ranks or of what is in memory. Unbalanced
// Feistel network with cycle walking: Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA
// 2002; its round keys are drawn by Philox. Blocks: Xu et al., "CorgiPile", SIGMOD 2022.

#include <array>
#include <cstdint>

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

/// fit.shuffle = blocks(window): the rows are cut into blocks of `block_rows`, the last may be shorter.
struct BlockOrder {
  std::int64_t block_rows = 1;
  std::int64_t window = 1;  ///< blocks whose rows are mixed with one another
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
  Order order() const { return order_; }

  // kBlocks: what whoever reads ahead needs to know. Places are blocks in the epoch's order.
  std::int64_t places() const { return places_; }
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
  std::int64_t block_rows_ = 1, places_ = 0, window_ = 1;
  std::int64_t short_place_ = 0;  ///< of the last block
  std::int64_t missing_ = 0;      ///< rows that it has less than the others
};

}  // namespace nntrain::data

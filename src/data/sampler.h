#pragma once
// The order of samples in an epoch: a permutation computed per index, O(1) memory, a function of
// (seed, epoch) alone. Unbalanced Feistel network with cycle walking: Black and Rogaway, "Ciphers with
// arbitrary finite domains", CT-RSA 2002; its round keys are drawn by Philox.

#include <array>
#include <cstdint>

namespace nntrain::data {

enum class Order { kFile, kShuffled };

class Sampler {
 public:
  /// A permutation of [0, rows) for this epoch. kFile: the identity.
  Sampler(std::int64_t rows, std::uint64_t seed, std::int64_t epoch, Order order);
  /// The row at position `position` of the epoch; position in [0, rows). About 30 ns.
  std::int64_t row(std::int64_t position) const;
  Order order() const { return order_; }

 private:
  /// Few bits mix slowly: with 8 rounds the orders of 5 to 8 rows were visibly unequal, from 9 rows on not.
  static constexpr int kMostRounds = 16;
  std::uint64_t encrypt(std::uint64_t value) const;

  std::int64_t rows_;
  Order order_;
  int left_bits_ = 0;  ///< the domain is [0, 2^(left + right)), less than twice the rows
  int right_bits_ = 0;
  int rounds_ = kMostRounds;
  std::array<std::uint64_t, kMostRounds> keys_{};
};

}  // namespace nntrain::data

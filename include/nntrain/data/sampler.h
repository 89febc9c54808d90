#pragma once
// The order of samples in an epoch: a permutation computed per index, O(1) memory, a function of
// (seed, epoch) alone. Feistel network with cycle walking: Black and Rogaway, "Ciphers with arbitrary
// finite domains", CT-RSA 2002; round function: Philox.

#include <cstdint>

namespace nntrain::data {

enum class Order { kFile, kShuffled };

class Sampler {
 public:
  /// A permutation of [0, rows) for this epoch. kFile: the identity.
  Sampler(std::int64_t rows, std::uint64_t seed, std::int64_t epoch, Order order);
  /// The row at position `position` of the epoch; position in [0, rows).
  std::int64_t row(std::int64_t position) const;

 private:
  std::uint64_t encrypt(std::uint64_t value) const;

  std::int64_t rows_;
  std::uint64_t seed_;
  std::uint64_t epoch_;
  Order order_;
  int half_bits_ = 1;
};

}  // namespace nntrain::data

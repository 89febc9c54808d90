#pragma once
// A permutation computed per index, in O(1) memory. Unbalanced Feistel network with cycle walking: Black and
// Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002; its round keys are drawn by Philox.

#include <array>
#include <cstdint>
#include <span>

namespace nntrain::data {

/// SplitMix64's finaliser (variant 13 of D. Stafford, "Better bit mixing", 2011): every input bit flips every
/// output bit with probability near 1/2.
std::uint64_t mix_bits(std::uint64_t value);

/// A permutation of [0, size).
class Permutation {
 public:
  static constexpr int kMostRounds = 16;
  using Keys = std::array<std::uint64_t, kMostRounds>;

  explicit Permutation(std::int64_t size);
  /// Those of an epoch.
  static Keys keys_of(std::uint64_t seed, std::int64_t epoch);
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

}  // namespace nntrain::data

#include "data/sampler.h"

#include <bit>

#include "core/random.h"

namespace nntrain::data {

namespace {

/// SplitMix64's finaliser (variant 13 of D. Stafford, "Better bit mixing", 2011): every input bit flips every
/// output bit with probability near 1/2.
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31U);
}

std::uint64_t mask(int bits) { return (std::uint64_t{1} << static_cast<unsigned>(bits)) - 1; }

}  // namespace

Sampler::Sampler(std::int64_t rows, std::uint64_t seed, std::int64_t epoch, Order order)
    : rows_(rows), order_(order) {
  if (rows > 1) {
    const int bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(rows - 1)));
    left_bits_ = bits / 2;
    right_bits_ = bits - left_bits_;
    rounds_ = bits < 8 ? kMostRounds : kMostRounds / 2;
  }
  const RandomStream stream(seed, Purpose::kShuffle, 0);
  for (std::uint32_t round = 0; round < kMostRounds; ++round) {
    const std::array<std::uint32_t, 4> words = stream.block(static_cast<std::uint64_t>(epoch), round);
    keys_[round] = static_cast<std::uint64_t>(words[0]) << 32U | words[1];
  }
}

std::uint64_t Sampler::encrypt(std::uint64_t value) const {
  std::uint64_t left = value >> static_cast<unsigned>(right_bits_);
  std::uint64_t right = value & mask(right_bits_);
  for (std::size_t round = 0; round < static_cast<std::size_t>(rounds_); round += 2) {
    right ^= mix(left + keys_[round]) & mask(right_bits_);
    left ^= mix(right + keys_[round + 1]) & mask(left_bits_);
  }
  return left << static_cast<unsigned>(right_bits_) | right;
}

std::int64_t Sampler::row(std::int64_t position) const {
  if (order_ == Order::kFile || rows_ < 2) return position;
  auto value = static_cast<std::uint64_t>(position);
  do {
    value = encrypt(value);
  } while (value >= static_cast<std::uint64_t>(rows_));
  return static_cast<std::int64_t>(value);
}

}  // namespace nntrain::data

#include "data/permutation.h"

#include <bit>

#include "core/random.h"

namespace nntrain::data {

namespace {

std::uint64_t mask(int bits) { return (std::uint64_t{1} << static_cast<unsigned>(bits)) - 1; }

}  // namespace

std::uint64_t mix_bits(std::uint64_t value) {
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31U);
}

Permutation::Keys Permutation::keys_of(std::uint64_t seed, std::int64_t epoch) {
  Keys keys{};
  const RandomStream stream(seed, Purpose::kShuffle, 0);
  for (std::uint32_t round = 0; round < kMostRounds; ++round) {
    const std::array<std::uint32_t, 4> words = stream.block(static_cast<std::uint64_t>(epoch), round);
    keys[round] = static_cast<std::uint64_t>(words[0]) << 32U | words[1];
  }
  return keys;
}

Permutation::Permutation(std::int64_t size) : size_(size) {
  if (size < 2) return;
  const int bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(size - 1)));
  left_bits_ = bits / 2;
  right_bits_ = bits - left_bits_;
  rounds_ = bits < 8 ? kMostRounds : kMostRounds / 2;
}

std::uint64_t Permutation::encrypt(const Keys& keys, std::uint64_t tweak, std::uint64_t value) const {
  std::uint64_t left = value >> static_cast<unsigned>(right_bits_);
  std::uint64_t right = value & mask(right_bits_);
  for (std::size_t round = 0; round < static_cast<std::size_t>(rounds_); round += 2) {
    right ^= mix_bits(left + keys[round] + tweak) & mask(right_bits_);
    left ^= mix_bits(right + keys[round + 1] + tweak) & mask(left_bits_);
  }
  return left << static_cast<unsigned>(right_bits_) | right;
}

std::uint64_t Permutation::decrypt(const Keys& keys, std::uint64_t tweak, std::uint64_t value) const {
  std::uint64_t left = value >> static_cast<unsigned>(right_bits_);
  std::uint64_t right = value & mask(right_bits_);
  for (auto round = static_cast<std::size_t>(rounds_); round > 0; round -= 2) {
    left ^= mix_bits(right + keys[round - 1] + tweak) & mask(left_bits_);
    right ^= mix_bits(left + keys[round - 2] + tweak) & mask(right_bits_);
  }
  return left << static_cast<unsigned>(right_bits_) | right;
}

std::int64_t Permutation::at(const Keys& keys, std::uint64_t tweak, std::int64_t index) const {
  if (size_ < 2) return index;
  auto value = static_cast<std::uint64_t>(index);
  do {
    value = encrypt(keys, tweak, value);
  } while (value >= static_cast<std::uint64_t>(size_));
  return static_cast<std::int64_t>(value);
}

void Permutation::at(const Keys& keys, std::uint64_t tweak, std::int64_t first,
                     std::span<std::int64_t> values) const {
  constexpr std::size_t kTogether = 8;
  std::size_t i = 0;
  for (; size_ >= 2 && i + kTogether <= values.size(); i += kTogether) {
    std::array<std::uint64_t, kTogether> left, right;
    for (std::size_t q = 0; q < kTogether; ++q) {
      const std::uint64_t index = static_cast<std::uint64_t>(first) + i + q;
      left[q] = index >> static_cast<unsigned>(right_bits_);
      right[q] = index & mask(right_bits_);
    }
    for (std::size_t round = 0; round < static_cast<std::size_t>(rounds_); round += 2) {
      for (std::size_t q = 0; q < kTogether; ++q)
        right[q] ^= mix_bits(left[q] + keys[round] + tweak) & mask(right_bits_);
      for (std::size_t q = 0; q < kTogether; ++q)
        left[q] ^= mix_bits(right[q] + keys[round + 1] + tweak) & mask(left_bits_);
    }
    for (std::size_t q = 0; q < kTogether; ++q) {
      const std::uint64_t value = left[q] << static_cast<unsigned>(right_bits_) | right[q];
      const auto index = static_cast<std::int64_t>(value);  // outside: the walk goes on from here
      values[i + q] = value < static_cast<std::uint64_t>(size_) ? index : at(keys, tweak, index);
    }
  }
  for (; i < values.size(); ++i) values[i] = at(keys, tweak, first + static_cast<std::int64_t>(i));
}

std::int64_t Permutation::place_of(const Keys& keys, std::uint64_t tweak, std::int64_t value) const {
  if (size_ < 2) return value;
  auto place = static_cast<std::uint64_t>(value);
  do {
    place = decrypt(keys, tweak, place);
  } while (place >= static_cast<std::uint64_t>(size_));
  return static_cast<std::int64_t>(place);
}

}  // namespace nntrain::data

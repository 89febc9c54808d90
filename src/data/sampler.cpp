#include "data/sampler.h"

#include <algorithm>
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

Permutation::Keys keys_of(std::uint64_t seed, std::int64_t epoch) {
  Permutation::Keys keys{};
  const RandomStream stream(seed, Purpose::kShuffle, 0);
  for (std::uint32_t round = 0; round < Permutation::kMostRounds; ++round) {
    const std::array<std::uint32_t, 4> words = stream.block(static_cast<std::uint64_t>(epoch), round);
    keys[round] = static_cast<std::uint64_t>(words[0]) << 32U | words[1];
  }
  return keys;
}

/// Of the rows in a window; 0 is the blocks' own.
std::uint64_t tweak_of(std::int64_t window) { return mix(static_cast<std::uint64_t>(window) + 1); }

}  // namespace

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
    right ^= mix(left + keys[round] + tweak) & mask(right_bits_);
    left ^= mix(right + keys[round + 1] + tweak) & mask(left_bits_);
  }
  return left << static_cast<unsigned>(right_bits_) | right;
}

std::uint64_t Permutation::decrypt(const Keys& keys, std::uint64_t tweak, std::uint64_t value) const {
  std::uint64_t left = value >> static_cast<unsigned>(right_bits_);
  std::uint64_t right = value & mask(right_bits_);
  for (auto round = static_cast<std::size_t>(rounds_); round > 0; round -= 2) {
    left ^= mix(right + keys[round - 1] + tweak) & mask(left_bits_);
    right ^= mix(left + keys[round - 2] + tweak) & mask(right_bits_);
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
        right[q] ^= mix(left[q] + keys[round] + tweak) & mask(right_bits_);
      for (std::size_t q = 0; q < kTogether; ++q)
        left[q] ^= mix(right[q] + keys[round + 1] + tweak) & mask(left_bits_);
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

Sampler::Sampler(std::int64_t rows, std::uint64_t seed, std::int64_t epoch, Order order)
    : rows_(rows), order_(order), permutation_(rows), keys_(keys_of(seed, epoch)) {}

Sampler::Sampler(std::int64_t rows, std::uint64_t seed, std::int64_t epoch, const BlockOrder& blocks)
    : rows_(rows),
      order_(Order::kBlocks),
      permutation_(RowBlocks(rows, blocks.block_rows, blocks.cuts).count()),
      keys_(keys_of(seed, epoch)),
      blocks_(rows, blocks.block_rows, blocks.cuts),
      window_(std::min(blocks.window, blocks_.count())) {
  for (const std::int64_t block : blocks_.short_blocks())
    shorts_.push_back(
        {permutation_.place_of(keys_, 0, block), 0, blocks_.block_rows() - blocks_.rows_of(block)});
  std::sort(shorts_.begin(), shorts_.end(), [](const Short& a, const Short& b) { return a.place < b.place; });
  std::int64_t missing = 0;
  for (Short& block : shorts_) {
    missing = block.missing += missing;
    block.behind = (block.place + 1) * blocks_.block_rows() - missing;
  }
}

std::int64_t Sampler::position_of_place(std::int64_t place) const {
  const auto after = std::lower_bound(shorts_.begin(), shorts_.end(), place,
                                      [](const Short& block, std::int64_t p) { return block.place < p; });
  return place * blocks_.block_rows() - (after == shorts_.begin() ? 0 : (after - 1)->missing);
}

std::int64_t Sampler::place_of_position(std::int64_t position) const {
  const auto after = std::upper_bound(shorts_.begin(), shorts_.end(), position,
                                      [](std::int64_t p, const Short& block) { return p < block.behind; });
  return (position + (after == shorts_.begin() ? 0 : (after - 1)->missing)) / blocks_.block_rows();
}

std::int64_t Sampler::mixed(std::int64_t position) const {
  const std::int64_t window = place_of_position(position) / window_;
  const std::int64_t begin = position_of_place(window * window_);
  const std::int64_t end = position_of_place(std::min((window + 1) * window_, places()));
  return begin + Permutation(end - begin).at(keys_, tweak_of(window), position - begin);
}

std::int64_t Sampler::row_in_blocks(std::int64_t position) const {
  const std::int64_t at = mixed(position), place = place_of_position(at);
  return blocks_.begin(block_at(place)) + at - position_of_place(place);
}

std::int64_t Sampler::row(std::int64_t position) const {
  if (order_ == Order::kShuffled) return permutation_.at(keys_, 0, position);
  return order_ == Order::kFile ? position : row_in_blocks(position);
}

void Sampler::rows(std::int64_t position, std::span<std::int64_t> rows) const {
  if (order_ == Order::kShuffled) return permutation_.at(keys_, 0, position, rows);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = row(position + static_cast<std::int64_t>(i));
}

}  // namespace nntrain::data

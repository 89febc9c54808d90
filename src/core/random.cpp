#include "core/random.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "core/elementary.h"

namespace nntrain {

namespace {

// Multipliers and Weyl constants of Philox4x32 (Salmon et al. 2011, table 2).
constexpr std::uint32_t kMultiplier0 = 0xD2511F53;
constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85;

std::uint32_t high(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32U); }
std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

/// ln((a + 1) / 2^32), by 2 atanh((m - 1) / (m + 1)) of the mantissa m, between sqrt(1/2) and sqrt(2).
/// Relative error about 2e-16; arithmetic that the compiler makes vectors of.
inline double log_of_word(std::uint32_t a) {
  constexpr std::uint64_t kMantissa = (1ULL << 52U) - 1, kOne = 0x3ffULL << 52U, kWhole = 0x433ULL << 52U;
  const double number = static_cast<double>(static_cast<std::int32_t>(a ^ 0x80000000U)) + 2147483649.0;
  const auto bits = std::bit_cast<std::uint64_t>(number);
  const double whole = std::bit_cast<double>(kWhole | (bits >> 52U)) - std::bit_cast<double>(kWhole);
  const double mantissa = std::bit_cast<double>((bits & kMantissa) | kOne);
  const bool high = mantissa > std::numbers::sqrt2;
  const double m = high ? mantissa * 0.5 : mantissa;
  const double exponent = whole - (high ? 1054.0 : 1055.0);
  const double s = (m - 1.0) / (m + 1.0), w = s * s;
  double p = 1.0 / 21.0;
  p = p * w + 1.0 / 19.0;
  p = p * w + 1.0 / 17.0;
  p = p * w + 1.0 / 15.0;
  p = p * w + 1.0 / 13.0;
  p = p * w + 1.0 / 11.0;
  p = p * w + 1.0 / 9.0;
  p = p * w + 1.0 / 7.0;
  p = p * w + 1.0 / 5.0;
  p = p * w + 1.0 / 3.0;
  return exponent * std::numbers::ln2 + 2.0 * (s + s * (w * p));
}

struct CosineSine {
  double cosine, sine;
};

/// Of b / 2^32 turns: exactly reduced to an eighth of a turn, then Taylor's series.
inline CosineSine turn_of_word(std::uint32_t b) {
  const std::uint32_t quarter = (b + (1U << 29U)) >> 30U;
  const auto rest = static_cast<std::int32_t>(b - (quarter << 30U));
  const double x = static_cast<double>(rest) * (2.0 * std::numbers::pi * 0x1.0p-32);
  const double sine = elementary::detail::small_sine(x), cosine = elementary::detail::small_cosine(x);
  const bool swapped = (quarter & 1U) != 0;
  const double across = swapped ? sine : cosine, up = swapped ? cosine : sine;
  const bool left = ((quarter + 1U) & 2U) != 0, below = (quarter & 2U) != 0;
  return {left ? -across : across, below ? -up : up};
}

/// Two independent standard normals of two words.
inline CosineSine normal_pair(std::uint32_t a, std::uint32_t b) {
  const double radius = std::sqrt(-2.0 * log_of_word(a));
  const CosineSine turn = turn_of_word(b);
  return {radius * turn.cosine, radius * turn.sine};
}

/// Blocks that are made side by side.
constexpr std::size_t kLanes = 32;
using Lanes = std::array<std::uint32_t, kLanes>;

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = static_cast<std::uint64_t>(kMultiplier0) * counter[0];
    const std::uint64_t product1 = static_cast<std::uint64_t>(kMultiplier1) * counter[2];
    counter = {high(product1) ^ counter[1] ^ key[0], low(product1), high(product0) ^ counter[3] ^ key[1],
               low(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

RandomStream::RandomStream(std::uint64_t seed, Purpose purpose, std::uint32_t index)
    : key_{low(seed), high(seed)}, tag_((static_cast<std::uint32_t>(purpose) << 24U) ^ index) {}

std::array<std::uint32_t, 4> RandomStream::block(std::uint64_t major, std::uint32_t block) const {
  return philox4x32({block, low(major), high(major), tag_}, key_);
}

float RandomStream::uniform(std::uint64_t major, std::uint64_t element) const {
  return to_uniform(block(major, static_cast<std::uint32_t>(element >> 2U))[element & 3U]);
}

double RandomStream::normal(std::uint64_t major, std::uint64_t element) const {
  const auto words = block(major, static_cast<std::uint32_t>(element >> 2U));
  const std::size_t pair = element & 2U;
  const CosineSine both = normal_pair(words[pair], words[pair + 1]);
  return (element & 1U) != 0 ? both.sine : both.cosine;
}

void RandomStream::words(std::uint64_t major, std::uint64_t first, std::span<std::uint32_t> values) const {
  Lanes c0, c1, c2, c3;
  for (std::size_t done = 0; done < values.size(); done += 4 * kLanes) {
    for (std::size_t i = 0; i < kLanes; ++i) {
      c0[i] = static_cast<std::uint32_t>((first + done) / 4 + i);
      c1[i] = low(major);
      c2[i] = high(major);
      c3[i] = tag_;
    }
    std::array<std::uint32_t, 2> key = key_;
    for (int round = 0; round < 10; ++round) {
      for (std::size_t i = 0; i < kLanes; ++i) {
        const std::uint64_t product0 = static_cast<std::uint64_t>(kMultiplier0) * c0[i];
        const std::uint64_t product1 = static_cast<std::uint64_t>(kMultiplier1) * c2[i];
        c0[i] = high(product1) ^ c1[i] ^ key[0];
        c2[i] = high(product0) ^ c3[i] ^ key[1];
        c1[i] = low(product1);
        c3[i] = low(product0);
      }
      key[0] += kWeyl0;
      key[1] += kWeyl1;
    }
    const std::size_t count = std::min(4 * kLanes, values.size() - done);
    for (std::size_t i = 0; i < count; ++i) {
      const Lanes& word = i % 4 == 0 ? c0 : i % 4 == 1 ? c1 : i % 4 == 2 ? c2 : c3;
      values[done + i] = word[i / 4];
    }
  }
}

void RandomStream::normals(std::uint64_t major, std::span<double> values) const {
  constexpr std::size_t kAtOnce = 256;
  std::array<std::uint32_t, kAtOnce> words_now;
  std::array<double, kAtOnce / 2> cosines, sines;
  for (std::size_t done = 0; done < values.size(); done += kAtOnce) {
    words(major, done, words_now);
    for (std::size_t i = 0; i < kAtOnce / 2; ++i) {
      const CosineSine both = normal_pair(words_now[2 * i], words_now[2 * i + 1]);
      cosines[i] = both.cosine;
      sines[i] = both.sine;
    }
    const std::size_t count = std::min(kAtOnce, values.size() - done);
    for (std::size_t i = 0; i < count; ++i) values[done + i] = i % 2 == 0 ? cosines[i / 2] : sines[i / 2];
  }
}

double RandomStream::truncated_normal(std::uint64_t major, std::uint64_t element) const {
  double value = 0;
  for (std::uint64_t attempt = 0; attempt < 64; ++attempt) {
    value = normal(major * 64 + attempt, element);
    if (std::abs(value) <= 2.0) return value;
  }
  return 0.0;  // 64 misses in a row: probability 10^-86
}

}  // namespace nntrain

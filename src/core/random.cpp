#include "core/random.h"

#include <cmath>
#include <numbers>

namespace nntrain {

namespace {

// Multipliers and Weyl constants of Philox4x32 (Salmon et al. 2011, table 2).
constexpr std::uint32_t kMultiplier0 = 0xD2511F53;
constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85;

std::uint32_t high(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32U); }
std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

double normal_pair(std::uint32_t a, std::uint32_t b, bool sine) {
  const double u = (static_cast<double>(a) + 1.0) * 0x1.0p-32;  // (0, 1]
  const double angle = 2.0 * std::numbers::pi * static_cast<double>(b) * 0x1.0p-32;
  return std::sqrt(-2.0 * std::log(u)) * (sine ? std::sin(angle) : std::cos(angle));
}

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
  return normal_pair(words[pair], words[pair + 1], (element & 1U) != 0);
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

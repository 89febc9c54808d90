#include "core/hash.h"

#include <array>
#include <cstring>

namespace nntrain {

namespace {

constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15ULL;  // 2^64 / golden ratio
constexpr std::size_t kLanes = 8, kStride = kLanes * sizeof(std::uint64_t);

/// SplitMix64's finaliser (variant 13 of D. Stafford, "Better bit mixing", 2011).
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31U);
}

/// A bijection of the lane for each word, and of the word for each lane: two arrays that differ in one word
/// differ at the end.
void absorb(std::array<std::uint64_t, kLanes>& lanes, const std::byte* bytes) {
  std::array<std::uint64_t, kLanes> words;
  std::memcpy(words.data(), bytes, kStride);
  for (std::size_t i = 0; i < kLanes; ++i) {
    lanes[i] = (lanes[i] ^ words[i]) * kOdd;
    lanes[i] ^= lanes[i] >> 29U;
  }
}

}  // namespace

std::uint64_t hash_bytes(std::span<const std::byte> bytes, std::uint64_t seed) {
  std::array<std::uint64_t, kLanes> lanes;
  for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = mix(seed + i * kOdd);
  const std::size_t length = bytes.size();
  while (bytes.size() >= kStride) {
    absorb(lanes, bytes.data());
    bytes = bytes.subspan(kStride);
  }
  std::array<std::byte, kStride> rest{};
  if (!bytes.empty()) std::memcpy(rest.data(), bytes.data(), bytes.size());
  absorb(lanes, rest.data());
  std::uint64_t hash = length;
  for (const std::uint64_t lane : lanes) hash = mix(hash ^ lane) + kOdd;
  return mix(hash);
}

}  // namespace nntrain

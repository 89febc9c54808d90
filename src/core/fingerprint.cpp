#include "core/fingerprint.h"

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <utility>

namespace nntrain {

namespace {

static_assert(std::endian::native == std::endian::little, "both hashes read little-endian words");

constexpr std::uint64_t kFarm0 = 0xc3a5c85c97cb3127, kFarm1 = 0xb492b66fbe98f273, kFarm2 = 0x9ae16a3b2f90404f;

template <class Word>
std::uint64_t word_at(std::string_view text, std::size_t at) {
  Word word{};
  std::memcpy(&word, text.data() + at, sizeof word);
  return word;
}

std::uint64_t mixed(std::uint64_t u, std::uint64_t v, std::uint64_t factor) {
  std::uint64_t a = (u ^ v) * factor;
  a ^= a >> 47U;
  std::uint64_t b = (v ^ a) * factor;
  b ^= b >> 47U;
  return b * factor;
}

std::uint64_t up_to_16(std::string_view text) {
  const std::size_t size = text.size();
  const std::uint64_t factor = kFarm2 + size * 2;
  if (size >= 8) {
    const std::uint64_t a = word_at<std::uint64_t>(text, 0) + kFarm2;
    const std::uint64_t b = word_at<std::uint64_t>(text, size - 8);
    return mixed(std::rotr(b, 37) * factor + a, (std::rotr(a, 25) + b) * factor, factor);
  }
  if (size >= 4) {
    return mixed(size + (word_at<std::uint32_t>(text, 0) << 3U), word_at<std::uint32_t>(text, size - 4),
                 factor);
  }
  if (size == 0) return kFarm2;
  const auto byte = [&](std::size_t at) {
    return static_cast<std::uint32_t>(word_at<std::uint8_t>(text, at));
  };
  const std::uint32_t y = byte(0) + (byte(size >> 1U) << 8U);
  const std::uint32_t z = static_cast<std::uint32_t>(size) + (byte(size - 1) << 2U);
  const std::uint64_t both = y * kFarm2 ^ z * kFarm0;
  return (both ^ (both >> 47U)) * kFarm2;
}

std::uint64_t from_17_to_32(std::string_view text) {
  const std::size_t size = text.size();
  const std::uint64_t factor = kFarm2 + size * 2;
  const std::uint64_t a = word_at<std::uint64_t>(text, 0) * kFarm1, b = word_at<std::uint64_t>(text, 8);
  const std::uint64_t c = word_at<std::uint64_t>(text, size - 8) * factor;
  const std::uint64_t d = word_at<std::uint64_t>(text, size - 16) * kFarm2;
  return mixed(std::rotr(a + b, 43) + std::rotr(c, 30) + d, a + std::rotr(b + kFarm2, 18) + c, factor);
}

std::uint64_t from_33_to_64(std::string_view text) {
  const std::size_t size = text.size();
  const auto word = [&](std::size_t at) { return word_at<std::uint64_t>(text, at); };
  const std::uint64_t factor = kFarm2 + size * 2;
  const std::uint64_t a = word(0) * kFarm2, b = word(8);
  const std::uint64_t c = word(size - 8) * factor, d = word(size - 16) * kFarm2;
  const std::uint64_t y = std::rotr(a + b, 43) + std::rotr(c, 30) + d;
  const std::uint64_t z = mixed(y, a + std::rotr(b + kFarm2, 18) + c, factor);
  const std::uint64_t e = word(16) * factor, f = word(24);
  const std::uint64_t g = (y + word(size - 32)) * factor, h = (z + word(size - 24)) * factor;
  return mixed(std::rotr(e + f, 43) + std::rotr(g, 30) + h, e + std::rotr(f + a, 18) + g, factor);
}

using Pair = std::pair<std::uint64_t, std::uint64_t>;

/// Of the 32 bytes from `at`.
Pair weak_pair(std::string_view text, std::size_t at, std::uint64_t a, std::uint64_t b) {
  const auto word = [&](std::size_t i) { return word_at<std::uint64_t>(text, at + 8 * i); };
  a += word(0);
  b = std::rotr(b + a + word(3), 21);
  const std::uint64_t before = a;
  a += word(1) + word(2);
  b += std::rotr(a, 44);
  return {a + word(3), b + before};
}

struct LongState {
  std::uint64_t x, y, z;
  Pair v, w;
  /// Takes the 64 bytes from `at`; `last`: as farmhash's last block, which may overlap the one before.
  void take(std::string_view text, std::size_t at, std::uint64_t factor, bool last) {
    const auto word = [&](std::size_t i) { return word_at<std::uint64_t>(text, at + i); };
    x = std::rotr(x + y + v.first + word(8), 37) * factor;
    y = std::rotr(y + v.second + word(48), 42) * factor;
    x ^= w.second * (last ? 9 : 1);
    y += v.first * (last ? 9 : 1) + word(40);
    z = std::rotr(z + w.first, 33) * factor;
    v = weak_pair(text, at, v.second * factor, x + w.first);
    w = weak_pair(text, at + 32, z + w.second, y + word(16));
    std::swap(z, x);
  }
};

std::uint64_t from_65(std::string_view text) {
  constexpr std::uint64_t kSeed = 81;
  const auto shift_mixed = [](std::uint64_t value) { return value ^ (value >> 47U); };
  const std::uint64_t y = kSeed * kFarm1 + 113;
  LongState state{
      kSeed * kFarm2 + word_at<std::uint64_t>(text, 0), y, shift_mixed(y * kFarm2 + 113) * kFarm2, {}, {}};
  const std::size_t blocks = (text.size() - 1) / 64, rest = (text.size() - 1) % 64;
  for (std::size_t i = 0; i < blocks; ++i) state.take(text, 64 * i, kFarm1, false);
  const std::uint64_t factor = kFarm1 + ((state.z & 0xffU) << 1U);
  state.w.first += rest;
  state.v.first += state.w.first;
  state.w.first += state.v.first;
  state.take(text, text.size() - 64, factor, true);
  return mixed(mixed(state.v.first, state.w.first, factor) + shift_mixed(state.y) * kFarm0 + state.z,
               mixed(state.v.second, state.w.second, factor) + state.x, factor);
}

class Digits {
 public:
  explicit Digits(std::int64_t number)
      : end_(std::to_chars(text_.data(), text_.data() + text_.size(), number).ptr) {}
  std::string_view text() const { return {text_.data(), static_cast<std::size_t>(end_ - text_.data())}; }

 private:
  std::array<char, 24> text_{};
  const char* end_;
};

struct SipState {
  std::uint64_t v0, v1, v2, v3;
  void round() {
    v0 += v1, v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0, v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1, v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2, v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }
  void take(std::uint64_t word) {
    v3 ^= word;
    round(), round();
    v0 ^= word;
  }
};

}  // namespace

std::uint64_t farm_fingerprint(std::string_view text) {
  if (text.size() <= 16) return up_to_16(text);
  if (text.size() <= 32) return from_17_to_32(text);
  return text.size() <= 64 ? from_33_to_64(text) : from_65(text);
}

std::uint64_t sip_hash(const std::array<std::uint64_t, 2>& key, std::string_view text) {
  SipState state{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
                 key[1] ^ 0x7465646279746573};
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) state.take(word_at<std::uint64_t>(text, at));
  std::uint64_t last = static_cast<std::uint64_t>(text.size()) << 56U;
  for (std::size_t i = 0; at + i < text.size(); ++i) last |= word_at<std::uint8_t>(text, at + i) << (8 * i);
  state.take(last);
  state.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

std::uint64_t farm_fingerprint(std::int64_t number) { return farm_fingerprint(Digits(number).text()); }

std::uint64_t sip_hash(const std::array<std::uint64_t, 2>& key, std::int64_t number) {
  return sip_hash(key, Digits(number).text());
}

}  // namespace nntrain

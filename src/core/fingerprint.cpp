#include "core/fingerprint.h"

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstring>

#include "core/error.h"

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
  if (text.size() > 32) throw RuntimeError("internal: farm_fingerprint of more than 32 bytes");
  return text.size() <= 16 ? up_to_16(text) : from_17_to_32(text);
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

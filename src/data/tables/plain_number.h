#pragma once
// Private to src/data: the numbers that most cells hold, read at speed and with the same bits as from_chars.

#include <array>
#include <bit>
#include <cstdint>

namespace nntrain::data {

/// Reads `-12.345` from `at`, up to `end` or a character that does not belong to it; digits and a point
/// alone. False, with `at` untouched: something else stands there, or a number that this cannot round
/// rightly. Clinger 1990: a quotient of two numbers that float64 holds exactly is right to the last bit; its
/// rounding to float32 is right, too, unless it lies exactly between two of those. `exact`: that number.
inline bool read_plain_number(const char*& at, const char* end, float& value, double& exact) {
  static constexpr std::array<double, 20> kPowers = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,
                                                     1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
                                                     1e14, 1e15, 1e16, 1e17, 1e18, 1e19};
  constexpr std::ptrdiff_t kMostDigits = 18;
  const char* p = at;
  const bool negative = p < end && *p == '-';
  p += negative;
  std::uint64_t digits = 0;
  const char* const first = p;
  for (; p < end && static_cast<unsigned char>(*p - '0') < 10; ++p)
    digits = digits * 10 + static_cast<unsigned char>(*p - '0');
  std::ptrdiff_t count = p - first, decimals = 0;
  if (p < end && *p == '.') {
    const char* const point = ++p;
    for (; p < end && static_cast<unsigned char>(*p - '0') < 10; ++p)
      digits = digits * 10 + static_cast<unsigned char>(*p - '0');
    decimals = p - point;
    count += decimals;
  }
  if (count == 0 || count > kMostDigits || digits > (std::uint64_t{1} << 53U)) return false;
  exact = static_cast<double>(digits) / kPowers[static_cast<std::size_t>(decimals)];
  constexpr std::uint64_t kBelowFloat = (std::uint64_t{1} << 29U) - 1, kBetween = std::uint64_t{1} << 28U;
  if ((std::bit_cast<std::uint64_t>(exact) & kBelowFloat) == kBetween) return false;
  exact = negative ? -exact : exact;
  value = static_cast<float>(exact);
  at = p;
  return true;
}
inline bool read_plain_number(const char*& at, const char* end, float& value) {
  double exact = 0;
  return read_plain_number(at, end, value, exact);
}

}  // namespace nntrain::data

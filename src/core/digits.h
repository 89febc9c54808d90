#pragma once
// How a number was written: what a program prints has more digits than what a person types.

#include <cstddef>
#include <string_view>

namespace nntrain {

/// Nobody types as many.
constexpr std::size_t kLongDigits = 8;

/// Of "-0.00123e4": 3. Zeros before the first other digit do not count; a whole number, which may be a price,
/// a date or a count, has none that tell.
constexpr std::size_t significant_digits(std::string_view number) {
  if (number.find_first_of(".e") == std::string_view::npos) return 0;
  std::size_t digits = 0;
  for (const char c : number.substr(0, number.find('e'))) {
    if (c >= '0' && c <= '9' && (digits > 0 || c != '0')) ++digits;
  }
  return digits;
}

}  // namespace nntrain

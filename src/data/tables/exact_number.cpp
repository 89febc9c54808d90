#include "data/tables/exact_number.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace nntrain::data {

double exact_number(std::string_view field, const NumberFormat& format) {
  std::string text;
  for (const char c : field) {
    const bool mark = c == format.thousands || static_cast<unsigned char>(c) >= 128;  // a hard blank
    if (!mark) text += c == format.decimal ? '.' : c;
  }
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  double value = 0;
  std::from_chars(begin, text.data() + text.size(), value);
  return value;
}

bool loses_whole_number(std::string_view field, const NumberFormat& format) {
  constexpr std::ptrdiff_t kDigitsOfDouble = 15;
  const double value = exact_number(field, format);
  if (!(std::abs(value) >= 16777216.0) || value != std::floor(value)) return false;
  const auto digits = std::count_if(field.begin(), field.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits > kDigitsOfDouble || static_cast<double>(static_cast<float>(value)) != value;
}

void CollapseWatch::keep(double exact) {
  if (collapsed_ == 0) {
    one_ = last_;
    other_ = exact;
  }
  ++collapsed_;
}

std::string CollapseWatch::text() const {
  return fmt::format("{} and {} are both {} ({} of {} steps from row to row)", one_, other_,
                     static_cast<double>(static_cast<float>(one_)), collapsed_, steps_);
}

}  // namespace nntrain::data

#pragma once
// Private to src/data: Python's slices without a step, for rows and for columns.

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "data/array_source.h"

namespace nntrain::data {

inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

inline std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

struct PythonSlice {
  std::optional<std::int64_t> begin;
  std::optional<std::int64_t> end;

  /// Out-of-range bounds are clipped, negative ones count from the end; never end < begin.
  RowRange range(std::int64_t length) const {
    const auto clip = [&](std::int64_t bound) {
      return std::clamp<std::int64_t>(bound < 0 ? bound + length : bound, 0, length);
    };
    const std::int64_t first = clip(begin.value_or(0));
    return {first, std::max(first, clip(end.value_or(length)))};
  }
};

/// "a:b" with either bound left out; nothing for other text.
inline std::optional<PythonSlice> parse_python_slice(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  PythonSlice slice;
  const std::string_view first = trimmed(text.substr(0, colon));
  const std::string_view second = trimmed(text.substr(colon + 1));
  if (!first.empty() && !(slice.begin = parse_integer(first))) return std::nullopt;
  if (!second.empty() && !(slice.end = parse_integer(second))) return std::nullopt;
  return slice;
}

}  // namespace nntrain::data

#include "data/raw_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/error.h"

namespace nntrain::data {

namespace {

constexpr std::size_t kBlockNumbers = std::size_t{1} << 17;

/// IEEE 754 binary16, as NumPy's float16; kept apart so that the arithmetic types below stay standard C++.
struct Half {
  std::uint16_t bits;
};

float to_float(Half half) {
  const int exponent = (half.bits >> 10) & 31;
  const int fraction = half.bits & 1023;
  float value = 0;
  if (exponent == 31) {
    value = fraction == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<float>(fraction), -24);
  } else {
    value = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  }
  return (half.bits & 0x8000) != 0 ? -value : value;
}

template <class T>
float to_float(T value) {
  return static_cast<float>(value);
}

template <class T>
T number_at(const std::byte* raw, std::size_t i, bool swap) {
  std::byte bytes[sizeof(T)];
  std::memcpy(bytes, raw + i * sizeof(T), sizeof(T));
  if (swap) std::reverse(bytes, bytes + sizeof(T));
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

template <class T>
void convert(const std::byte* raw, std::size_t count, bool swap, float* out) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = to_float(number_at<T>(raw, i, swap));
  }
}

template <class T>
std::string rounded(const std::byte* raw, std::size_t count, bool swap) {
  for (std::size_t i = 0; i < count; ++i) {
    const T value = number_at<T>(raw, i, swap);
    const auto single = static_cast<float>(value);
    // Decimals are rounded in float64 already; a whole number is meant as it stands.
    const bool whole =
        std::isfinite(single) && std::floor(static_cast<double>(value)) == static_cast<double>(value);
    // long double holds every one of 64 bits.
    if (whole && static_cast<long double>(single) != static_cast<long double>(value))
      return fmt::format("{:.0f} becomes {:.0f}", static_cast<long double>(value), single);
  }
  return {};
}

using Convert = void (*)(const std::byte*, std::size_t, bool, float*);

Convert converter(const RawType& type) {
  switch (type.kind) {
    case RawKind::kFloat:
      if (type.bytes == 2) return convert<Half>;
      return type.bytes == 4 ? convert<float> : convert<double>;
    case RawKind::kSigned:
      if (type.bytes == 1) return convert<std::int8_t>;
      if (type.bytes == 2) return convert<std::int16_t>;
      return type.bytes == 4 ? convert<std::int32_t> : convert<std::int64_t>;
    case RawKind::kUnsigned:
      break;
  }
  if (type.bytes == 2) return convert<std::uint16_t>;
  return type.bytes == 4 ? convert<std::uint32_t> : convert<std::uint64_t>;
}

}  // namespace

std::string first_rounded(const RawType& type, std::span<const std::byte> raw) {
  const bool swap = type.order != std::endian::native;
  const std::size_t count = raw.size() / type.bytes;
  if (type.kind == RawKind::kFloat) return type.bytes == 8 ? rounded<double>(raw.data(), count, swap) : "";
  const bool is_signed = type.kind == RawKind::kSigned;
  if (type.bytes == 4)
    return (is_signed ? rounded<std::int32_t> : rounded<std::uint32_t>)(raw.data(), count, swap);
  if (type.bytes == 8)
    return (is_signed ? rounded<std::int64_t> : rounded<std::uint64_t>)(raw.data(), count, swap);
  return {};
}

void read_numbers(io::InputFile& file, const RawType& type, std::span<std::byte> memory) {
  const bool native_float =
      type.kind == RawKind::kFloat && type.bytes == 4 && type.order == std::endian::native;
  if (type.element() == Element::kUint8 || native_float) {
    file.read_exactly(memory, "the samples");
    return;
  }
  const Convert converts = converter(type);
  const bool swap = type.bytes > 1 && type.order != std::endian::native;
  auto* out = reinterpret_cast<float*>(memory.data());
  std::size_t left = memory.size() / sizeof(float);
  std::vector<std::byte> raw(std::min(left, kBlockNumbers) * type.bytes);
  while (left > 0) {
    const std::size_t count = std::min(left, kBlockNumbers);
    file.read_exactly(std::span(raw).first(count * type.bytes), "the samples");
    converts(raw.data(), count, swap, out);
    out += count;
    left -= count;
  }
}

}  // namespace nntrain::data

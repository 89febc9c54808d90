#include "io/hdf5_bit_filters.h"

#include <hdf5.h>

namespace nntrain::io::detail {

namespace {

static_assert(kNbit == H5Z_FILTER_NBIT && kScaleOffset == H5Z_FILTER_SCALEOFFSET);

/// `elements` of `bits` each, packed one behind the other.
std::uint64_t packed_bytes(std::uint64_t elements, std::uint64_t bits) { return (elements * bits + 7) / 8; }

/// Of the chunk: 4 bytes with the bits of an element, 1 with the size of the smallest value, 16 for it.
std::optional<std::uint64_t> scale_offset(std::span<const unsigned> values,
                                          std::span<const unsigned char> packed, std::uint64_t bytes) {
  constexpr std::size_t kValues = 20, kElements = 2, kSize = 4, kHeader = 21;
  if (values.size() != kValues || packed.size() < kHeader) return std::nullopt;
  const std::uint64_t elements = values[kElements], size = values[kSize];
  std::uint64_t bits = 0;
  for (std::size_t i = 4; i-- > 0;) bits = bits << 8 | packed[i];
  if (elements * size != bytes || bits > 8 * size) return std::nullopt;
  return kHeader + packed_bytes(elements, bits);
}

/// Of numbers: values are their count, "is not packed", elements, class, size, byte order, bits, first bit.
std::optional<std::uint64_t> nbit(std::span<const unsigned> values, std::uint64_t bytes) {
  constexpr std::size_t kPlain = 1, kElements = 2, kClass = 3, kSize = 4, kBits = 6, kFirstBit = 7;
  constexpr unsigned kNumber = 1;
  if (values.size() <= kPlain) return std::nullopt;
  if (values[kPlain] != 0) return bytes;
  if (values.size() <= kFirstBit || values[kClass] != kNumber) return std::nullopt;
  const std::uint64_t elements = values[kElements], size = values[kSize], bits = values[kBits];
  if (elements * size != bytes || bits == 0 || bits + values[kFirstBit] > 8 * size) return std::nullopt;
  return packed_bytes(elements, bits);
}

}  // namespace

std::optional<std::uint64_t> bytes_of_bits(int filter, std::span<const unsigned> values,
                                           std::span<const unsigned char> packed, std::uint64_t bytes) {
  return filter == kNbit ? nbit(values, bytes) : scale_offset(values, packed, bytes);
}

}  // namespace nntrain::io::detail

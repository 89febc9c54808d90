#include <algorithm>
#include <array>
#include <cstring>

#include "data/batch.h"

namespace nntrain::data {

namespace {

constexpr std::int64_t kBlockRows = 16;
constexpr std::int64_t kCacheLineBytes = 64;

/// Rows of a few values are copied in pieces of 8, the last of which may overlap the one before: calling
/// memcpy takes longer than they do.
void copy_floats(const float* from, std::int64_t values, float* to) {
  constexpr std::int64_t kPiece = 8, kFew = 64;
  constexpr std::size_t kBytes = kPiece * sizeof(float);
  if (values > kFew) {
    std::memcpy(to, from, static_cast<std::size_t>(values) * sizeof(float));
  } else if (values >= kPiece) {
    for (std::int64_t i = 0; i + kPiece < values; i += kPiece) std::memcpy(to + i, from + i, kBytes);
    std::memcpy(to + values - kPiece, from + values - kPiece, kBytes);
  } else {
    for (std::int64_t i = 0; i < values; ++i) std::memcpy(to + i, from + i, sizeof(float));
  }
}

}  // namespace

void copy_scaled(const std::byte* memory, Element element, std::int64_t values, float scale, float* out) {
  if (element == Element::kUint8) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(memory);
    for (std::int64_t i = 0; i < values; ++i) out[i] = static_cast<float>(static_cast<int>(bytes[i])) * scale;
  } else if (scale == 1.0F) {
    copy_floats(reinterpret_cast<const float*>(memory), values, out);
  } else {
    const auto* floats = reinterpret_cast<const float*>(memory);
    for (std::int64_t i = 0; i < values; ++i) out[i] = floats[i] * scale;
  }
}

void gather(const ArrayView& array, std::span<const std::int64_t> rows, float scale, float* out) {
  if (array.sample_size == 0) return;
  const std::int64_t row_bytes = array.sample_size * static_cast<std::int64_t>(element_bytes(array.element));
  const std::byte* first = array.memory + array.first * row_bytes;
  // Shuffled rows miss every cache: the misses of a block are started together.
  const auto count = static_cast<std::int64_t>(rows.size());
  for (std::int64_t begin = 0; begin < count; begin += kBlockRows) {
    const std::int64_t end = std::min(begin + kBlockRows, count);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::byte* row = first + rows[static_cast<std::size_t>(i)] * row_bytes;
      __builtin_prefetch(row);
      __builtin_prefetch(row + std::min(row_bytes - 1, kCacheLineBytes));
    }
    for (std::int64_t i = begin; i < end; ++i) {
      copy_scaled(first + rows[static_cast<std::size_t>(i)] * row_bytes, array.element, array.sample_size,
                  scale, out + i * array.sample_size);
    }
  }
}

void gather(const ArrayView& array, const Sampler& sampler, std::int64_t position, std::int64_t count,
            float scale, float* out) {
  if (count <= 0 || array.sample_size == 0) return;
  if (sampler.order() == Order::kFile) {
    const std::int64_t row_bytes =
        array.sample_size * static_cast<std::int64_t>(element_bytes(array.element));
    copy_scaled(array.memory + (array.first + position) * row_bytes, array.element, count * array.sample_size,
                scale, out);
    return;
  }
  std::array<std::int64_t, kBlockRows> rows;
  for (std::int64_t begin = 0; begin < count; begin += kBlockRows) {
    const std::span<std::int64_t> block(rows.data(),
                                        static_cast<std::size_t>(std::min(kBlockRows, count - begin)));
    sampler.rows(position + begin, block);
    gather(array, block, scale, out + begin * array.sample_size);
  }
}

}  // namespace nntrain::data

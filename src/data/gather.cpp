#include <algorithm>
#include <cstring>

#include "data/batch.h"

namespace nntrain::data {

namespace {

constexpr std::int64_t kBlockRows = 16;
constexpr std::int64_t kCacheLineBytes = 64;

}  // namespace

void copy_scaled(const std::byte* memory, Element element, std::int64_t values, float scale, float* out) {
  if (element == Element::kUint8) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(memory);
    for (std::int64_t i = 0; i < values; ++i) out[i] = static_cast<float>(static_cast<int>(bytes[i])) * scale;
  } else if (scale == 1.0F) {
    std::memcpy(out, memory, static_cast<std::size_t>(values) * sizeof(float));
  } else {
    const auto* floats = reinterpret_cast<const float*>(memory);
    for (std::int64_t i = 0; i < values; ++i) out[i] = floats[i] * scale;
  }
}

void gather(const ArrayView& array, const Sampler& sampler, std::int64_t position, std::int64_t count,
            float scale, float* out) {
  if (count <= 0 || array.sample_size == 0) return;
  const std::int64_t row_bytes = array.sample_size * static_cast<std::int64_t>(element_bytes(array.element));
  const std::byte* first = array.memory + array.first * row_bytes;
  if (sampler.order() == Order::kFile) {
    copy_scaled(first + position * row_bytes, array.element, count * array.sample_size, scale, out);
    return;
  }
  // Shuffled rows miss every cache: the misses of a block are started together.
  const std::byte* rows[kBlockRows];
  for (std::int64_t begin = 0; begin < count; begin += kBlockRows) {
    const std::int64_t block = std::min(kBlockRows, count - begin);
    for (std::int64_t i = 0; i < block; ++i) {
      rows[i] = first + sampler.row(position + begin + i) * row_bytes;
      __builtin_prefetch(rows[i]);
      __builtin_prefetch(rows[i] + std::min(row_bytes - 1, kCacheLineBytes));
    }
    for (std::int64_t i = 0; i < block; ++i) {
      copy_scaled(rows[i], array.element, array.sample_size, scale, out + (begin + i) * array.sample_size);
    }
  }
}

}  // namespace nntrain::data

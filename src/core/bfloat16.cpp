#include "core/bfloat16.h"

namespace nntrain {

void round_to_bfloat16(std::span<float> values) {
  float* const v = values.data();
  const auto count = static_cast<std::int64_t>(values.size());
  for (std::int64_t i = 0; i < count; ++i) v[i] = round_to_bfloat16(v[i]);
}

void add_rounded(float* target, const float* left, const float* right, std::int64_t count) {
#pragma GCC ivdep
  for (std::int64_t i = 0; i < count; ++i) target[i] = round_to_bfloat16(left[i] + right[i]);
}

void pack_bfloat16(const float* values, std::int64_t count, std::uint16_t* packed) {
  for (std::int64_t i = 0; i < count; ++i)
    packed[i] = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(values[i]) >> 16U);
}

void unpack_bfloat16(const std::uint16_t* packed, std::int64_t count, float* values) {
  for (std::int64_t i = 0; i < count; ++i)
    values[i] = std::bit_cast<float>(static_cast<std::uint32_t>(packed[i]) << 16U);
}

}  // namespace nntrain

#pragma once
// bfloat16: the upper half of a float32, for what crosses a network. Rounding is to nearest, ties to even.

#include <bit>
#include <cstdint>
#include <span>

namespace nntrain {

/// How the sums of the tree (core/tree.h) are kept. kBfloat16: the sum of every node of the tree, leaves
/// included, is rounded to bfloat16 as soon as it is formed; so whatever a layout of ranks sends fits two
/// bytes, and no layout changes a bit.
enum class SumFormat { kFloat32, kBfloat16 };

/// The nearest bfloat16, as a float32. NaN stays NaN; what lies beyond the largest bfloat16 becomes infinite.
inline float round_to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = bits + 0x7fffU + ((bits >> 16U) & 1U);
  const bool is_nan = (bits & 0x7fffffffU) > 0x7f800000U;
  return std::bit_cast<float>((is_nan ? bits | 0x00400000U : rounded) & 0xffff0000U);
}

/// Rounds every element. Local.
void round_to_bfloat16(std::span<float> values);
/// target[i] = round(left[i] + right[i]); target may be left or right. Local.
void add_rounded(float* target, const float* left, const float* right, std::int64_t count);
/// The upper halves of values that are rounded already, and back: exact. Local.
void pack_bfloat16(const float* values, std::int64_t count, std::uint16_t* packed);
void unpack_bfloat16(const std::uint16_t* packed, std::int64_t count, float* values);

}  // namespace nntrain

#pragma once
// Transcendental functions that the compiler turns into vector loops: plain arithmetic, no calls, the same bits in
// a vector lane and in a scalar tail. Accuracy about 2 ulp of float32.

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace nntrain::nn {

/// e^x. Cephes' expf: range reduction by ln 2, polynomial of degree 6.
inline float fast_exp(float x) {
  constexpr float kHigh = 88.72283F, kLow = -87.33654F;
  const float clamped = x > kHigh ? kHigh : (x < kLow ? kLow : x);
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number
  const float shifted = clamped * 1.44269504F + kRound;
  const float n = shifted - kRound;
  const float r = (clamped - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r + 1.0F;
  // 2^n in two halves, because 2^128 is no float.
  const std::int32_t whole = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kRound);
  const std::int32_t half = whole >> 1;
  const float scale_a = std::bit_cast<float>((half + 127) << 23);
  const float scale_b = std::bit_cast<float>((whole - half + 127) << 23);
  const float result = p * scale_a * scale_b;
  return x > kHigh ? std::numeric_limits<float>::infinity() : (x < -103.97F ? 0.0F : result);
}

inline float fast_sigmoid(float x) { return 1.0F / (1.0F + fast_exp(-x)); }

/// Cephes' tanhf.
inline float fast_tanh(float x) {
  const float z = x * x;
  float p = -5.70498872745e-3F;
  p = p * z + 2.06390887954e-2F;
  p = p * z - 5.37397155531e-2F;
  p = p * z + 1.33314422036e-1F;
  p = p * z - 3.33332819422e-1F;
  const float small = p * z * x + x;
  const float magnitude = x < 0 ? -x : x;
  const float large = 1.0F - 2.0F / (fast_exp(2.0F * magnitude) + 1.0F);
  return magnitude < 0.625F ? small : (x < 0 ? -large : large);
}

inline float softplus(float x) { return std::log1p(fast_exp(-std::abs(x))) + (x > 0 ? x : 0.0F); }

}  // namespace nntrain::nn

#pragma once
// Transcendental functions that the compiler turns into vector loops: plain arithmetic, no calls, the same
// bits in a vector lane and in a scalar tail. Accuracy about 2 ulp of float32 where not said otherwise.

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace nntrain::nn {

namespace detail {

/// e^x = (1 + tail) * scale_a * scale_b.
struct ExpParts {
  float tail, scale_a, scale_b;
};

constexpr float kExpHighest = 88.72283F, kExpLowest = -103.97F;  // beyond: infinity and 0

/// Cephes' expf: range reduction by ln 2, polynomial of degree 6. `x` within the limits above.
inline ExpParts exp_parts(float x) {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number
  const float shifted = x * 1.44269504F + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  // 2^n in two halves, because 2^128 is no float and 2^-149 no normal one.
  const std::int32_t whole = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kRound);
  const std::int32_t half = whole >> 1;
  return {p * (r * r) + r, std::bit_cast<float>((half + 127) << 23),
          std::bit_cast<float>((whole - half + 127) << 23)};
}

inline float exp_clamped(float x) {
  return x > kExpHighest ? kExpHighest : (x < kExpLowest ? kExpLowest : x);
}

}  // namespace detail

/// e^x.
inline float fast_exp(float x) {
  const detail::ExpParts parts = detail::exp_parts(detail::exp_clamped(x));
  const float result = (parts.tail + 1.0F) * parts.scale_a * parts.scale_b;
  return x > detail::kExpHighest ? std::numeric_limits<float>::infinity()
                                 : (x < detail::kExpLowest ? 0.0F : result);
}

/// e^x - 1, without cancellation near 0. For x up to 88.
inline float fast_expm1(float x) {
  const detail::ExpParts parts = detail::exp_parts(detail::exp_clamped(x));
  const float far = (parts.tail + 1.0F) * parts.scale_a * parts.scale_b - 1.0F;
  return std::abs(x) < 0.3465F ? parts.tail : far;  // there n is 0 and the tail is all of it
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

/// log(1 + t) for t in [0, 1]: 2 atanh(t / (2 + t)), with a minimax polynomial of our own (error 4.5e-9).
inline float fast_log1p_unit(float t) {
  const float s = t / (2.0F + t);
  const float w = s * s;
  float p = 0.14005993F;
  p = p * w + 0.14000903F;
  p = p * w + 0.20010764F;
  p = p * w + 0.33333208F;
  return 2.0F * (s + s * w * p);
}

/// log(1 + e^x).
inline float softplus(float x) { return fast_log1p_unit(fast_exp(-std::abs(x))) + (x > 0 ? x : 0.0F); }

/// tanh(softplus(x)) = n / (n + 2) with n = e^x (e^x + 2); beyond 20 it is 1.
inline float tanh_softplus(float x) {
  const float e = fast_exp(x < 20.0F ? x : 20.0F);
  const float n = e * (e + 2.0F);
  return n / (n + 2.0F);
}

/// Distribution function and density of the standard normal.
struct NormalPoint {
  float distribution, density;
};

/// erfc(a) e^(a^2), a = |x| / sqrt 2, is t times a minimax polynomial of our own in t = 1 / (1 + 0.4 a)
/// (relative error 6e-8). Relative error of the distribution: 5e-7 for x > -3, growing as x^2 beyond.
inline NormalPoint standard_normal(float x) {
  const float a = std::abs(x) * 0.707106781F;
  const float t = 1.0F / (1.0F + 0.4F * a);
  float p = 0.04026747F;
  p = p * t - 0.13547098F;
  p = p * t + 0.07384191F;
  p = p * t + 0.09972983F;
  p = p * t + 0.07150814F;
  p = p * t + 0.19696309F;
  p = p * t + 0.20095857F;
  p = p * t + 0.22657571F;
  p = p * t + 0.22562630F;
  const float bell = fast_exp(-0.5F * x * x);
  const float half_tail = 0.5F * (p * t * bell);
  return {x < 0 ? half_tail : 1.0F - half_tail, 0.398942280F * bell};
}

}  // namespace nntrain::nn

#pragma once
// Exponential, logarithm, power and cosine by plain arithmetic, which IEEE 754 defines to the last bit. What
// the C library returns depends on its version, on the CPU and on the architecture (log1pf has other bits on
// 64-bit ARM, where compilers fuse products and sums), so whatever becomes part of weights, history or scores
// is computed here. Functions of floats have no branches: in loops the compiler makes vectors of them.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

namespace nntrain::elementary {

/// Relative error below 3e-16.
double exp(double x);
double log(double x);
double log1p(double x);

/// Within a hundred thousand turns.
float cosine(float x);

namespace detail {

constexpr double kInfinity = std::numeric_limits<double>::infinity(),
                 kNoNumber = std::numeric_limits<double>::quiet_NaN();
// ln 2 in two parts: a whole number below 2^20 times the first is exact.
constexpr double kLn2High = 0x1.62e42feep-1, kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kRound = 0x1.8p52;  ///< adding it rounds to a whole number, which stands in the last bits

/// sin and cos of x between -pi/4 and pi/4, by Taylor's series.
inline double small_sine(double x) {
  const double w = x * x;
  double s = 1.0 / 355687428096000.0;  // 17!
  s = s * w - 1.0 / 1307674368000.0;
  s = s * w + 1.0 / 6227020800.0;
  s = s * w - 1.0 / 39916800.0;
  s = s * w + 1.0 / 362880.0;
  s = s * w - 1.0 / 5040.0;
  s = s * w + 1.0 / 120.0;
  s = s * w - 1.0 / 6.0;
  return x + x * (w * s);
}

inline double small_cosine(double x) {
  const double w = x * x;
  double c = -1.0 / 6402373705728000.0;  // 18!
  c = c * w + 1.0 / 20922789888000.0;
  c = c * w - 1.0 / 87178291200.0;
  c = c * w + 1.0 / 479001600.0;
  c = c * w - 1.0 / 3628800.0;
  c = c * w + 1.0 / 40320.0;
  c = c * w - 1.0 / 720.0;
  c = c * w + 1.0 / 24.0;
  return 1.0 - (0.5 * w - w * (w * c));
}

/// ln(x) + correction of a positive, normal, finite x: n ln 2 + ln(1 + f) with f between sqrt(1/2) - 1 and
/// sqrt(2) - 1, and ln(1 + f) = f - (f^2 / 2 - s (f^2 / 2 + R)), s = f / (2 + f), by the minimax polynomial R
/// of fdlibm (Sun Microsystems 1993, e_log.c).
inline double log_of_normal(double x, double correction) {
  constexpr std::uint64_t kExponent = 0xfffULL << 52U, kBias = 1024ULL << 52U, kWhole = 0x433ULL << 52U;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  // The exponent counted from sqrt(1/2), plus 1024.
  const std::uint64_t above = bits - std::bit_cast<std::uint64_t>(std::numbers::sqrt2 / 2) + kBias;
  const double n = std::bit_cast<double>(kWhole | (above >> 52U)) - (0x1p52 + 1024.0);
  const double f = std::bit_cast<double>(bits - (above & kExponent) + kBias) - 1.0;
  const double s = f / (2.0 + f), z = s * s, half_square = 0.5 * f * f;
  double r = 1.479819860511658591e-01;
  r = r * z + 1.531383769920937332e-01;
  r = r * z + 1.818357216161805012e-01;
  r = r * z + 2.222219843214978396e-01;
  r = r * z + 2.857142874366239149e-01;
  r = r * z + 3.999999999940941908e-01;
  r = r * z + 6.666666666666735130e-01;
  return n * kLn2High - ((half_square - (s * (half_square + r * z) + (n * kLn2Low + correction))) - f);
}

/// ln(x) of a float, which is a normal number in float64; that of 0 and infinity is +-`infinite`.
inline double log_of_float(float x, double infinite) {
  const double logarithm = log_of_normal(x, 0.0);
  const double of_positive = x == std::numeric_limits<float>::infinity() ? infinite : logarithm;
  return x > 0 ? of_positive : (x == 0 ? -infinite : kNoNumber);
}

/// e^x to 2e-13, which is enough for a float.
inline double exp_for_float(double x) {
  const double kept = x > 200.0 ? 200.0 : (x < -200.0 ? -200.0 : x);  // beyond the exponents of floats
  const double shifted = kept * std::numbers::log2e + kRound, n = shifted - kRound;
  const double r = (kept - n * kLn2High) - n * kLn2Low;
  double p = 1.0 / 3628800.0;  // 10!
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  const std::uint64_t exponent = std::bit_cast<std::uint64_t>(shifted) - std::bit_cast<std::uint64_t>(kRound);
  return (1.0 + (r + r * (r * p))) * std::bit_cast<double>((exponent + 1023U) << 52U);
}

}  // namespace detail

/// Nearly always the float next to the true value, as is power().
inline float log(float x) { return static_cast<float>(detail::log_of_float(x, detail::kInfinity)); }

/// As std::pow, but NaN gives NaN always, -0 counts as 0, and -infinity needs a whole exponent as every
/// negative base does. An object for one exponent and many bases.
class Power {
 public:
  explicit Power(float exponent) : exponent_(std::clamp<double>(exponent, -1e300, 1e300)) {
    const bool whole = std::floor(exponent_) == exponent_;
    const bool odd = whole && std::floor(exponent_ / 2.0) != exponent_ / 2.0;
    of_negative_ = whole ? (odd ? -1.0F : 1.0F) : std::numeric_limits<float>::quiet_NaN();
  }
  float operator()(float base) const {
    const double logarithm = detail::log_of_float(std::abs(base), 1e300);  // finite: 0 times it is 0
    const auto of_size = static_cast<float>(detail::exp_for_float(exponent_ * logarithm));
    return base < 0 ? of_size * of_negative_ : of_size;
  }

 private:
  double exponent_;
  float of_negative_;
};

inline float power(float base, float exponent) { return Power(exponent)(base); }

}  // namespace nntrain::elementary

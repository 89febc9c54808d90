#include "core/elementary.h"

namespace nntrain::elementary {

using detail::kInfinity;
using detail::kLn2High;
using detail::kLn2Low;
using detail::kRound;

namespace {

/// The whole number n of a `shifted` = n + kRound.
std::int64_t whole_of(double shifted) {
  return std::bit_cast<std::int64_t>(shifted) - std::bit_cast<std::int64_t>(kRound);
}

/// 2^n of a normal number.
double power_of_two(std::int64_t n) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52U);
}

}  // namespace

double exp(double x) {
  constexpr double kHighest = 709.79, kLowest = -745.14;  // beyond: infinity and 0
  if (x != x) return x;
  if (x > kHighest) return kInfinity;
  if (x < kLowest) return 0.0;
  const double shifted = x * std::numbers::log2e + kRound, n = shifted - kRound;
  const double r = (x - n * kLn2High) - n * kLn2Low;
  double p = 1.0 / 6227020800.0;  // 13!
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  // In two halves, because 2^1024 is no number and 2^-1074 no normal one.
  const std::int64_t whole = whole_of(shifted), half = whole / 2;
  return (1.0 + (r + r * (r * p))) * power_of_two(half) * power_of_two(whole - half);
}

double log(double x) {
  if (x != x || x == kInfinity) return x;
  if (x == 0) return -kInfinity;
  if (x < 0) return detail::kNoNumber;
  constexpr double kMore = 0x1p54, kLogOfMore = 54.0 * std::numbers::ln2;
  if (x < std::numeric_limits<double>::min()) return detail::log_of_normal(x * kMore, 0.0) - kLogOfMore;
  return detail::log_of_normal(x, 0.0);
}

double log1p(double x) {
  if (x != x || x == kInfinity || x == 0) return x;
  const double sum = 1.0 + x;
  if (sum == 1.0) return x;
  if (sum <= 0) return log(sum);
  // What 1 + x has lost, exactly (Kahan); it changes the logarithm by so much divided by 1 + x.
  const double lost = x < 1.0 ? x - (sum - 1.0) : 1.0 - (sum - x);
  return detail::log_of_normal(sum, lost / sum);
}

float cosine(float x) {
  // pi / 2 in two parts: a whole number below 2^20 times the first is exact.
  constexpr double kHigh = 0x1.921fb544p0, kLow = 0x1.0b4611a626331p-34;
  const double angle = x, shifted = angle * (2.0 / std::numbers::pi) + kRound, n = shifted - kRound;
  const double rest = (angle - n * kHigh) - n * kLow;
  const auto quarter = static_cast<std::uint64_t>(whole_of(shifted)) & 3U;
  const double value = quarter % 2 == 0 ? detail::small_cosine(rest) : detail::small_sine(rest);
  return static_cast<float>(quarter == 1 || quarter == 2 ? -value : value);
}

}  // namespace nntrain::elementary

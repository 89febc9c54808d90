// Functions by plain arithmetic: right to the last digits, and the same bits on every machine.

#include "core/elementary.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

namespace nntrain::elementary {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::nan("");
constexpr float kInfinityF = std::numeric_limits<float>::infinity(), kNanF = std::nanf("");
constexpr int kPoints = 20000;

/// The `i`-th of kPoints numbers between `first` and `last`, crooked enough to have all their digits.
double point(int i, double first, double last) {
  return first + (last - first) * ((static_cast<double>(i) + 0.37) / kPoints);
}

/// Largest relative distance of f from g over `first` to `last`.
template <class F, class G>
double distance(F f, G g, double first, double last) {
  double largest = 0;
  for (int i = 0; i < kPoints; ++i) {
    const double x = point(i, first, last), expected = g(x);
    largest = std::max(largest, std::abs((static_cast<double>(f(x)) - expected) / expected));
  }
  return largest;
}

constexpr double kRounding = 3e-16;  ///< float64 has 2.2e-16 between two numbers

TEST(Elementary, ExponentialIsRight) {
  const auto ours = [](double x) { return exp(x); };
  const auto theirs = [](double x) { return std::exp(x); };
  for (const double width : {1e-9, 0.3, 1.0, 30.0, 700.0}) {
    EXPECT_LT(distance(ours, theirs, -width, 0.0), kRounding) << width;
    EXPECT_LT(distance(ours, theirs, 0.0, width), kRounding) << width;
  }
  EXPECT_EQ(exp(0.0), 1.0);
  EXPECT_EQ(exp(709.79), kInfinity);
  EXPECT_EQ(exp(kInfinity), kInfinity);
  EXPECT_EQ(exp(-746.0), 0.0);
  EXPECT_EQ(exp(-kInfinity), 0.0);
  EXPECT_NEAR(exp(-740.0) / std::exp(-740.0), 1.0, 1e-2);  // few digits are left
  EXPECT_LT(exp(709.78), kInfinity);
  EXPECT_TRUE(std::isnan(exp(kNan)));
}

TEST(Elementary, LogarithmIsRight) {
  const auto ours = [](double x) { return log(x); };
  const auto theirs = [](double x) { return std::log(x); };
  for (const auto& [first, last] : {std::pair{1e-310, 1e-300},
                                    {1e-9, 0.1},
                                    {0.1, 0.999},
                                    {0.999, 1.0},
                                    {1.0, 1.001},
                                    {1.001, 3.0},
                                    {3.0, 1e6},
                                    {1e300, 1e308}})
    EXPECT_LT(distance(ours, theirs, first, last), kRounding) << first;
  EXPECT_EQ(log(1.0), 0.0);
  EXPECT_EQ(log(0.0), -kInfinity);
  EXPECT_EQ(log(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(log(-1.0)));
  EXPECT_TRUE(std::isnan(log(kNan)));

  const auto ours1p = [](double x) { return log1p(x); };
  const auto theirs1p = [](double x) { return std::log1p(x); };
  for (const auto& [first, last] : {std::pair{1e-300, 1e-299},
                                    {1e-20, 1e-15},
                                    {1e-15, 1e-9},
                                    {1e-9, 0.5},
                                    {0.5, 10.0},
                                    {1e15, 1e17},
                                    {-0.999, -0.1},
                                    {-1e-9, -1e-15}})
    EXPECT_LT(distance(ours1p, theirs1p, first, last), kRounding) << first;
  EXPECT_EQ(log1p(0.0), 0.0);
  EXPECT_EQ(log1p(-1.0), -kInfinity);
  EXPECT_EQ(log1p(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(log1p(-1.5)));
  EXPECT_TRUE(std::isnan(log1p(kNan)));
}

/// Half a step between two floats, and the C library's own error on top.
constexpr double kFloatRounding = 1.3e-7;

TEST(Elementary, FloatsAreRounded) {
  EXPECT_LT(
      distance([](double x) { return log(static_cast<float>(x)); },
               [](double x) { return std::log(static_cast<double>(static_cast<float>(x))); }, 1e-30, 0.9),
      kFloatRounding);
  for (const float exponent : {-2.5F, -1.0F, -0.5F, 0.25F, 0.5F, 1.0F, 2.0F, 3.0F, 17.0F})
    EXPECT_LT(
        distance([&](double x) { return power(static_cast<float>(x), exponent); },
                 [&](double x) { return std::pow(static_cast<double>(static_cast<float>(x)), exponent); },
                 1e-2, 100.0),
        kFloatRounding)
        << exponent;
  for (const float beta : {0.9F, 0.99F, 0.999F, 0.96F})
    for (float t = 1; t < 800; ++t)
      EXPECT_NEAR(power(beta, t) / std::pow(static_cast<double>(beta), t), 1.0, kFloatRounding)
          << beta << " " << t;
  for (int i = 0; i < kPoints; ++i) {
    const auto x = static_cast<float>(point(i, -40.0, 400.0));
    EXPECT_NEAR(cosine(x), std::cos(static_cast<double>(x)), 6e-8) << x;
  }
  EXPECT_EQ(cosine(0.0F), 1.0F);
  EXPECT_TRUE(std::isnan(cosine(kNanF)));
  EXPECT_TRUE(std::isnan(cosine(kInfinityF)));
}

TEST(Elementary, PowersOfSpecialNumbersAreThoseOfTheLibrary) {
  for (const float base :
       {0.0F, 1.0F, -1.0F, 0.5F, -0.5F, 2.0F, -2.0F, 3.0F, -3.0F, 1e-40F, 1e30F, kInfinityF}) {
    for (const float exponent : {0.0F, -0.0F, 1.0F, -1.0F, 0.5F, -0.5F, 2.0F, -2.0F, 3.0F, -3.0F, 1e-40F,
                                 1e30F, kInfinityF, -kInfinityF}) {
      const float expected = std::pow(base, exponent), got = power(base, exponent);
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(got)) << base << "^" << exponent;
      } else {
        EXPECT_EQ(got, expected) << base << "^" << exponent;
      }
    }
  }
}

/// FNV-1a of the bits of f over kPoints numbers.
template <class F>
std::uint64_t digest(F f, double first, double last) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (int i = 0; i < kPoints; ++i) {
    const double value = f(point(i, first, last));
    for (std::uint64_t bits = std::bit_cast<std::uint64_t>(value), k = 0; k < 8; ++k, bits >>= 8U)
      hash = (hash ^ (bits & 0xffU)) * 0x100000001b3;
  }
  return hash;
}

// Written down on x86-64; every machine, compiler and C library must come to the same.
TEST(Elementary, TheBitsAreTheseEverywhere) {
  EXPECT_EQ(digest([](double x) { return exp(x); }, -750.0, 715.0), 0x17de279030684d2bU);
  EXPECT_EQ(digest([](double x) { return exp(x); }, -1.0, 1.0), 0x34d3bfe12823fedcU);
  EXPECT_EQ(digest([](double x) { return log(x); }, 1e-9, 5.0), 0x2b756075690840e8U);
  EXPECT_EQ(digest([](double x) { return log1p(x); }, -0.999, 5.0), 0x518831365c56f918U);
  EXPECT_EQ(digest([](double x) { return power(static_cast<float>(x), 0.75F); }, 0.0, 5.0),
            0xfc7e444d47710835U);
  EXPECT_EQ(digest([](double x) { return power(0.999F, static_cast<float>(std::floor(x))); }, 1.0, 1e5),
            0x811403bdd61e8498U);
  EXPECT_EQ(digest([](double x) { return cosine(static_cast<float>(x)); }, -10.0, 100.0),
            0x1b195480fcf52bb7U);
}

}  // namespace
}  // namespace nntrain::elementary

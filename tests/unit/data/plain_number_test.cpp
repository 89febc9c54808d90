// The fast way to read numbers gives the bits of from_chars, or leaves them to it.

#include "data/tables/plain_number.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <random>
#include <string>

namespace nntrain::data {
namespace {

void expect_same(const std::string& text, std::int64_t& taken) {
  const char* at = text.data();
  float fast = 0, exact = 0;
  if (!read_plain_number(at, text.data() + text.size(), fast)) {
    EXPECT_EQ(at, text.data());
    return;
  }
  ++taken;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exact);
  ASSERT_EQ(error, std::errc()) << text;
  EXPECT_EQ(end, at) << text;
  EXPECT_EQ(std::memcmp(&fast, &exact, sizeof(float)), 0) << text << " " << fast << " " << exact;
}

TEST(PlainNumber, BitsOfFromChars) {
  std::mt19937_64 random(7);
  std::int64_t taken = 0;
  for (int i = 0; i < 200000; ++i) {
    std::string text = random() % 3 == 0 ? "-" : "";
    for (std::uint64_t k = random() % 10; k > 0; --k) text += static_cast<char>('0' + random() % 10);
    if (random() % 2 == 0) text += '.';
    for (std::uint64_t k = random() % 11; k > 0; --k) text += static_cast<char>('0' + random() % 10);
    expect_same(text, taken);
  }
  EXPECT_GT(taken, 150000);
}

/// Decimal texts of, and next to, the middle of two float32.
TEST(PlainNumber, BetweenTwoFloats) {
  std::mt19937 random(8);
  std::int64_t taken = 0;
  for (int i = 0; i < 20000; ++i) {
    const float low =
        std::ldexp(static_cast<float>(random() % (1U << 24U) | 1U << 23U), -static_cast<int>(random() % 30));
    const double middle = (static_cast<double>(low) + static_cast<double>(std::nextafter(low, INFINITY))) / 2;
    char text[64];
    for (const char* form : {"%.0f", "%.3f", "%.8f", "%.10f"}) {
      std::snprintf(text, sizeof text, form, middle);
      expect_same(text, taken);
    }
  }
  EXPECT_GT(taken, 10000);
}

TEST(PlainNumber, LeavesOtherTextAlone) {
  for (const std::string text :
       {"", "-", ".", "-.", "x", "+1", "nan", "inf", " 1", "9999999999999999999", "123456789012345678901"}) {
    const char* at = text.data();
    float value = 5;
    EXPECT_FALSE(read_plain_number(at, text.data() + text.size(), value)) << text;
    EXPECT_EQ(value, 5);
  }
}

}  // namespace
}  // namespace nntrain::data

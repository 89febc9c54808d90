#include "core/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace nntrain {
namespace {

// Known answers of Philox4x32-10 from the Random123 distribution (kat_vectors).
TEST(Philox, KnownAnswers) {
  const std::array<std::uint32_t, 4> zero = philox4x32({0, 0, 0, 0}, {0, 0});
  EXPECT_EQ(zero, (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t f = 0xffffffff;
  EXPECT_EQ(philox4x32({f, f, f, f}, {f, f}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStream, MomentsAreRight) {
  const RandomStream stream(3, Purpose::kTest, 1);
  constexpr int kCount = 200000;
  double uniform = 0, normal = 0, squares = 0, largest = 0;
  for (int i = 0; i < kCount; ++i) {
    const auto element = static_cast<std::uint64_t>(i);
    uniform += stream.uniform(0, element);
    const double z = stream.normal(1, element);
    normal += z;
    squares += z * z;
    largest = std::max(largest, std::abs(stream.truncated_normal(2, element)));
  }
  EXPECT_NEAR(uniform / kCount, 0.5, 0.003);
  EXPECT_NEAR(normal / kCount, 0.0, 0.01);
  EXPECT_NEAR(squares / kCount, 1.0, 0.015);
  EXPECT_LE(largest, 2.0);
}

TEST(RandomStream, ManyAtATimeAreTheSameNumbers) {
  const RandomStream stream(5, Purpose::kTest, 7);
  for (const std::size_t count : {1U, 3U, 4U, 127U, 128U, 129U, 255U, 256U, 257U, 1000U}) {
    std::vector<std::uint32_t> words(count);
    std::vector<double> normals(count);
    const std::uint64_t major = 0x1234567890ULL + count;
    stream.words(major, 8, words);
    stream.normals(major, normals);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(words[i], stream.block(major, static_cast<std::uint32_t>((i + 8) / 4))[i % 4]);
      ASSERT_EQ(normals[i], stream.normal(major, i)) << i;
    }
  }
}

// Box-Muller by the C library's functions, which may round otherwise.
TEST(RandomStream, NormalsAreBoxMullers) {
  const RandomStream stream(6, Purpose::kTest, 1);
  for (std::uint64_t element = 0; element < 100000; ++element) {
    const auto words = stream.block(3, static_cast<std::uint32_t>(element / 4));
    const std::size_t pair = element & 2U;
    const double radius = std::sqrt(-2.0 * std::log((words[pair] + 1.0) * 0x1.0p-32));
    const double angle = 2.0 * std::numbers::pi * words[pair + 1] * 0x1.0p-32;
    const double expected = radius * ((element & 1U) != 0 ? std::sin(angle) : std::cos(angle));
    ASSERT_NEAR(stream.normal(3, element), expected, 4e-15) << element;
  }
}

TEST(RandomStream, PurposesAndIndicesAreApart) {
  const RandomStream a(1, Purpose::kDropout, 0), b(1, Purpose::kDropout, 1), c(1, Purpose::kNoise, 0),
      d(2, Purpose::kDropout, 0);
  EXPECT_NE(a.block(0, 0), b.block(0, 0));
  EXPECT_NE(a.block(0, 0), c.block(0, 0));
  EXPECT_NE(a.block(0, 0), d.block(0, 0));
  EXPECT_NE(a.block(0, 0), a.block(1, 0));
}

}  // namespace
}  // namespace nntrain

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <vector>

#include "data/batch.h"

namespace nntrain::data {
namespace {

struct Bytes {
  std::vector<std::byte> memory;
  ArrayView view;
};

Bytes uint8_set(std::int64_t rows, std::int64_t size) {
  Bytes set;
  set.memory.resize(static_cast<std::size_t>(rows * size));
  for (std::size_t i = 0; i < set.memory.size(); ++i) set.memory[i] = static_cast<std::byte>(i * 37 % 256);
  set.view = {set.memory.data(), Element::kUint8, size, 0, rows};
  return set;
}

TEST(Gather, BytesBecomeScaledFloats) {
  Bytes set = uint8_set(60, 13);
  set.view.first = 10;
  set.view.rows = 50;
  constexpr float kScale = 1.0F / 255.0F;
  for (const Order order : {Order::kFile, Order::kShuffled}) {
    const Sampler sampler(50, 1, 0, order);
    std::vector<float> out(50 * 13, -1.0F);
    gather(set.view, sampler, 0, 50, kScale, out.data());
    for (std::int64_t i = 0; i < 50; ++i) {
      for (std::int64_t k = 0; k < 13; ++k) {
        const std::byte value = set.memory[static_cast<std::size_t>((10 + sampler.row(i)) * 13 + k)];
        EXPECT_EQ(out[static_cast<std::size_t>(i * 13 + k)],
                  static_cast<float>(std::to_integer<int>(value)) * kScale);
      }
    }
  }
}

TEST(Gather, FloatsOfAnyWidthAreCopiedOrScaled) {
  for (const std::int64_t width : {1, 3, 7, 8, 9, 13, 16, 20, 63, 64, 65, 100}) {
    SCOPED_TRACE(width);
    std::vector<float> values(static_cast<std::size_t>(30 * width));
    std::iota(values.begin(), values.end(), 0.1F);
    std::vector<std::byte> memory(values.size() * sizeof(float));
    std::memcpy(memory.data(), values.data(), memory.size());
    const ArrayView view{memory.data(), Element::kFloat32, width, 5, 25};
    const Sampler sampler(25, 9, 4, Order::kShuffled);
    for (const float scale : {1.0F, 0.3F}) {
      std::vector<float> out(static_cast<std::size_t>(4 * width) + 1, -1.0F), expected = out;
      for (std::int64_t i = 0; i < 4; ++i) {
        for (std::int64_t k = 0; k < width; ++k) {
          expected[static_cast<std::size_t>(i * width + k)] =
              values[static_cast<std::size_t>((5 + sampler.row(20 + i)) * width + k)] * scale;
        }
      }
      gather(view, sampler, 20, 4, scale, out.data());
      EXPECT_EQ(out, expected);
    }
  }
}

TEST(Gather, ARowsBitsDoNotDependOnTheCall) {
  for (const Order order : {Order::kFile, Order::kShuffled}) {
    const Bytes set = uint8_set(40, 29);
    const Sampler sampler(40, 3, 1, order);
    std::vector<float> whole(40 * 29);
    gather(set.view, sampler, 0, 40, 0.1F, whole.data());
    std::vector<float> parts(40 * 29);
    std::int64_t position = 0;
    for (const std::int64_t count : {1, 7, 0, 15, 16, 1}) {
      gather(set.view, sampler, position, count, 0.1F, parts.data() + position * 29);
      position += count;
    }
    ASSERT_EQ(position, 40);
    EXPECT_EQ(std::memcmp(whole.data(), parts.data(), whole.size() * sizeof(float)), 0);
  }
}

TEST(Gather, WritesNothingBeyondItsRows) {
  const Bytes set = uint8_set(10, 3);
  std::vector<float> out(9, -1.0F);
  gather(set.view, Sampler(10, 3, 1, Order::kShuffled), 4, 2, 1.0F, out.data());
  EXPECT_EQ(std::vector<float>(out.begin() + 6, out.end()), (std::vector<float>{-1, -1, -1}));
  gather({}, Sampler(10, 3, 1, Order::kFile), 0, 2, 1.0F, nullptr);  // no values a sample
}

}  // namespace
}  // namespace nntrain::data

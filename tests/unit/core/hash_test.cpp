#include "core/hash.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "core/build_id.h"

namespace nntrain {
namespace {

std::vector<std::byte> bytes_of(std::size_t length) {
  std::vector<std::byte> bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::byte>(i * 31 % 251);
  return bytes;
}

TEST(Hash, AnyFlippedBitChangesIt) {
  for (const std::size_t length : {1U, 4U, 63U, 64U, 65U, 200U}) {
    std::vector<std::byte> bytes = bytes_of(length);
    std::set<std::uint64_t> seen = {hash_bytes(bytes, 0)};
    for (std::size_t bit = 0; bit < 8 * length; ++bit) {
      const auto mask = static_cast<std::byte>(1U << bit % 8);
      bytes[bit / 8] ^= mask;
      EXPECT_TRUE(seen.insert(hash_bytes(bytes, 0)).second) << length << " bytes, bit " << bit;
      bytes[bit / 8] ^= mask;
    }
  }
}

TEST(Hash, LengthOrderAndSeedCount) {
  std::set<std::uint64_t> seen;
  const std::vector<std::byte> zeros(300);
  for (std::size_t length = 0; length <= zeros.size(); ++length)
    EXPECT_TRUE(seen.insert(hash_bytes(std::span(zeros).first(length), 0)).second) << length;
  EXPECT_TRUE(seen.insert(hash_bytes(zeros, 1)).second);
  std::vector<std::byte> swapped = bytes_of(128);
  const std::uint64_t straight = hash_bytes(swapped, 0);
  std::swap_ranges(swapped.begin(), swapped.begin() + 64, swapped.begin() + 64);
  EXPECT_NE(hash_bytes(swapped, 0), straight);
  std::swap_ranges(swapped.begin(), swapped.begin() + 64, swapped.begin() + 64);
  EXPECT_EQ(hash_bytes(swapped, 0), straight);
}

TEST(BuildId, IsHexAndConstant) {
  const std::string id = build_id();
  EXPECT_EQ(id, build_id());
  EXPECT_GE(id.size(), 16U);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos) << id;
}

}  // namespace
}  // namespace nntrain

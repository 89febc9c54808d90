#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <limits>

#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

using test::big_endian;
using test::contains;
using test::idx_header;
using test::load;
using test::load_error;
using test::Scratch;

const std::string kFashion = "/usr/share/datasets/fashion-mnist/";

TEST(Idx, FashionMnistImages) {
  const test::Loaded images = load(kFashion + "t10k-images-idx3-ubyte.gz");
  EXPECT_EQ(images.info.element, Element::kUint8);
  EXPECT_EQ(images.info.rows, 10000);
  EXPECT_EQ(images.info.sample, (Shape{28, 28}));
  EXPECT_EQ(images.info.bytes(), 7840000);
  const std::int64_t sum = [&] {
    std::int64_t total = 0;
    for (const std::byte b : images.memory) total += std::to_integer<int>(b);
    return total;
  }();
  EXPECT_NEAR(static_cast<double>(sum) / 7840000.0, 73.1465, 1e-3);  // the published mean, 0.2868 * 255
}

TEST(Idx, FashionMnistLabelsHoldEveryClassEquallyOften) {
  for (const auto& [name, per_class] :
       {std::pair("train-labels-idx1-ubyte.gz", 6000), {"t10k-labels-idx1-ubyte.gz", 1000}}) {
    const test::Loaded labels = load(test::options_for(kFashion + name, Role::kTargets));
    EXPECT_EQ(labels.info.sample, Shape{});
    std::array<int, 10> counts{};
    for (const std::byte label : labels.memory) ++counts.at(std::to_integer<std::size_t>(label));
    for (const int count : counts) EXPECT_EQ(count, per_class);
  }
  const test::Loaded test_labels = load(kFashion + "t10k-labels-idx1-ubyte.gz");
  EXPECT_EQ(std::to_integer<int>(test_labels.memory[0]), 9);  // an ankle boot
}

TEST(Idx, EveryElementType) {
  const Scratch scratch;
  std::string payload;
  const auto path = [&](unsigned type) { return scratch.write("a.idx", idx_header(type, {3}) + payload); };
  payload = std::string("\x00\x80\xFF", 3);
  EXPECT_EQ(load(path(8)).info.element, Element::kUint8);
  EXPECT_EQ(load(path(8)).floats(), (std::vector<float>{0, 128, 255}));
  EXPECT_EQ(load(path(9)).floats(), (std::vector<float>{0, -128, -1}));
  payload = big_endian(1, 2) + big_endian(0xFFFE, 2) + big_endian(0x7FFF, 2);
  EXPECT_EQ(load(path(0x0B)).floats(), (std::vector<float>{1, -2, 32767}));
  payload = big_endian(1, 4) + big_endian(0xFFFFFFFE, 4) + big_endian(70000, 4);
  EXPECT_EQ(load(path(0x0C)).floats(), (std::vector<float>{1, -2, 70000}));
  payload.clear();
  for (const float value : {0.1F, -2.5F, 1e30F})
    payload += big_endian(std::bit_cast<std::uint32_t>(value), 4);
  EXPECT_EQ(load(path(0x0D)).floats(), (std::vector<float>{0.1F, -2.5F, 1e30F}));
  payload.clear();
  for (const double value : {0.1, -2.5, 1e30}) payload += big_endian(std::bit_cast<std::uint64_t>(value), 8);
  EXPECT_EQ(load(path(0x0E)).floats(), (std::vector<float>{0.1F, -2.5F, 1e30F}));
}

TEST(Idx, PlainAndGzipAreEqual) {
  const Scratch scratch;
  const std::string bytes = idx_header(8, {2, 2, 3}) + "abcdefghijkl";
  const test::Loaded plain = load(scratch.write("a", bytes));
  const test::Loaded zipped = load(scratch.write("b", test::gzip(bytes)));
  EXPECT_EQ(plain.memory, zipped.memory);
  EXPECT_EQ(plain.info.sample, (Shape{2, 3}));
  EXPECT_EQ(fingerprint(plain.info, plain.memory), fingerprint(zipped.info, zipped.memory));
}

TEST(Idx, FingerprintsAreRecomputable) {
  // sha256sum of "uint8 (2, 2, 3)\nabcdefghijkl"
  const Scratch scratch;
  const test::Loaded array = load(scratch.write("a", idx_header(8, {2, 2, 3}) + "abcdefghijkl"));
  EXPECT_EQ(fingerprint(array.info, array.memory),
            "d731bd7441afebda2b002c8793391f65ede350efcaccad393a38bcaafa8864a5");
  const test::Loaded reshaped = load(scratch.write("b", idx_header(8, {2, 6}) + "abcdefghijkl"));
  EXPECT_NE(fingerprint(array.info, array.memory), fingerprint(reshaped.info, reshaped.memory));
}

TEST(Idx, NanAndInfAreNamedByRowAndValue) {
  const Scratch scratch;
  std::vector<float> values(40, 1.0F);
  const auto write = [&](float bad) {
    values[17] = bad;
    std::string payload;
    for (const float value : values) payload += big_endian(std::bit_cast<std::uint32_t>(value), 4);
    return scratch.write("a.idx", idx_header(0x0D, {10, 4}) + payload);
  };
  EXPECT_TRUE(
      contains(load_error(write(std::numeric_limits<float>::quiet_NaN())), "row 4, value 1 of data.inputs"));
  EXPECT_TRUE(contains(load_error(write(-std::numeric_limits<float>::infinity())), "is Inf"));
  std::string large;
  for (const double value : {1.0, 1e39}) large += big_endian(std::bit_cast<std::uint64_t>(value), 8);
  EXPECT_TRUE(contains(load_error(scratch.write("b.idx", idx_header(0x0E, {2}) + large)), "row 1, value 0"));
}

TEST(Idx, DamagedFilesAreRefused) {
  const Scratch scratch;
  const std::string whole = idx_header(8, {4, 3}) + "abcdefghijkl";
  const auto error = [&](const std::string& bytes) { return load_error(scratch.write("bad.idx", bytes)); };
  EXPECT_TRUE(contains(error(whole.substr(0, whole.size() - 1)),
                       "holds 23 bytes, but the shape (4, 3) of its IDX header needs 24"));
  EXPECT_TRUE(contains(error(whole + "m"), "needs 24"));
  EXPECT_TRUE(contains(error(whole.substr(0, 3)), "IDX header"));
  EXPECT_TRUE(contains(error(whole.substr(0, 7)), "IDX header"));
  EXPECT_TRUE(contains(error(idx_header(0x42, {4}) + "abcd"), "0x42"));
  EXPECT_TRUE(contains(error(idx_header(8, {0, 4})), "no samples"));
  EXPECT_TRUE(contains(error(idx_header(8, {})), "single number"));
  EXPECT_TRUE(contains(error(idx_header(8, {0x80000000, 0x1000}) + "abcd"), "needs 8796093022220"));
  EXPECT_TRUE(contains(error(idx_header(8, {0x80000000, 0x80000000}) + "abcd"), "(2147483648, 2147483648)"));
  EXPECT_TRUE(contains(error(idx_header(8, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}) + "abcd"),
                       "more than any file holds"));
  std::string garbled = whole;
  garbled[0] = 0x12;
  EXPECT_TRUE(contains(error(garbled), "12 00 08 02"));
  for (const std::string& bytes : {test::gzip(whole).substr(0, 20), test::gzip(whole.substr(0, 20)),
                                   test::gzip(idx_header(8, {0x80000000, 0x80000000}) + "abcd")}) {
    EXPECT_TRUE(contains(error(bytes), "bad.idx"));
  }
  std::string damaged = test::gzip(whole);
  damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 1);
  EXPECT_TRUE(contains(error(damaged), "damaged"));
}

TEST(Idx, WhatIsNoFile) {
  const Scratch scratch;
  EXPECT_TRUE(contains(load_error(scratch.path("none.idx")), "cannot open data.inputs"));
  EXPECT_TRUE(contains(load_error(scratch.path("none.h5") + ":/images"), "none.h5\": No such file"));
  EXPECT_TRUE(contains(load_error(scratch.folder()), "is a folder"));
  EXPECT_TRUE(contains(load_error(scratch.write("empty", "")), "is empty"));
  EXPECT_TRUE(contains(load_error(scratch.write("a.gz", test::gzip(""))), "is empty"));
  EXPECT_TRUE(
      contains(load_error(scratch.write("a.idx", idx_header(8, {1}) + "a") + ":/x"), "not an HDF5 file"));
  EXPECT_TRUE(contains(load_error(std::string()), "data.inputs is empty"));
}

}  // namespace
}  // namespace nntrain::data

#include <gtest/gtest.h>

#include <limits>

#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

using test::big_endian;
using test::contains;
using test::load;
using test::load_error;
using test::npy;
using test::raw_bytes;
using test::Scratch;

TEST(Npy, VersionsAndTypes) {
  const Scratch scratch;
  const std::vector<float> expected = {0, 1, 2, 3, 4, 5};
  const auto check = [&](const std::string& bytes) {
    const test::Loaded array = load(scratch.write("a.npy", bytes));
    EXPECT_EQ(array.info.rows, 3);
    EXPECT_EQ(array.info.sample, Shape{2});
    EXPECT_EQ(array.floats(), expected);
    return array.info.element;
  };
  const auto typed = [&]<class T>(T, const std::string& descr) {
    return check(npy("'" + descr + "'", "False", "(3, 2)", raw_bytes(std::vector<T>{0, 1, 2, 3, 4, 5})));
  };
  for (const int version : {1, 2, 3}) {
    EXPECT_EQ(check(npy("'<f4'", "False", "(3, 2)", raw_bytes(expected), version)), Element::kFloat32);
  }
  EXPECT_EQ(typed(std::uint8_t{}, "|u1"), Element::kUint8);
  EXPECT_EQ(typed(std::int8_t{}, "|i1"), Element::kFloat32);
  EXPECT_EQ(typed(std::uint16_t{}, "<u2"), Element::kFloat32);
  EXPECT_EQ(typed(std::int16_t{}, "<i2"), Element::kFloat32);
  EXPECT_EQ(typed(std::uint32_t{}, "<u4"), Element::kFloat32);
  EXPECT_EQ(typed(std::int32_t{}, "<i4"), Element::kFloat32);
  EXPECT_EQ(typed(std::uint64_t{}, "<u8"), Element::kFloat32);
  EXPECT_EQ(typed(std::int64_t{}, "<i8"), Element::kFloat32);
  EXPECT_EQ(typed(double{}, "<f8"), Element::kFloat32);
  check(npy("'>i2'", "False", "(3, 2)", std::string("\0\0\0\1\0\2\0\3\0\4\0\5", 12)));
  check(test::gzip(npy("'<f4'", "False", "(3, 2)", raw_bytes(expected))));
}

template <class T>
void expect_extremes(const Scratch& scratch, const std::string& descr) {
  using Limits = std::numeric_limits<T>;
  const std::vector<T> values = {Limits::lowest(), Limits::max(), T{1}, static_cast<T>(Limits::lowest() / 2)};
  const std::string name = "extremes" + descr.substr(1) + ".npy";
  const std::vector<float> found =
      load(scratch.write(name, npy("'" + descr + "'", "False", "(4,)", raw_bytes(values)))).floats();
  ASSERT_EQ(found.size(), values.size()) << descr;
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(found[i], static_cast<float>(values[i])) << descr << ", value " << i;
}

TEST(Npy, TheExtremesOfEveryTypeAreRead) {
  const Scratch scratch;
  expect_extremes<std::uint8_t>(scratch, "|u1");
  expect_extremes<std::int8_t>(scratch, "|i1");
  expect_extremes<std::uint16_t>(scratch, "<u2");
  expect_extremes<std::int16_t>(scratch, "<i2");
  expect_extremes<std::uint32_t>(scratch, "<u4");
  expect_extremes<std::int32_t>(scratch, "<i4");
  expect_extremes<std::uint64_t>(scratch, "<u8");
  expect_extremes<std::int64_t>(scratch, "<i8");
  expect_extremes<float>(scratch, "<f4");
  // A float64 beyond float32 has no float32 to become: an error, not Inf.
  const double beyond = 2.0 * static_cast<double>(std::numeric_limits<float>::max());
  EXPECT_FALSE(load_error(scratch.write(
                              "b.npy", npy("'<f8'", "False", "(1,)", raw_bytes(std::vector<double>{beyond}))))
                   .empty());
}

TEST(Npy, BooleansAndHalves) {
  const Scratch scratch;
  const test::Loaded flags =
      load(scratch.write("a.npy", npy("'|b1'", "False", "(2,)", std::string("\1\0", 2))));
  EXPECT_EQ(flags.info.element, Element::kUint8);
  EXPECT_EQ(flags.floats(), (std::vector<float>{1, 0}));
  // 1, -2, 65504 (the largest), 2^-24 (the smallest), 0.333251953125, -0
  const std::vector<std::uint16_t> halves = {0x3C00, 0xC000, 0x7BFF, 0x0001, 0x3555, 0x8000};
  EXPECT_EQ(load(scratch.write("h.npy", npy("'<f2'", "False", "(6,)", raw_bytes(halves)))).floats(),
            (std::vector<float>{1, -2, 65504, 0x1p-24F, 0.333251953125F, -0.0F}));
  EXPECT_TRUE(contains(
      load_error(scratch.write("h.npy", npy("'<f2'", "False", "(1,)", raw_bytes<std::uint16_t>({0x7C00})))),
      "Inf"));
  EXPECT_TRUE(contains(
      load_error(scratch.write("h.npy", npy("'<f2'", "False", "(1,)", raw_bytes<std::uint16_t>({0x7E00})))),
      "NaN"));
}

TEST(Npy, FortranOrderIsTurned) {
  const Scratch scratch;
  // value(i, j, k) = 100 i + 10 j + k, first index fastest
  std::vector<float> stored;
  std::vector<float> expected;
  for (int k = 0; k < 4; ++k) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) stored.push_back(static_cast<float>(100 * i + 10 * j + k));
    }
  }
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) {
      for (int k = 0; k < 4; ++k) expected.push_back(static_cast<float>(100 * i + 10 * j + k));
    }
  }
  const test::Loaded array =
      load(scratch.write("a.npy", npy("'<f4'", "True", "(2, 3, 4)", raw_bytes(stored))));
  EXPECT_EQ(array.info.sample, (Shape{3, 4}));
  EXPECT_EQ(array.floats(), expected);
  EXPECT_EQ(load(scratch.write("b.npy", npy("'<f4'", "True", "(24,)", raw_bytes(stored)))).floats(), stored);
  // A matrix: columns are stored, rows come out.
  const test::Loaded matrix = load(scratch.write(
      "c.npy", npy("'<f4'", "True", "(2, 3)", raw_bytes(std::vector<float>{1, 4, 2, 5, 3, 6}))));
  EXPECT_EQ(matrix.info.sample, Shape{3});
  EXPECT_EQ(matrix.floats(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST(Npy, NanIsNamedByRowAndValue) {
  const Scratch scratch;
  std::vector<double> values(12, 0.5);
  values[7] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(contains(load_error(scratch.write("a.npy", npy("'<f8'", "False", "(4, 3)", raw_bytes(values)))),
                       "row 2, value 1 of data.inputs"));
  EXPECT_TRUE(contains(load_error(scratch.write("a.npy", npy("'<f8'", "True", "(4, 3)", raw_bytes(values)))),
                       "row 3, value 1 of data.inputs"));
}

TEST(Npy, DamagedAndForeignFilesAreRefused) {
  const Scratch scratch;
  const std::string payload(24, '\0');
  const auto error = [&](const std::string& bytes) { return load_error(scratch.write("bad.npy", bytes)); };
  const std::string whole = npy("'<f4'", "False", "(3, 2)", payload);
  EXPECT_TRUE(contains(error(whole.substr(0, whole.size() - 1)), "the shape (3, 2) of its NPY header needs"));
  EXPECT_TRUE(contains(error(whole + "x"), "appended"));
  EXPECT_TRUE(contains(error(whole.substr(0, 7)), "NPY header"));
  EXPECT_TRUE(contains(error(whole.substr(0, 40)), "NPY header"));
  EXPECT_TRUE(contains(error(npy("'<f4'", "False", "(3, 2)", payload, 4)), "version 4"));
  EXPECT_TRUE(contains(error(npy("'|O'", "False", "(3, 2)", payload)), "'|O'"));
  EXPECT_TRUE(contains(error(npy("'<U4'", "False", "(3, 2)", payload)), "'<U4'"));
  EXPECT_TRUE(contains(error(npy("'<c8'", "False", "(3,)", payload)), "'<c8'"));
  EXPECT_TRUE(contains(error(npy("'<f3'", "False", "(4, 2)", payload)), "'<f3'"));
  EXPECT_TRUE(contains(error(npy("[('a', '<f4')]", "False", "(3, 2)", payload)), "several fields"));
  EXPECT_TRUE(contains(error(npy("'<f4'", "Maybe", "(3, 2)", payload)), "'fortran_order'"));
  EXPECT_TRUE(contains(error(npy("'<f4'", "False", "(3, -2)", payload)), "'shape'"));
  EXPECT_TRUE(contains(error(npy("'<f4'", "False", "(3, 2", payload)), "'shape'"));
  EXPECT_TRUE(contains(error(npy("'<f4'", "False", "()", payload.substr(0, 4))), "single number"));
  EXPECT_TRUE(contains(error(npy("'<f4'", "False", "(2147483648, 2147483648)", payload)),
                       "(2147483648, 2147483648)"));
  EXPECT_TRUE(contains(error(npy("'<f4'", "False", "(99999999999999999999,)", payload)), "'shape'"));
  EXPECT_TRUE(contains(error(std::string("\x93NUMPY\x02\x00\xFF\xFF\xFF\x7F", 12) + payload),
                       "claims 2147483647 bytes"));
}

TEST(Npy, WholeNumbersThatFloat32RoundsAreSaid) {
  const Scratch scratch;
  const auto notes = [&](const std::string& descr, const std::string& payload) {
    const std::vector<std::string> all =
        load(scratch.write("n.npy", npy(descr, "False", "(2,)", payload))).info.notes;
    return all.empty() ? std::string() : all.back();
  };
  const std::string said =
      "n.npy\" holds whole numbers beyond 2^24, which float32 rounds: 16777217 becomes 16777216";
  EXPECT_TRUE(contains(notes("'<i8'", raw_bytes<std::int64_t>({3, 16777217})), said));
  EXPECT_TRUE(contains(notes("'<u8'", raw_bytes<std::uint64_t>({3, 16777217})), said));
  EXPECT_TRUE(contains(notes("'<i4'", raw_bytes<std::int32_t>({3, 16777217})), said));
  EXPECT_TRUE(contains(notes("'<u4'", raw_bytes<std::uint32_t>({3, 16777217})), said));
  EXPECT_TRUE(contains(notes("'<f8'", raw_bytes<double>({3, 16777217})), said));
  EXPECT_TRUE(contains(notes("'>i4'", big_endian(3, 4) + big_endian(16777217, 4)), said));
  EXPECT_EQ(notes("'<i8'", raw_bytes<std::int64_t>({-16777216, 1LL << 40})), "");
  EXPECT_EQ(notes("'<f8'", raw_bytes<double>({0.1, 16777216})), "");
}

}  // namespace
}  // namespace nntrain::data

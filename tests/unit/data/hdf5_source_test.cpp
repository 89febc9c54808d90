#include <gtest/gtest.h>

#include <numeric>

#include "io/hdf5.h"
#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

using test::contains;
using test::load;
using test::load_error;
using test::Scratch;

std::string fixture(const std::string& name) { return NNTRAIN_TESTS_DIR "/unit/io/files/" + name; }

TEST(Hdf5Source, NumbersOfEveryWidth) {
  for (const char* name : {"i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "big_f4"}) {
    const test::Loaded array = load(fixture("types.h5") + ":/" + name);
    EXPECT_EQ(array.info.element, std::string(name) == "u1" ? Element::kUint8 : Element::kFloat32) << name;
    EXPECT_EQ(array.info.rows, 3);
    EXPECT_EQ(array.info.sample, Shape{2});
    EXPECT_EQ(array.floats(), (std::vector<float>{0, 1, 2, 3, 4, 5})) << name;
  }
  EXPECT_EQ(load(fixture("types.h5") + ":bool").info.element, Element::kUint8);
  EXPECT_EQ(load(fixture("types.h5") + ":bool").floats(), (std::vector<float>{1, 0, 1}));
}

TEST(Hdf5Source, RanksGroupsAndCompression) {
  const test::Loaded rank4 = load(fixture("types.h5") + ":/rank4");
  EXPECT_EQ(rank4.info.rows, 2);
  EXPECT_EQ(rank4.info.sample, (Shape{3, 2, 2}));
  EXPECT_EQ(load(fixture("types.h5") + ":group/inner").floats(), (std::vector<float>{1, 1}));
  EXPECT_EQ(load(fixture("types.h5") + ":/group/inner").info.sample, Shape{});
  std::vector<float> expected(6000);
  std::iota(expected.begin(), expected.end(), 0.0F);
  EXPECT_EQ(load(fixture("types.h5") + ":/gzip").floats(), expected);
}

TEST(Hdf5Source, ColonsInDatasetNames) {
  EXPECT_EQ(load(fixture("types.h5") + ":/kernel:0").floats(), (std::vector<float>{7, 7}));
}

TEST(Hdf5Source, TheOnlyDatasetNeedsNoName) {
  EXPECT_EQ(load(fixture("single.h5")).floats(), (std::vector<float>{0, 1, 2, 3}));
  const std::string message = load_error(fixture("types.h5"));
  EXPECT_TRUE(contains(message, "/f4, /f8"));
  EXPECT_TRUE(contains(message, "FILE:/DATASET"));
}

TEST(Hdf5Source, NanAndInfAreNamedByRowAndValue) {
  const std::string message = load_error(fixture("types.h5") + ":/nan");
  EXPECT_TRUE(contains(message, "row 2, value 1 of data.inputs"));
  EXPECT_TRUE(contains(message, "/nan is NaN"));
  EXPECT_TRUE(contains(load_error(fixture("types.h5") + ":/inf"), "row 1, value 0"));
  EXPECT_TRUE(contains(load_error(fixture("types.h5") + ":/large_f8"), "too large for float32"));
}

TEST(Hdf5Source, RefusedWithKeyAndReason) {
  const auto error = [](const std::string& source) {
    const std::string message = load_error(fixture(source));
    EXPECT_TRUE(contains(message, "data.inputs"));
    return message;
  };
  EXPECT_TRUE(contains(error("single.h5:/nothing"), "there is \"group\", \"only\""));
  EXPECT_TRUE(contains(error("types.h5:/text"), "string"));
  EXPECT_TRUE(contains(error("types.h5:/vlen_text"), "string"));
  EXPECT_TRUE(contains(error("types.h5:/compound"), "compound"));
  EXPECT_TRUE(contains(error("types.h5:/scalar"), "single number"));
  EXPECT_TRUE(contains(error("types.h5:/null"), "null"));
  EXPECT_TRUE(contains(error("types.h5:/group"), "not a dataset"));
  EXPECT_TRUE(contains(error("links.h5:/external"), "external link"));
  EXPECT_TRUE(contains(error("links.h5:/soft"), "soft link"));
  EXPECT_TRUE(contains(error("storage.h5:/outside"), "external storage"));
  EXPECT_TRUE(contains(error("storage.h5:/never_written"), "2147483648"));
  EXPECT_TRUE(contains(error("virtual.h5:/virtual"), "virtual"));
}

TEST(Hdf5Source, TruncatedAndCompressedFiles) {
  const Scratch scratch;
  const std::string whole = test::read_file(fixture("types.h5"));
  EXPECT_TRUE(
      contains(load_error(scratch.write("cut.h5", whole.substr(0, whole.size() / 2)) + ":/f4"), "truncated"));
  EXPECT_TRUE(contains(load_error(scratch.write("a.h5.gz", test::gzip(whole))), "gunzip"));
}

TEST(Hdf5Source, LargeDatasetsWrittenByUs) {
  const Scratch scratch;
  std::vector<float> values(500000);
  std::iota(values.begin(), values.end(), 0.0F);
  io::Hdf5File file = io::Hdf5File::create(scratch.path("a.h5"));
  file.root().write_dataset("x", Shape{1000, 500}, values);
  file.close();
  EXPECT_EQ(load(scratch.path("a.h5") + ":/x").floats(), values);
}

/// What convert wrote of a table is read again; anybody may have written it.
TEST(Hdf5Source, NamesOfConvertedFilesAreChecked) {
  const Scratch scratch;
  const auto with = [&](const std::string& table, const std::vector<std::string>& columns) {
    const std::string path = scratch.path("names.h5");
    io::Hdf5File file = io::Hdf5File::create(path);
    file.root().write_dataset("inputs", Shape{2, 2}, std::vector<float>{1, 2, 3, 4});
    file.root().write_attribute("written_by", "nntrain-dist convert");
    file.root().write_attribute("inputs_table", table);
    file.root().write_attribute("inputs_columns", columns);
    file.close();
    return path + ":/inputs";
  };
  const std::string good =
      R"({"named":true,"width":2,"columns":[{"name":"a","index":0,"kind":"auto"},{"name":"b","index":1}]})";
  EXPECT_EQ(load(with(good, {"a", "b"})).info.columns, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(contains(load_error(with(good, {"a"})), "names 1 columns"));
  for (const char* bad :
       {"", "[", "7", "[1]", R"({"named":3})", R"({"columns":7})", R"({"columns":[7]})",
        R"({"columns":[{"name":7}]})", R"({"columns":[{"categories":[1]}]})", R"({"columns":[{"fill":[]}]})",
        R"({"columns":[{"index":"x"}]})", R"({"label_names":"x"})", R"({"numbers":{"decimal":1}})"})
    EXPECT_TRUE(contains(load_error(with(bad, {"a", "b"})), "inputs_table")) << bad;
}

TEST(BlockRows, AreWholeChunksOrAPowerOfTwoNearOneMegabyte) {
  ArrayInfo info;
  info.element = Element::kUint8;
  info.rows = 100000;
  info.sample = Shape{28, 28};
  EXPECT_EQ(block_rows_of(info), 1024);
  info.chunk_rows = 100;
  EXPECT_EQ(block_rows_of(info), 1300);
  info.chunk_rows = 5000;  // a chunk is read whole
  EXPECT_EQ(block_rows_of(info), 5000);
  info.chunk_rows = 0;
  info.sample = Shape{2048, 2048};
  EXPECT_EQ(block_rows_of(info), 1);
}

TEST(BlockRows, ComeFromTheChunksOfTheFile) {
  const std::unique_ptr<ArraySource> chunked = open_array(test::options_for(fixture("types.h5") + ":/gzip"));
  EXPECT_GT(chunked->info().chunk_rows, 0);
  EXPECT_LE(chunked->info().chunk_rows, chunked->info().rows);
  EXPECT_EQ(block_rows_of(chunked->info()) % chunked->info().chunk_rows, 0);
  EXPECT_EQ(open_array(test::options_for(fixture("types.h5") + ":/f4"))->info().chunk_rows, 0);
}

}  // namespace
}  // namespace nntrain::data

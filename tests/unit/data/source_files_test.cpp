// Several files as one source: lists, patterns, their order, and what must agree.

#include <gtest/gtest.h>

#include <numeric>

#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

using test::contains;
using test::load;
using test::load_error;
using test::options_for;
using test::Scratch;

std::string npy_of(const std::vector<float>& values, const std::string& shape) {
  return test::npy("'<f4'", "False", shape, test::raw_bytes(values));
}

TEST(SourceFiles, APatternsFilesCountInNaturalOrder) {
  const Scratch scratch;
  for (int i = 1; i <= 11; ++i)
    scratch.write("part" + std::to_string(i) + ".npy", npy_of({static_cast<float>(i), 0}, "(1, 2)"));
  const test::Loaded all = load(scratch.path("part*.npy"));
  ASSERT_EQ(all.info.rows, 11);
  for (int i = 0; i < 11; ++i)
    EXPECT_EQ(all.floats()[static_cast<std::size_t>(2 * i)], static_cast<float>(i + 1));
  EXPECT_TRUE(contains(all.info.notes.front(), "11 rows in 11 files"));
}

TEST(SourceFiles, AListIsReadInItsOwnOrderHoweverItIsWritten) {
  const Scratch scratch;
  const std::string a = scratch.write("a.npy", npy_of({1, 2}, "(2,)"));
  const std::string b = scratch.write("b.npy", npy_of({3}, "(1,)"));
  const std::vector<float> expected = {3, 1, 2};
  for (const std::string& list : {b + ", " + a, "[" + b + "," + a + "]", "['" + b + "', \"" + a + "\"]",
                                  "\"" + b + "\", \"" + a + "\""})
    EXPECT_EQ(load(list).floats(), expected) << list;
}

TEST(SourceFiles, AFileWhoseNameHasCommasAndStarsIsOneFile) {
  const Scratch scratch;
  const std::string path = scratch.write("a,b*[1].npy", npy_of({5}, "(1,)"));
  EXPECT_EQ(load(path).floats(), std::vector<float>{5});
}

TEST(SourceFiles, WhatDoesNotAgreeIsNamedWithBothFiles) {
  const Scratch scratch;
  scratch.write("a.npy", npy_of({1, 2}, "(1, 2)"));
  scratch.write("b.npy", npy_of({1, 2, 3}, "(1, 3)"));
  const std::string shapes = load_error(scratch.path("[ab].npy"));
  EXPECT_TRUE(contains(shapes, "b.npy\" holds samples of shape (3,)")) << shapes;
  EXPECT_TRUE(contains(shapes, "a.npy\" of shape (2,)")) << shapes;
  scratch.write("c.npy", test::npy("'|u1'", "False", "(1, 2)", "ab"));
  EXPECT_TRUE(contains(load_error(scratch.path("[ac].npy")), "c.npy\" holds bytes"));
  scratch.write("d.csv", "1,2\n3,4\n");
  EXPECT_TRUE(contains(load_error(scratch.path("a.npy") + "," + scratch.path("d.csv")), "one format"));
  EXPECT_TRUE(contains(load_error(scratch.path("x*.npy")), "no file matches"));
  EXPECT_TRUE(contains(load_error(scratch.path("a.npy") + "," + scratch.path("a.npy")), "twice"));
  scratch.write("n.npy", npy_of({1, NAN}, "(1, 2)"));
  const std::string nan = load_error(scratch.path("[an].npy"));
  EXPECT_TRUE(contains(nan, "n.npy") && contains(nan, "row 0, value 1")) << nan;
  EXPECT_TRUE(contains(load_error(scratch.path("a.npy") + ", " + scratch.path("gone.npy")), "gone.npy"));
}

TEST(SourceFiles, TablesAreOneTable) {
  const Scratch scratch;
  scratch.write("t1.csv", "id,town,x,y\n0,Ulm,1,5\n1,Bonn,2,6\n");
  scratch.write("t2.csv", "id;y;x;town\n0;7;3,5;Kiel\n1;8;4,25;Ulm\n");  // other order, other marks
  SourceOptions options = options_for(scratch.path("t*.csv"));
  options.exclude_columns = "y";
  options.table.columns = "town: categorical";
  const test::Loaded all = load(options);
  EXPECT_EQ(all.info.columns, (std::vector<std::string>{"town_Bonn", "town_Kiel", "town_Ulm", "x"}));
  EXPECT_EQ(all.floats(), (std::vector<float>{0, 0, 1, 1, 1, 0, 0, 2, 0, 1, 0, 3.5F, 0, 0, 1, 4.25F}));
  options.exclude_columns.clear();
  options.role = Role::kTargets;
  options.columns = "y";
  EXPECT_EQ(load(options).floats(), (std::vector<float>{5, 6, 7, 8}));
}

TEST(SourceFiles, AllFilesOfATableFillItsGaps) {
  const Scratch scratch;
  scratch.write("t1.csv", "a,b\n1,2\n,3\n");
  scratch.write("t2.csv", "a,b\n4,5\n");
  SourceOptions options = options_for(scratch.path("t1.csv") + "," + scratch.path("t2.csv"));
  options.table.missing = "mean";
  EXPECT_EQ(load(options).floats(), (std::vector<float>{1, 2, 2.5F, 3, 4, 5}));
}

TEST(SourceFiles, TablesThatAreNotOneAreRefused) {
  const Scratch scratch;
  const std::string first = scratch.write("t1.csv", "a,b\n1,2\n3,4\n");
  const auto with = [&](const std::string& text) {
    return load_error(first + "," + scratch.write("t2.csv", text));
  };
  EXPECT_TRUE(contains(with("a,c\n1,2\n"), "no column \"b\""));
  EXPECT_TRUE(contains(with("a,b,c\n1,2,3\n"), "has 3 columns"));
  const std::string bad = with("a,b\n1,2\n1,x\n");
  EXPECT_TRUE(contains(bad, "t2.csv") && contains(bad, "line 3 (row 3)") && contains(bad, "\"x\"")) << bad;
  EXPECT_TRUE(contains(with("a,b\n"), "no rows"));
  // The parts of `split`: a header in the first alone.
  EXPECT_EQ(load(first + "," + scratch.write("t2.csv", "5,6\n7,8\n")).floats(),
            (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(SourceFiles, SvmlightRowsMayEndEarly) {
  const Scratch scratch;
  scratch.write("1.svm", "1 1:2\n0 2:3\n");
  scratch.write("2.svm", "1 4:5\n");
  EXPECT_EQ(load(scratch.path("?.svm")).floats(), (std::vector<float>{2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 5}));
}

TEST(SourceFiles, Hdf5PatternsName) {
  const std::string folder = NNTRAIN_TESTS_DIR "/unit/io/files/";
  const test::Loaded all = load(folder + "typ*.h5:/f4");
  EXPECT_EQ(all.info.rows, 3);
  const test::Loaded two = load(folder + "types.h5:/f4, " + folder + "types.h5:/f8");
  EXPECT_EQ(two.floats(), (std::vector<float>{0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace nntrain::data

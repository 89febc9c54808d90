// data.columns = auto: kinds of columns from all rows, where all of them agree.

#include <gtest/gtest.h>

#include <sstream>

#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

using test::contains;
using test::load;
using test::options_for;
using test::Scratch;

constexpr const char* kTown =
    "id,area,town,heated,built,note\n7,1.5,Ulm,yes,2021-03-01,a\n3,2,Kiel,no,2021-03-02,b\n9,,Ulm,no,,c\n4,5,"
    "Kiel,yes,"
    "2021-03-09,d\n";

TEST(FoundKinds, AreThoseThatSomebodyWouldHaveWritten) {
  const Scratch scratch;
  SourceOptions found = options_for(scratch.write("t.csv", kTown)), told = found;
  found.table.columns = "auto, note: ignore";
  found.table.missing = told.table.missing = "median";
  told.table.columns = "town: categorical, heated: boolean, built: date, note: ignore";
  const test::Loaded a = load(found), b = load(told);
  EXPECT_EQ(a.memory, b.memory);
  EXPECT_EQ(a.info.columns, b.info.columns);
  EXPECT_EQ(a.info.columns, (std::vector<std::string>{"area", "town_Kiel", "town_Ulm", "heated", "built"}));
  ASSERT_GE(a.info.notes.size(), 2U);
  const std::string& note = a.info.notes[1];
  for (const char* said : {"found in 4 rows", "area: numeric, 1 missing", "town: categorical (2: Kiel, Ulm)",
                           "heated: boolean", "built: date (2021-03-01, ...), 1 missing"})
    EXPECT_TRUE(contains(note, said)) << said << " is not in " << note;
}

TEST(FoundKinds, WhatIsNotClearStaysAnErrorThatAsks) {
  const Scratch scratch;
  const auto error_of = [&](const std::string& cells) {
    std::string text = "a,b\n";
    std::istringstream lines(cells);
    for (std::string cell; std::getline(lines, cell);) text += "1," + cell + "\n";
    SourceOptions options = options_for(scratch.write("t.csv", text));
    options.table.columns = "auto";
    return test::load_error(options);
  };
  for (const char* cells : {"1\n2\nUlm\nUlm\n", "Ulm\nKiel\nAu\nHof\n", "2021-03-01\nUlm\nUlm\n2021-03-01\n",
                            "$1\n$2\n$1\n$2\n", "1/2\n1/2\n3/4\n3/4\n"})
    EXPECT_TRUE(contains(error_of(cells), "column \"b\"")) << cells << error_of(cells);
}

TEST(FoundKinds, OfSeveralFilesAreOneAndOfAFileWithoutAHeaderByIndex) {
  const Scratch scratch;
  scratch.write("p1.csv", "a,town\n1,Ulm\n2,Ulm\n");
  scratch.write("p2.csv", "town;a\nKiel;1,5\nKiel;2,5\n");
  SourceOptions options = options_for(scratch.path("p*.csv"));
  options.table.columns = "auto";
  EXPECT_EQ(load(options).floats(), (std::vector<float>{1, 0, 1, 2, 0, 1, 1.5F, 1, 0, 2.5F, 1, 0}));
  options = options_for(scratch.write("n.csv", "1,x\n2,y\n3,x\n4,y\n"));
  options.table.columns = "auto";
  options.table.header = "no";
  EXPECT_EQ(load(options).floats(), (std::vector<float>{1, 1, 0, 2, 0, 1, 3, 1, 0, 4, 0, 1}));
}

TEST(Categories, ThatDifferInSpellingAloneAreNoticed) {
  const Scratch scratch;
  SourceOptions options = options_for(scratch.write("t.csv", "town,a\nUlm,1\nulm,2\nKiel,3\n"));
  options.table.columns = "town: categorical";
  const std::vector<std::string> notes = load(options).info.notes;
  EXPECT_TRUE(std::any_of(notes.begin(), notes.end(), [](const std::string& note) {
    return contains(note, "\"Ulm\" and \"ulm\" are two categories");
  }));
}

TEST(Categories, MayBeManyAsIndicesButNotAsColumns) {
  const Scratch scratch;
  std::string text = "patient,a\n";
  for (int i = 0; i < 12000; ++i) text += "p" + std::to_string(i) + ",1\n";
  SourceOptions options = options_for(scratch.write("t.csv", text));
  options.table.columns = "patient: categorical(indices)";
  EXPECT_EQ(load(options).info.sample, Shape{2});
  options.table.columns = "patient: categorical";
  EXPECT_TRUE(contains(test::load_error(options), "more than 10000 categories"));
}

}  // namespace
}  // namespace nntrain::data

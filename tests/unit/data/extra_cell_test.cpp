// Rows with one cell more than the header: no value stands under its neighbour's name in silence.

#include <gtest/gtest.h>

#include <algorithm>

#include "data/tables/table_stream.h"
#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

using test::contains;
using test::load;
using test::load_error;
using test::Loaded;
using test::options_for;
using test::Scratch;

std::string all_notes(const Loaded& loaded) {
  std::string text;
  for (const std::string& note : loaded.info.notes) text += note + "\n";
  return text;
}

TEST(ExtraCell, AnEmptyOneAtTheEndOfEachRowIsNoColumn) {
  const Scratch scratch;
  for (const std::string mark : {",", ";", "\t", "|"}) {
    for (const std::string end : {"\n", "\r\n", " \n"}) {
      std::string text = "y" + mark + "a" + mark + "b\n";
      for (const char* row : {"10 1 2 ", "20 3 4 ", "30 5 6 "}) {
        for (const char* c = row; *c != '\0'; ++c) text += *c == ' ' ? mark : std::string(1, *c);
        text += end;
      }
      SourceOptions options = options_for(scratch.write("t.csv", text));
      Loaded loaded = load(options);
      EXPECT_EQ(loaded.floats(), (std::vector<float>{10, 1, 2, 20, 3, 4, 30, 5, 6})) << text;
      // Numbers between tabs are numbers between blanks, which end no row with a cell.
      EXPECT_EQ(contains(all_notes(loaded), "the empty cell is no column"), mark != "\t")
          << all_notes(loaded);
      options.columns = "a";
      EXPECT_EQ(load(options).floats(), (std::vector<float>{1, 3, 5})) << text;
      SourceOptions targets = options_for(options.source, Role::kTargets);
      targets.columns = "y";
      EXPECT_EQ(load(targets).floats(), (std::vector<float>{10, 20, 30})) << text;
      EXPECT_FALSE(contains(all_notes(load(targets)), "is no column"));  // the inputs have said it
      targets.of_one_table = false;
      EXPECT_EQ(contains(all_notes(load(targets)), "is no column"), mark != "\t");
    }
  }
  // A single row, quotes, names that are numbers and declared to be names.
  EXPECT_EQ(load(scratch.write("t.csv", "y,a,b\n10,1,2,\n")).floats(), (std::vector<float>{10, 1, 2}));
  EXPECT_EQ(load(scratch.write("t.csv", "y,a,b\n10,\"1\",2,\"\"\n20,3,4,\n30,5,\"6\",\n")).info.rows, 3);
  SourceOptions numbers = options_for(scratch.write("t.csv", "2018,2019\n1,2,\n3,4,\n"));
  numbers.table.header = "yes";
  EXPECT_EQ(load(numbers).floats(), (std::vector<float>{1, 2, 3, 4}));
}

TEST(ExtraCell, RowNamesAreSaid) {
  const Scratch scratch;
  const Loaded loaded = load(scratch.write("t.csv", "\"a\",\"b\"\n\"1\",10,20\n\"2\",30,40\n"));
  EXPECT_EQ(loaded.floats(), (std::vector<float>{10, 20, 30, 40}));
  EXPECT_TRUE(contains(all_notes(loaded), "the first one is taken for the row's name")) << all_notes(loaded);
}

TEST(ExtraCell, RowsThatEndInSeveralWaysAreAskedFor) {
  const Scratch scratch;
  const std::string mixed = load_error(scratch.write("t.csv", "y,a,b\n10,1,2,\n20,3,4\n30,5,6,\n"));
  EXPECT_TRUE(contains(mixed, "line 2 (row 0, \"10,1,2,\")") && contains(mixed, "line 3 (row 1, \"20,3,4\")"))
      << mixed;
  const std::string filled = load_error(scratch.write("t.csv", "y,a,b\n10,1,2,\n20,3,4,5\n30,5,6,\n"));
  EXPECT_TRUE(contains(filled, "line 2 (row 0") && contains(filled, "line 3 (row 1")) << filled;
  std::string late = "y,a,b\n";
  for (int i = 0; i < 300; ++i) late += "1,2,3,\n";
  for (const char* last : {"4,5,6\n", "4,5,6,7\n"}) {
    const std::string error = load_error(scratch.write("t.csv", late + last));
    EXPECT_TRUE(contains(error, "line 302 (row 300") && contains(error, "end all rows in one way")) << error;
  }
}

TEST(ExtraCell, RowsReadAgainAndFromAStreamAreTheSame) {
  const Scratch scratch;
  std::string text = "y,a,b\n";
  for (int i = 0; i < 3000; ++i) text += std::to_string(i) + ",1,2,\n";
  SourceOptions options = options_for(scratch.write("t.csv", text));
  options.by_rows = true;
  options.most_bytes = 1000;
  options.columns = "y";
  const std::unique_ptr<ArraySource> source = open_array(options);
  std::vector<float> rows(2);
  source->read_rows(2500, 2, std::as_writable_bytes(std::span(rows)));
  EXPECT_EQ(rows, (std::vector<float>{2500, 2501}));

  SourceOptions trained = options_for("-");
  trained.training = load(scratch.write("t.csv", "a,b\n1,2\n3,5\n5,6\n")).info.table;
  TableStream names(trained, "standard input");  // row names: what the first block is, the others are too
  EXPECT_EQ(names.add("a,b\n7,1,2\n", false).values, (std::vector<float>{1, 2}));
  EXPECT_NE(test::message_of<InputError>([&] { names.add("8,3,\n", true); }), "");
  TableStream ends(trained, "standard input");
  EXPECT_EQ(ends.add("a,b\n1,2,\n", false).values, (std::vector<float>{1, 2}));
  EXPECT_EQ(ends.add("3,4,\n", true).values, (std::vector<float>{3, 4}));
}

}  // namespace
}  // namespace nntrain::data

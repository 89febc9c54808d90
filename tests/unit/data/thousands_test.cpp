// What stands between thousands.

#include <gtest/gtest.h>

#include <algorithm>

#include "data/tables/table_stream.h"
#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

using test::contains;
using test::load;
using test::options_for;
using test::Scratch;

TEST(Thousands, BlanksThatDoNotBreakLinesStandBetweenThousandsNotBeforeAUnit) {
  const Scratch scratch;
  for (const char* blank : {"\xC2\xA0", "\xE2\x80\xAF", " "}) {
    const std::string text = std::string("a;y\n1") + blank + "000;1\n2" + blank + "000,5;2\n";
    SourceOptions options = options_for(scratch.write("t.csv", text));
    EXPECT_TRUE(contains(test::load_error(options), "data.thousands = blank")) << test::load_error(options);
    options.table.columns = "a: numeric";  // as a number with the unit "000" it would be 1
    EXPECT_TRUE(contains(test::load_error(options), "column \"a\"")) << test::load_error(options);
    options.table.columns.clear();
    options.table.thousands = "blank";
    options.table.decimal = ",";
    EXPECT_EQ(load(options).floats(), (std::vector<float>{1000, 1, 2000.5F, 2})) << text;
  }
  SourceOptions unit = options_for(scratch.write("t.csv", "a,y\n85\xC2\xA0m2,1\n90\xC2\xA0m2,2\n"));
  unit.table.columns = "a: numeric";
  EXPECT_EQ(load(unit).floats(), (std::vector<float>{85, 1, 90, 2}));
}

TEST(Thousands, OneReadingForAllFilesOfASource) {
  const Scratch scratch;
  const std::string first = scratch.write("g1.csv", "a;y\n1.234,5;2\n850,25;3\n");
  const std::string open = scratch.write("g2.csv", "a;y\n2.310;2\n1.500;3\n");
  const std::string whole = scratch.write("g3.csv", "a;y\n7;2\n");
  for (const std::string& order :
       {first + ", " + open, open + ", " + first, whole + ", " + open + ", " + first}) {
    const test::Loaded loaded = load(order);
    const std::vector<float> values = loaded.floats();
    for (const float value : {1234.5F, 850.25F, 2310.0F, 1500.0F})
      EXPECT_EQ(std::count(values.begin(), values.end(), value), 1) << order << value;
    bool said = false;
    for (const std::string& note : loaded.info.notes)
      said = said || (contains(note, "\"2.310\" is read with a decimal comma") && contains(note, "g1.csv"));
    EXPECT_TRUE(said) << order;
  }
  // A file that speaks for itself keeps its reading, with a note.
  const std::string point = scratch.write("g4.csv", "a;y\n2.310;2\n1.5;3\n");
  const test::Loaded both = load(first + ", " + point);
  EXPECT_EQ(both.floats()[4], 2.31F);
  EXPECT_TRUE(contains(both.info.notes.back(), "a decimal point here and a decimal comma in"))
      << both.info.notes.back();
}

TEST(Thousands, APointBetweenSemicolonsIsAskedForUnlessTheTrainingTells) {
  const Scratch scratch;
  SourceOptions options = options_for(scratch.write("new.csv", "a;y\n1.234;1990\n2.310;1975\n"));
  const std::string error = test::load_error(options);
  EXPECT_TRUE(contains(error, "new.csv") && contains(error, "\"1.234\"") &&
              contains(error, "data.decimal = . or data.thousands = ."))
      << error;
  SourceOptions keys = options;
  keys.table.decimal = ".";
  EXPECT_EQ(load(keys).floats(), (std::vector<float>{1.234F, 1990, 2.31F, 1975}));
  keys.table.decimal.clear();
  keys.table.thousands = ".";
  EXPECT_EQ(load(keys).floats(), (std::vector<float>{1234, 1990, 2310, 1975}));
  const std::string tabs = scratch.write("tabs.csv", "a\ty\n1.234\t1990\n");
  EXPECT_TRUE(contains(load(tabs).info.notes.back(), "\"1.234\" is read with a decimal point"));

  const std::vector<std::pair<std::string, float>> trainings = {{"1.234,5", 1234}, {"12.5", 1.234F}};
  for (const auto& [cell, first] : trainings) {
    options.training = load(scratch.write("train.csv", "a;y\n" + cell + ";1\n" + cell + ";2\n")).info.table;
    const test::Loaded loaded = load(options);
    EXPECT_EQ(loaded.floats()[0], first);
    EXPECT_TRUE(contains(loaded.info.notes.back(), "as the numbers of the training"))
        << loaded.info.notes.back();
    TableStream stream(options, "standard input");
    EXPECT_EQ(stream.add("a;y\n1.234;1990\n", true).values[0], first);
  }
}

}  // namespace
}  // namespace nntrain::data

// data.quote: what stands round cells.

#include <gtest/gtest.h>

#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

using test::contains;
using test::load;
using test::options_for;
using test::Scratch;

TEST(Quotes, AreWhatTheKeySaysOrNone) {
  const Scratch scratch;
  SourceOptions single =
      options_for(scratch.write("s.csv", "a,'b,c',y\n'1','2','3'\n'4','it''s\nlong','6'\n"));
  single.table.columns = "\"b,c\": ignore";
  EXPECT_FALSE(test::load_error(single).empty());
  single.table.quote = "'";
  EXPECT_EQ(load(single).floats(), (std::vector<float>{1, 3, 4, 6}));
  SourceOptions none = options_for(scratch.write("n.tsv", "size\tname\ty\n1\t\"tall\t2\n3\tof 5\"\t4\n"));
  none.table.columns = "name: categorical";
  EXPECT_EQ(load(none).info.rows, 1);  // as pandas: one cell from quote to quote
  none.table.quote = "none";
  const test::Loaded loaded = load(none);
  EXPECT_EQ(loaded.info.columns, (std::vector<std::string>{"size", "name_\"tall", "name_of 5\"", "y"}));
  EXPECT_EQ(loaded.floats(), (std::vector<float>{1, 1, 0, 2, 3, 0, 1, 4}));
  none.table.quote = "''";
  EXPECT_TRUE(contains(test::load_error(none), "data.quote = '' is no single character"));
}

TEST(Quotes, OfAnotherKindAreNamedWhereTheyStandRoundNumbers) {
  const Scratch scratch;
  const std::string error = test::load_error(scratch.write("s.csv", "a,b,y\n'1','2',2\n'2','3',3\n"));
  EXPECT_TRUE(contains(error, "data.quote = '")) << error;
}

TEST(Quotes, ExcelsFirstLineThatNamesTheDelimiterIsNoRow) {
  const Scratch scratch;
  for (const char* text :
       {"sep=;\na;b\n1,5;2\n3;4\n", "sep=;\r\na;b\r\n1,5;2\r\n3;4\r\n", "sep=|\na|b\n1.5|2\n3|4\n"}) {
    const test::Loaded loaded = load(options_for(scratch.write("t.csv", text)));
    EXPECT_EQ(loaded.info.columns, (std::vector<std::string>{"a", "b"})) << text;
    EXPECT_EQ(loaded.floats(), (std::vector<float>{1.5F, 2, 3, 4})) << text;
  }
}

TEST(Quotes, HexadecimalNumbersAreNoZerosWithAUnit) {
  const Scratch scratch;
  SourceOptions options = options_for(scratch.write("t.csv", "a,b\n0x10,2\n0x10,4\n"));
  options.table.columns = "a: numeric";
  EXPECT_TRUE(contains(test::load_error(options), "\"0x10\" is not a number")) << test::load_error(options);
}

}  // namespace
}  // namespace nntrain::data

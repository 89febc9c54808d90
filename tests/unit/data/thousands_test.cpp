// What stands between thousands.

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace nntrain::data

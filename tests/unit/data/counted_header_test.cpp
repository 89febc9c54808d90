// What pandas writes above an array: a first row that counts the columns.

#include <gtest/gtest.h>

#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

using test::contains;
using test::load;
using test::Scratch;

SourceOptions of_text(const Scratch& scratch, const std::string& text) {
  return test::options_for(scratch.write("t.csv", text));
}

void expect_error(const SourceOptions& options, const std::vector<std::string>& parts) {
  const std::string error = test::load_error(options);
  for (const std::string& part : parts) EXPECT_TRUE(contains(error, part)) << error;
}

TEST(HeaderRule, AFirstRowThatCountsTheColumnsIsAsked) {
  const Scratch scratch;
  for (const char* first : {"0,1", "0,1,2", ",0,1", "0,1,2,3,4,5,6,7,8,9,10"}) {
    std::string row = first;
    for (char& c : row) c = c == ',' ? c : '7';
    if (row.front() == ',') row.insert(0, "5");
    expect_error(of_text(scratch, std::string(first) + "\n" + row + "\n" + row + "\n"),
                 {"line 1", first, "header or a row", "data.header = yes or data.header = no"});
  }
  SourceOptions counted = of_text(scratch, "0,1\n1,2\n3,4\n");
  counted.table.header = "yes";
  const test::Loaded trained = load(counted);
  EXPECT_EQ(trained.info.rows, 2);
  counted.table.header = "no";
  EXPECT_EQ(load(counted).info.rows, 3);
  counted.table.header = "auto";
  counted.training = trained.info.table;  // which has these names
  EXPECT_EQ(load(counted).info.rows, 2);
  for (const char* none : {"0\n1\n2\n", "1,2\n3,4\n", "0,2\n1,3\n", "0.0,1.0\n1.0,2.0\n"})
    EXPECT_TRUE(load(of_text(scratch, none)).info.rows >= 2) << none;
}

}  // namespace
}  // namespace nntrain::data

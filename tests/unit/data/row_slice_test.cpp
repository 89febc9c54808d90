#include <gtest/gtest.h>

#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

TEST(RowSlice, AsPython) {
  struct Case {
    const char* text;
    std::int64_t begin, end;
  };
  for (const Case& c : {Case{"", 0, 10},
                        {":", 0, 10},
                        {"3:", 3, 10},
                        {":3", 0, 3},
                        {"-3:", 7, 10},
                        {":-3", 0, 7},
                        {"2:5", 2, 5},
                        {" 2 : 5 ", 2, 5},
                        {"5:2", 5, 5},
                        {"20:", 10, 10},
                        {":20", 0, 10},
                        {"-20:2", 0, 2},
                        {":-20", 0, 0},
                        {"-4:-1", 6, 9}}) {
    const RowRange range = parse_row_slice(c.text, 10, "data.rows");
    EXPECT_EQ(range.begin, c.begin) << c.text;
    EXPECT_EQ(range.end, c.end) << c.text;
  }
}

TEST(RowSlice, OtherTextIsRefused) {
  for (const char* text : {"5", "a:", "1:2:3", "1.5:", "-:", "99999999999999999999:", "1,2"}) {
    const std::string message = test::message_of<InputError>([&] { parse_row_slice(text, 10, "data.rows"); });
    EXPECT_TRUE(test::contains(message, "data.rows"));
    EXPECT_TRUE(test::contains(message, text));
  }
}

}  // namespace
}  // namespace nntrain::data

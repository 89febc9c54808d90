// The parts that tables are read with: rules for gaps, wishes for columns, texts as numbers.

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "data/tables/columns.h"
#include "data/tables/missing.h"
#include "data/tables/number_text.h"
#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

using test::contains;
using test::message_of;

TEST(Missing, RulesAndFills) {
  const std::vector<float> values = {3, 1, NAN, 3, 9};
  EXPECT_EQ(fill_value(values, {}, MissingRules("mean").of("x"), "x"), 4.0);
  EXPECT_EQ(fill_value(values, {}, MissingRules("median").of("x"), "x"), 3.0);
  EXPECT_EQ(fill_value(values, {}, MissingRules("most_frequent").of("x"), "x"), 3.0);
  EXPECT_EQ(MissingRules("error, a: mean").of("b").how, MissingHow::kError);
  EXPECT_EQ(MissingRules("error, a: mean").of("a").how, MissingHow::kMean);
  EXPECT_EQ(MissingRules("constant(-1)").of("a").constant, "-1");
  EXPECT_TRUE(contains(message_of<InputError>([] { MissingRules("meen"); }), "did you mean \"mean\""));
  EXPECT_TRUE(contains(message_of<InputError>([] { MissingRules("constant"); }), "constant(v)"));
}

TEST(Columns, Wishes) {
  const std::vector<ColumnWish> wishes =
      parse_wishes("area: numeric, \"a, b: c\": date(format=\"%d/%m/%Y\"), 3: ignore");
  ASSERT_EQ(wishes.size(), 3U);
  EXPECT_EQ(wishes[1].column, "a, b: c");
  EXPECT_EQ(wishes[1].kind, ColumnKind::kDate);
  EXPECT_EQ(wishes[1].argument, "%d/%m/%Y");
  EXPECT_EQ(wishes[2].column, "3");
  EXPECT_TRUE(
      contains(message_of<InputError>([] { parse_wishes("area: numerc"); }), "did you mean \"numeric\""));
  EXPECT_TRUE(contains(message_of<InputError>([] { parse_wishes("area"); }), "NAME: kind"));
}

TEST(NumberText, DatesAreDaysSince1970) {
  EXPECT_EQ(parse_date("1970-01-01", ""), 0.0);
  EXPECT_EQ(parse_date("2021-03-06", ""), 18692.0);
  EXPECT_EQ(parse_date("06.03.2021", ""), 18692.0);
  EXPECT_EQ(parse_date("2021-03-06T12:00:00Z", ""), 18692.5);
  EXPECT_EQ(parse_date("1969-12-31", ""), -1.0);
  EXPECT_EQ(parse_date("2000-02-29", ""), 11016.0);
  EXPECT_EQ(parse_date("03/06/21", "%m/%d/%y"), 18692.0);
  for (const char* none : {"2021-02-29", "2021-13-01", "06/03/2021", "2021", "", "2021-03-06x", "yesterday"})
    EXPECT_FALSE(parse_date(none, "")) << none;
}

TEST(NumberText, Evidence) {
  EXPECT_EQ(decimal_evidence("1.234,50"), DecimalEvidence::kComma);
  EXPECT_EQ(decimal_evidence("1,234.50"), DecimalEvidence::kPoint);
  EXPECT_EQ(decimal_evidence("1,5"), DecimalEvidence::kComma);
  EXPECT_EQ(decimal_evidence("12"), DecimalEvidence::kNone);
  EXPECT_EQ(decimal_evidence("1,234"), DecimalEvidence::kEither);
  EXPECT_EQ(decimal_evidence("0,123"), DecimalEvidence::kComma);
  EXPECT_FALSE(decimal_evidence("06.03.2021"));
  EXPECT_FALSE(decimal_evidence("cat"));
}

}  // namespace
}  // namespace nntrain::data

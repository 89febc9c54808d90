// Columns of kind date: what float32 can hold of them, and their parts.

#include <gtest/gtest.h>

#include "data/tables/number_text.h"
#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

using test::contains;
using test::load;
using test::options_for;
using test::Scratch;

SourceOptions of_dates(const Scratch& scratch, const std::string& cells, const std::string& kind) {
  SourceOptions options = options_for(scratch.write("t.csv", "a,built\n" + cells));
  options.table.columns = "built: " + kind;
  return options;
}

TEST(Dates, PartsAreThoseOfTheCalendar) {
  const Scratch scratch;
  const test::Loaded days =
      load(of_dates(scratch, "1,2021-03-01\n2,1969-12-31\n3,2000-02-29\n4,1900-01-01\n", "date(parts)"));
  EXPECT_EQ(days.info.columns, (std::vector<std::string>{"a", "built_year", "built_month", "built_day"}));
  EXPECT_EQ(days.floats(),
            (std::vector<float>{1, 2021, 3, 1, 2, 1969, 12, 31, 3, 2000, 2, 29, 4, 1900, 1, 1}));
  const test::Loaded times = load(of_dates(scratch, "1,03/01/2021 23:59:58\n2,12/31/2020 00:00:00\n",
                                           "date(\"%m/%d/%Y %H:%M:%S\", parts)"));
  EXPECT_EQ(times.floats(), (std::vector<float>{1, 2021, 3, 1, 23, 59, 58, 2, 2020, 12, 31, 0, 0, 0}));
  for (double day = -800000; day < 800000; day += 997) {  // each day is the day it is made of
    const DateParts parts = date_parts(day);
    const std::string text = std::to_string(static_cast<int>(parts.year)) + "-" +
                             std::to_string(static_cast<int>(parts.month)) + "-" +
                             std::to_string(static_cast<int>(parts.day));
    if (parts.year < 1000 || parts.year > 9999) continue;
    EXPECT_EQ(parse_date(text, ""), day) << text;
  }
}

TEST(Dates, TimesThatFloat32RoundsAreSaid) {
  const Scratch scratch;
  const auto notes = [&](const std::string& cells, const std::string& kind) {
    std::string text;
    for (const std::string& note : load(of_dates(scratch, cells, kind)).info.notes) text += note + "\n";
    return text;
  };
  const std::string rounded = notes("1,2021-03-01 12:00:01\n2,2021-03-01\n", "date");
  EXPECT_TRUE(contains(rounded, "float32 rounds \"2021-03-01 12:00:01\"")) << rounded;
  EXPECT_TRUE(contains(rounded, "date(parts)")) << rounded;
  EXPECT_FALSE(contains(notes("1,2021-03-01\n2,2021-03-01 12:00\n", "date"), "rounds"));
  EXPECT_FALSE(contains(notes("1,2021-03-01 12:00:01\n", "date(parts)"), "rounds"));
  EXPECT_EQ(load(of_dates(scratch, "1,1970-01-02\n", "date(seconds)")).floats(),
            (std::vector<float>{1, 86400}));
}

TEST(Dates, OtherFilesAreReadAsTheTrainings) {
  const Scratch scratch;
  SourceOptions other = of_dates(scratch, "1,2021-03-02\n", "date(parts)");
  const Json table = load(of_dates(scratch, "1,2021-03-01 12:30\n2,2021-03-02\n", "date(parts)")).info.table;
  scratch.write("t.csv", "a,built\n1,2021-03-02\n");
  other.training = table;
  EXPECT_EQ(load(other).floats(), (std::vector<float>{1, 2021, 3, 2, 0, 0, 0}));
  other.training = load(of_dates(scratch, "1,2021-03-01\n", "date(parts)")).info.table;
  scratch.write("t.csv", "a,built\n1,2021-03-02 10:00\n");
  EXPECT_TRUE(contains(test::load_error(other), "the dates of the training had none"));
  EXPECT_TRUE(contains(test::load_error(of_dates(scratch, "1,2021-03-01\n", "date(part)")), "neither days"));
}

}  // namespace
}  // namespace nntrain::data

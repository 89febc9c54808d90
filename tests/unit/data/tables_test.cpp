// Tables as people write them: what is clear is read, what is not is refused with the cure.

#include <gtest/gtest.h>

#include "data/tables/columns.h"
#include "data/tables/header_rule.h"
#include "data/tables/missing.h"
#include "data/tables/number_text.h"
#include "data/tables/text_encoding.h"
#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

using test::contains;
using test::load;
using test::load_error;
using test::message_of;
using test::options_for;
using test::Scratch;

const std::string kTables = NNTRAIN_TESTS_DIR "/golden/tables/";

SourceOptions of_text(const Scratch& scratch, const std::string& text, Role role = Role::kInputs) {
  return options_for(scratch.write("t.csv", text), role);
}

std::vector<float> read_text(const Scratch& scratch, const std::string& text) {
  return load(of_text(scratch, text)).floats();
}

void expect_error(const SourceOptions& options, const std::vector<std::string>& words) {
  const std::string message = load_error(options);
  EXPECT_FALSE(message.empty()) << "was read";
  for (const std::string& word : words)
    EXPECT_TRUE(contains(message, word)) << word << "\n  is not in " << message;
}

bool has_note(const ArrayInfo& info, const std::string& word) {
  return std::any_of(info.notes.begin(), info.notes.end(),
                     [&](const std::string& note) { return contains(note, word); });
}

TEST(Tables, DelimitersAndMarksAreFound) {
  const Scratch scratch;
  const std::vector<float> expected = {1.5F, 2, 3, 1234.5F, 5, 6};
  for (const char* text :
       {"a;b;c\n1,5;2;3\n1.234,50;5;6\n", "a\tb\tc\n1.5\t2\t3\n1234.5\t5\t6\n",
        "a|b|c\n1.5|2|3\n1234.5|5|6\n", "1.5 2 3\n1234.5 5 6\n", "  1.5   2\t3\n 1234.5  5   6  \n",
        "a,b,c\r1.5,2,3\r1234.5,5,6\r", "# a comment\n# b\na,b,c\n1.5,2,3\n# in between\n1234.5,5,6\n",
        "# a b c\n1.5 2 3\n1234.5 5 6\n", "a,b,c\n1.5,2,3\n\n1234.5,5,6",
        "\"a\" \"b\" \"c\"\n1.5 2 3\n1234.5 5 6\n"}) {
    EXPECT_EQ(read_text(scratch, text), expected) << text;
  }
}

TEST(Tables, OneHotRowsBetweenBlanksAreNumbers) {
  const Scratch scratch;
  SourceOptions options = of_text(scratch, "0 0 1\n0 1 0\n1 0 0\n0 0 1\n", Role::kTargets);
  const test::Loaded loaded = load(options);
  EXPECT_EQ(loaded.info.sample, Shape{3});
  EXPECT_TRUE(loaded.info.class_names.empty());
  expect_error(of_text(scratch, "x,y\n1,0 0 1\n2,0 1 0\n", Role::kTargets), {"line 2", "\"0 0 1\""});
  options = of_text(scratch, "x,y\n1,0 0 1\n2,0 1 0\n", Role::kTargets);
  options.columns = "y";
  expect_error(options, {"line 2 (row 0), column \"y\"", "\"0 0 1\" looks like a number"});
}

TEST(Tables, BlanksInTextDoNotDelimit) {
  const Scratch scratch;
  SourceOptions options = of_text(scratch, "Iris setosa\nIris virginica\nIris setosa\n", Role::kTargets);
  EXPECT_EQ(load(options).info.class_names, (std::vector<std::string>{"Iris setosa", "Iris virginica"}));
}

TEST(Tables, KeysSayWhatIsNotClear) {
  const Scratch scratch;
  SourceOptions options = of_text(scratch, "a;b\n1,234;2\n5,678;4\n");
  expect_error(options, {"1,234", "two ways", "data.decimal = ,", "data.thousands = ,"});
  options.table.decimal = ",";
  EXPECT_EQ(load(options).floats(), (std::vector<float>{1.234F, 2, 5.678F, 4}));
  options.table.decimal = "";
  options.table.thousands = ",";
  EXPECT_EQ(load(options).floats(), (std::vector<float>{1234, 2, 5678, 4}));
  options.table.decimal = ",";
  expect_error(options, {"the same mark"});
  options = of_text(scratch, "two lines\nof prose; really\na,b\n1,2\n");
  options.table.header = "skip 2";
  EXPECT_EQ(load(options).info.columns, (std::vector<std::string>{"a", "b"}));
  options = of_text(scratch, "1,2\n3,4\n");
  options.table.header = "yes";
  EXPECT_EQ(load(options).info.rows, 1);
  options.table.header = "perhaps";
  expect_error(options, {"data.header = perhaps", "skip N"});
  options = of_text(scratch, "1,2\n%3,4\n5,6\n");
  options.table.comment = "%";
  EXPECT_EQ(load(options).info.rows, 2);
  options.table.comment = "%%";
  expect_error(options, {"data.comment", "no single character"});
}

TEST(Tables, NumbersInClothesAreNoNumbersUnlessAskedFor) {
  const Scratch scratch;
  const auto in_column = [&](const std::string& cell, Role role) {
    SourceOptions options = of_text(scratch, "x,y\n1," + cell + "\n2," + cell + "\n", role);
    options.columns = "y";
    options.labels = Labels::kRefused;
    options.wants_numbers = "compile.loss = MeanSquaredError";
    return options;
  };
  for (const Role role : {Role::kInputs, Role::kTargets}) {
    for (const char* cell : {"$905", "\"$1,234.50\"", "85.0 m2", "\"1,234\"", "\"3,5\"", "45%", "2021-03-01",
                             "NA", "?", "", "null", "high"}) {
      expect_error(in_column(cell, role), {"line 2 (row 0), column \"y\""});
    }
  }
  expect_error(in_column("\"3,5\"", Role::kInputs), {"data.decimal = ,"});
  expect_error(in_column("2021-03-01", Role::kInputs), {"data.columns = y: date"});
  expect_error(in_column("45%", Role::kInputs), {"data.columns = y: numeric"});
  expect_error(in_column("high", Role::kTargets), {"compile.loss = MeanSquaredError wants"});
  for (const auto& [cell, value] : {std::pair("$905", 905.0F),
                                    {"\"$1,234.50\"", 1234.5F},
                                    {"85.0 m2", 85.0F},
                                    {"45%", 45.0F},
                                    {"-3 EUR", -3.0F}}) {
    SourceOptions options = in_column(cell, Role::kInputs);
    options.table.columns = "y: numeric";
    const test::Loaded loaded = load(options);
    EXPECT_EQ(loaded.floats(), (std::vector<float>{value, value})) << cell;
    EXPECT_TRUE(has_note(loaded.info, "without their unit")) << cell;
  }
  SourceOptions mixed = of_text(scratch, "x,y\n1,85 m2\n2,900 ft2\n");
  mixed.table.columns = "y: numeric";
  expect_error(mixed, {"line 3 (row 1)", "ft2", "m2", "one unit"});
  mixed = of_text(scratch, "x,y\n1,\"$1,234\"\n2,\"$2,345\"\n");
  mixed.table.columns = "y: numeric";
  expect_error(mixed, {"two ways", "data.thousands"});
}

TEST(Tables, TextBecomesClassesOnlyWhereItIsText) {
  const Scratch scratch;
  for (const char* cells : {"$905,$20", "45%,12%", "2021-03-01,2021-03-02", "85.0 m2,12.0 m2"}) {
    const std::string text = cells;
    const std::size_t comma = text.find(',');
    SourceOptions options = of_text(
        scratch, "x,y\n1," + text.substr(0, comma) + "\n2," + text.substr(comma + 1) + "\n", Role::kTargets);
    options.columns = "y";
    expect_error(options, {"line 2 (row 0)", "looks like a number"});
    options.class_names = {text.substr(0, comma), text.substr(comma + 1)};
    EXPECT_EQ(load(options).floats(), (std::vector<float>{0, 1})) << cells;
  }
  for (const char* mark : {"?", "NA", "NaN", "null", "-"}) {
    SourceOptions options =
        of_text(scratch, std::string("x,y\n1,cat\n2,") + mark + "\n3,dog\n", Role::kTargets);
    options.columns = "y";
    expect_error(options, {"line 3 (row 1)", "marks a missing label"});
  }
  SourceOptions options = of_text(scratch, "x,y\n1,3D\n2,<=50K\n3,18-25\n", Role::kTargets);
  options.columns = "y";
  EXPECT_EQ(load(options).info.class_names, (std::vector<std::string>{"18-25", "3D", "<=50K"}));
}

TEST(Tables, TextBehindAClosingQuote) {
  const Scratch scratch;
  expect_error(of_text(scratch, "x,y\n1,2\n\"1\"5,2\n"),
               {"line 3 (row 1), column \"x\"", "\"1\" is followed by \"5\""});
  SourceOptions options = of_text(scratch, "x,y\n1,\"cat\"s\n", Role::kTargets);
  options.columns = "y";
  expect_error(options, {"line 2 (row 0), column \"y\"", "\"cat\" is followed by \"s\""});
  EXPECT_EQ(read_text(scratch, "x,y\n\"1\" ,2\n3,4\n"), (std::vector<float>{1, 2, 3, 4}));
}

TEST(Tables, BytesThatAreNotUtf8) {
  const Scratch scratch;
  expect_error(options_for(kTables + "latin1.csv"),
               {"line 9, column \"town\"", "F6", "data.encoding = latin-1"});
  expect_error(of_text(scratch, "a,b\xE4\n1,2\n"), {"line 1", "E4", "latin-1"});
  SourceOptions options = of_text(scratch,
                                  "gr\xF6\xDF"
                                  "e,b\n1,2\n");
  options.table.encoding = "latin-1";
  EXPECT_EQ(load(options).info.columns, (std::vector<std::string>{"gr\xC3\xB6\xC3\x9F"
                                                                  "e",
                                                                  "b"}));
  options.table.encoding = "klingon";
  expect_error(options, {"data.encoding = klingon", "latin-1"});
  const std::string utf16 = std::string(
      "\xFF\xFE"
      "a\0,\0b\0\n\0"
      "1\0,\0"
      "2\0\n\0",
      18);
  EXPECT_EQ(read_text(scratch, utf16), (std::vector<float>{1, 2}));
}

TEST(Encoding, DecodesAndChecks) {
  std::string text;
  decode(Encoding::kWindows1252, "\x80\xE9", text);
  EXPECT_EQ(text, "\xE2\x82\xAC\xC3\xA9");
  EXPECT_EQ(first_bad_byte("K\xC3\xB6ln"), std::string_view::npos);
  EXPECT_EQ(first_bad_byte("\xF0\x9F\x98\x80"), std::string_view::npos);
  EXPECT_EQ(first_bad_byte("ab\xC0\xAF"), 2U);    // overlong
  EXPECT_EQ(first_bad_byte("\xED\xA0\x80"), 0U);  // a surrogate
  EXPECT_EQ(first_bad_byte("a\xC3"), 1U);         // cut
}

TEST(Tables, StrangersAreNamed) {
  const Scratch scratch;
  expect_error(of_text(scratch, "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n"), {"HTML page"});
  expect_error(of_text(scratch, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
               {"git-lfs pointer", "git lfs pull"});
  expect_error(of_text(scratch, std::string("PK\x03\x04\0\0", 6)), {"zip archive", "CSV"});
  expect_error(of_text(scratch, "PAR1\x15\x04"), {"Parquet"});
  expect_error(of_text(scratch, "[{\"a\": 1}]\n"), {"JSON"});
}

HeaderVerdict judge(const std::vector<std::vector<std::string>>& records) {
  return judge_first_record(records, {});
}

TEST(HeaderRule, WhatIsClear) {
  EXPECT_EQ(judge({{"a", "b"}, {"1", "2"}}).is, FirstRecord::kHeader);
  EXPECT_EQ(judge({{"1", "2"}, {"3", "4"}}).is, FirstRecord::kData);
  EXPECT_EQ(judge({{"5.1", "3.5", "setosa"}, {"4.9", "3.0", "setosa"}, {"7.0", "3.2", "virginica"}}).is,
            FirstRecord::kData);
  EXPECT_EQ(judge({{"region", "2019", "2020"}, {"Jena", "57.0", "58.1"}, {"Ulm", "134.8", "137.5"}}).is,
            FirstRecord::kHeader);
  EXPECT_EQ(judge({{"400.5", "401", "tree"}, {"0.1", "0.2", "oak"}, {"0.3", "0.1", "elm"}}).is,
            FirstRecord::kHeader);
  EXPECT_EQ(judge({{"400.5", "407", "tree"}, {"400.1", "402", "oak"}, {"398", "405", "elm"}}).is,
            FirstRecord::kData);
  EXPECT_EQ(judge({{"", "area"}, {"0", "5"}, {"1", "6"}}).is, FirstRecord::kHeader);
  EXPECT_EQ(judge({{"id", "1", "2"}, {"7", "0.5", "0.25"}}).is, FirstRecord::kHeader);
  EXPECT_EQ(judge({{"cat"}, {"dog"}, {"cat"}}).is, FirstRecord::kData);
  EXPECT_EQ(judge({{"species"}, {"dog"}, {"cat"}, {"dog"}}).is, FirstRecord::kHeader);
  EXPECT_EQ(judge({{"5.1", ".", "3"}, {"4", "2", "1"}}).is, FirstRecord::kData);  // and an error in its cell
  EXPECT_EQ(judge({{"?", "4"}, {"3", "2"}}).is, FirstRecord::kData);
}

TEST(HeaderRule, WhatCouldBeEitherIsAsked) {
  EXPECT_EQ(judge({{"5.1", "unknown", "3"}, {"4.9", "2", "1"}, {"5.5", "2", "4"}}).is, FirstRecord::kUnclear);
  EXPECT_EQ(judge({{"region", "2019", "2020"}, {"Jena", "1500", "2100"}, {"Ulm", "2500", "3000"}}).is,
            FirstRecord::kUnclear);
  EXPECT_EQ(judge({{"2019", "2020", "2021"}, {"57.1", "58.2", "59.3"}, {"40.1", "41.2", "43.3"}}).is,
            FirstRecord::kUnclear);
  EXPECT_EQ(judge({{"anna"}, {"bert"}, {"carl"}}).is, FirstRecord::kUnclear);
  const Scratch scratch;
  expect_error(of_text(scratch, "5.1,unknown,3\n4.9,2,1\n5.5,2,4\n"),
               {"line 1", "5.1,unknown,3", "data.header = yes or data.header = no"});
}

TEST(Tables, WhatWasTakenIsSaid) {
  const Scratch scratch;
  EXPECT_TRUE(
      contains(load(of_text(scratch, "a;b\n1,5;2\n")).info.notes[0], "1 rows, 2 columns, header in line 1"));
  EXPECT_TRUE(contains(load(of_text(scratch, "a;b\n1,5;2\n")).info.notes[0], "decimal comma"));
  EXPECT_TRUE(contains(load(of_text(scratch, "1,5\n2,3\n")).info.notes[0], "no header"));
}

TEST(Tables, NumbersOfRowsAreNoFeatures) {
  const Scratch scratch;
  for (const char* name : {"", "id", "Unnamed: 0", "house_id", "PassengerId"}) {
    SourceOptions options = of_text(scratch, std::string(name) + ",a,b\n7,1,2\n3,3,4\n9,5,6\n");
    const test::Loaded loaded = load(options);
    EXPECT_EQ(loaded.info.columns, (std::vector<std::string>{"a", "b"})) << name;
    EXPECT_TRUE(has_note(loaded.info, "is left out")) << name;
  }
  SourceOptions options = of_text(scratch, "id,a\n7,1\n3,3\n");
  options.columns = "id, a";
  EXPECT_EQ(load(options).info.sample, Shape{2});
  options.columns = "";
  options.table.columns = "id: numeric";
  EXPECT_EQ(load(options).info.sample, Shape{2});
  // A name alone makes no index: these repeat, or are measurements.
  EXPECT_EQ(load(of_text(scratch, "store_id,a\n7,1\n7,3\n")).info.sample, Shape{2});
  EXPECT_EQ(load(of_text(scratch, "x,a\n0,1\n1,3\n2,5\n")).info.sample, Shape{2});
  expect_error(of_text(scratch, "id\n1\n2\n3\n"), {"no column is left", "data.columns = id: numeric"});
}

TEST(Tables, DoubledNames) {
  expect_error(options_for(kTables + "duplicate_names.csv"), {"2 columns named \"area\"", "columns 0 and 1"});
  SourceOptions options = options_for(kTables + "duplicate_names.csv");
  options.columns = "area";
  expect_error(options, {"2 columns named \"area\""});
  options.columns = "1, 2";
  EXPECT_EQ(load(options).info.rows, 60);
  options = options_for(kTables + "duplicate_names.csv", Role::kTargets);
  options.columns = "price";
  EXPECT_EQ(load(options).info.rows, 60);
}

/// A table read by what training kept of another.
SourceOptions as_trained(const Scratch& scratch, const Json& table, const std::string& text) {
  SourceOptions options = options_for(scratch.write("new.csv", text));
  options.training = table;
  return options;
}

TEST(Tables, ColumnsAreMatchedByName) {
  const Scratch scratch;
  SourceOptions training = of_text(scratch, "a,b,y\n1,2,0\n3,4,1\n");
  training.exclude_columns = "y";
  const Json table = load(training).info.table;
  EXPECT_EQ(load(as_trained(scratch, table, "b,a\n2,1\n4,3\n")).floats(), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(load(as_trained(scratch, table, "y,b,a\n9,2,1\n9,4,3\n")).floats(),
            (std::vector<float>{1, 2, 3, 4}));
  const test::Loaded more = load(as_trained(scratch, table, "a,smell,b\n1,7,2\n3,7,4\n"));
  EXPECT_EQ(more.floats(), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_TRUE(has_note(more.info, "\"smell\" is not used"));
  expect_error(as_trained(scratch, table, "a,colour\n1,2\n"), {"lacks the column \"b\"", "\"colour\""});
  expect_error(as_trained(scratch, table, "a,b,b\n1,2,3\n"), {"2 columns named \"b\""});
  EXPECT_EQ(load(as_trained(scratch, table, "1,2\n3,4\n")).floats(), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_TRUE(has_note(load(as_trained(scratch, table, "1,2\n3,4\n")).info, "no header"));
  EXPECT_EQ(load(as_trained(scratch, table, "1,2,9\n3,4,9\n")).floats(), (std::vector<float>{1, 2, 3, 4}));
  expect_error(as_trained(scratch, table, "1,2,3,4\n5,6,7,8\n"), {"4 columns", "2 of 3"});
  // The names of the training are a header, whatever stands below.
  EXPECT_EQ(load(as_trained(scratch, table, "b,a\n2,1\n")).floats(), (std::vector<float>{1, 2}));
}

TEST(Tables, KindsCategoriesAndFillsOfTheTraining) {
  const Scratch scratch;
  SourceOptions training = of_text(scratch, "town,size,on\nUlm,1,yes\nBonn,,no\nUlm,3,no\n");
  training.table.columns = "town: categorical, on: boolean";
  training.table.missing = "mean";
  const test::Loaded loaded = load(training);
  EXPECT_EQ(loaded.info.columns, (std::vector<std::string>{"town_Bonn", "town_Ulm", "size", "on"}));
  EXPECT_EQ(loaded.floats(), (std::vector<float>{0, 1, 1, 1, 1, 0, 2, 0, 0, 1, 3, 0}));
  EXPECT_EQ(load(as_trained(scratch, loaded.info.table, "on,size,town\nTrue,NA,Bonn\n")).floats(),
            (std::vector<float>{1, 0, 2, 1}));
  expect_error(as_trained(scratch, loaded.info.table, "on,size,town\nTrue,1,Bon\n"),
               {"line 2", "\"Bon\"", "did you mean \"Bonn\""});
  expect_error(as_trained(scratch, loaded.info.table, "on,size,town\nmaybe,1,Bonn\n"),
               {"\"maybe\" is neither true nor false"});
}

TEST(Tables, StatisticsAreThoseOfTheTrainingRows) {
  const Scratch scratch;
  SourceOptions options = of_text(scratch, "a,b\n1,0\n3,0\n,0\n100,0\n");
  options.table.missing = "mean";
  options.training_rows = [](std::int64_t rows) {
    std::vector<bool> trains(static_cast<std::size_t>(rows), true);
    trains[3] = false;
    return trains;
  };
  EXPECT_EQ(load(options).floats()[4], 2.0F);
}

TEST(Tables, WholeNumbersBeyondFloat32AreSaid) {
  const test::Loaded stamps = load(options_for(kTables + "stamps.csv"));
  EXPECT_TRUE(has_note(stamps.info, "float32 rounds"));
  const Scratch scratch;
  EXPECT_EQ(load(of_text(scratch, "a\n16777216\n33554432\n")).info.notes.size(), 1U);
  const test::Loaded largest = load(of_text(scratch, "a\n9223372036854775807\n1\n"));  // 2^63 as float32
  EXPECT_TRUE(has_note(largest.info, "9223372036854775807 becomes 9223372036854775808"));
}

TEST(Svmlight, RowsAndRefusals) {
  const Scratch scratch;
  const std::string text = "# made up\n1.5 1:2 3:4 # a comment\n-1 2:0.5\n";
  EXPECT_EQ(read_text(scratch, text), (std::vector<float>{2, 0, 4, 0, 0.5F, 0}));
  EXPECT_EQ(load(of_text(scratch, text, Role::kTargets)).floats(), (std::vector<float>{1.5F, -1}));
  expect_error(of_text(scratch, "1 1:2\n1 2:3 1:4\n"), {"line 2", "the index 1 stands behind 2"});
  expect_error(of_text(scratch, "1 1:2\n1 0:3\n"), {"line 2", "\"0:3\"", "index from 1"});
  expect_error(of_text(scratch, "1 1:2\nx 1:3\n"), {"line 2", "\"x\" is not a finite number"});
  SourceOptions options = of_text(scratch, "1 1:2 5:1\n");
  options.training = {{"svmlight", 3}};
  expect_error(options, {"index 5", "3 inputs"});
}

TEST(Labels, SeveralInOneCell) {
  const Scratch scratch;
  SourceOptions options = of_text(scratch, "x,tags\n1,b;a\n2,\n3,c\n", Role::kTargets);
  options.columns = "tags";
  options.labels = Labels::kSets;
  const test::Loaded loaded = load(options);
  EXPECT_EQ(loaded.info.class_names, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(loaded.floats(), (std::vector<float>{1, 1, 0, 0, 0, 0, 0, 0, 1}));
  SourceOptions other = options_for(scratch.write("o.csv", "tags\nc;a\na\n"), Role::kTargets);
  other.labels = Labels::kSets;
  other.training = loaded.info.table;
  EXPECT_EQ(load(other).floats(), (std::vector<float>{1, 0, 1, 1, 0, 0}));
  other.source = scratch.write("p.csv", "tags\nc;d\n");
  expect_error(other, {"line 2", "\"d\" is none of the known classes"});
}

}  // namespace
}  // namespace nntrain::data

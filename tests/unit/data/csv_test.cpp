#include <gtest/gtest.h>

#include <sstream>

#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

using test::contains;
using test::load;
using test::load_error;
using test::options_for;
using test::Scratch;

const std::string kFolder = NNTRAIN_SOURCE_DIR "/configs/data/";

std::vector<float> values_of(const Scratch& scratch, const std::string& text,
                             const std::string& columns = {}) {
  SourceOptions options = options_for(scratch.write("a.csv", text));
  options.columns = columns;
  return load(options).floats();
}

std::string error_of(const Scratch& scratch, const std::string& text, const std::string& columns = {},
                     Role role = Role::kInputs) {
  SourceOptions options = options_for(scratch.write("a.csv", text), role);
  options.columns = columns;
  return load_error(options);
}

TEST(Csv, Iris) {
  SourceOptions inputs = options_for(kFolder + "iris.csv");
  inputs.exclude_columns = "-1";
  const test::Loaded flowers = load(inputs);
  EXPECT_EQ(flowers.info.rows, 150);
  EXPECT_EQ(flowers.info.sample, Shape{4});
  EXPECT_EQ(flowers.info.columns.size(), 4U);
  EXPECT_FLOAT_EQ(flowers.floats()[0], 5.1F);
  SourceOptions targets = options_for(kFolder + "iris.csv", Role::kTargets);
  targets.columns = "-1";
  const test::Loaded species = load(targets);
  EXPECT_EQ(species.info.class_names, (std::vector<std::string>{"setosa", "versicolor", "virginica"}));
  EXPECT_EQ(species.info.sample, Shape{});
  for (std::size_t row = 0; row < 150; ++row)
    EXPECT_EQ(species.floats()[row], static_cast<float>(row / 50)) << row;
}

TEST(Csv, EveryDataFileOfTheRepositoryIsReadable) {
  for (const auto& [name, rows] : {std::pair("breast_cancer.csv", 569), {"diabetes.csv", 442}}) {
    SourceOptions options = options_for(kFolder + name, Role::kTargets);
    options.columns = "-1";
    EXPECT_EQ(load(options).info.rows, rows);
    options = options_for(kFolder + name);
    options.columns = ":-1";
    const test::Loaded inputs = load(options);
    EXPECT_EQ(inputs.info.rows, rows);
    EXPECT_GE(inputs.info.sample.size(), 10);
  }
}

TEST(Csv, Delimiters) {
  const Scratch scratch;
  const std::vector<float> expected = {1, 2, 3, 4};
  for (const char* text :
       {"1,2\n3,4\n", "1;2\n3;4\n", "1\t2\n3\t4\n", "1,2\r\n3,4\r\n", "1,2\n3,4", "\n1,2\n\n3,4\n\n",
        " 1 , 2 \n3, 4\n",
        "\xEF\xBB\xBF"
        "1,2\n3,4\n",
        "\"1\",\"2\"\n\"3\",\"4\"\n", "a,b\n1,2\n3,4\n", "a;b\n1;2\n3;4\n", "+1,2.0\n3e0,0.4e1\n"}) {
    EXPECT_EQ(values_of(scratch, text), expected) << text;
  }
  EXPECT_EQ(load(scratch.write("a.gz", test::gzip("1,2\n3,4\n"))).floats(), expected);
}

TEST(Csv, NumbersAreReadToTheNearestFloat) {
  const Scratch scratch;
  EXPECT_EQ(values_of(scratch, "0.1\n1e-50\n-3.4028234e38\n16777217\n1e-45\n-0\n"),
            (std::vector<float>{0.1F, 0.0F, -3.4028234e38F, 16777216.0F, 1e-45F, -0.0F}));
}

TEST(Csv, HeaderOrNot) {
  const Scratch scratch;
  EXPECT_EQ(values_of(scratch, "5,1,x\n6,2,y\n", ":2"),
            (std::vector<float>{5, 1, 6, 2}));  // text below text: data
  EXPECT_EQ(values_of(scratch, "a,b,c\n6,2,y\n", ":2"), (std::vector<float>{6, 2}));
  EXPECT_EQ(values_of(scratch, "id,1,2\n7,0.5,0.25\n", "1, 2"),
            (std::vector<float>{0.5F, 0.25F}));  // names that are numbers
  EXPECT_TRUE(contains(error_of(scratch, "5,NA\n6,2\n"), "line 1 (row 0), column 1: \"NA\" is not a number"));
  EXPECT_TRUE(contains(error_of(scratch, "5,\n6,2\n"), "line 1 (row 0), column 1: the value is empty"));
  EXPECT_TRUE(contains(error_of(scratch, "a,b\n"), "a header, but no rows"));
}

TEST(Csv, Quotes) {
  const Scratch scratch;
  const std::string text =
      "\"name, first\",\"say \"\"x\"\"\",value\n"
      "\"a,b\",\"two\nlines\",1\n"
      "\"c\"\"d\",plain,2\n"
      "5\" pipe,plain,3\n";
  SourceOptions options = options_for(scratch.write("a.csv", text), Role::kTargets);
  options.columns = "\"name, first\"";
  EXPECT_EQ(load(options).info.class_names, (std::vector<std::string>{"5\" pipe", "a,b", "c\"d"}));
  options.columns = "value";
  EXPECT_EQ(load(options).floats(), (std::vector<float>{1, 2, 3}));
  options.columns = "1";
  EXPECT_EQ(load(options).info.columns, (std::vector<std::string>{"say \"x\""}));
  EXPECT_EQ(load(options).info.class_names, (std::vector<std::string>{"plain", "two\nlines"}));
  EXPECT_TRUE(contains(error_of(scratch, "1,2\n3,\"4\n5,6\n"), "line 2: a quoted field has no end"));
}

TEST(Csv, ColumnsByNameIndexAndSlice) {
  const Scratch scratch;
  const std::string text = "a,b,c,d\n1,2,3,4\n5,6,7,8\n";
  EXPECT_EQ(values_of(scratch, text, "d, b"), (std::vector<float>{4, 2, 8, 6}));
  EXPECT_EQ(values_of(scratch, text, ":2"), (std::vector<float>{1, 2, 5, 6}));
  EXPECT_EQ(values_of(scratch, text, "-1"), (std::vector<float>{4, 8}));
  EXPECT_EQ(values_of(scratch, text, "-2:, a"), (std::vector<float>{3, 4, 1, 7, 8, 5}));
  EXPECT_EQ(values_of(scratch, text, "1:3"), (std::vector<float>{2, 3, 6, 7}));
  EXPECT_EQ(values_of(scratch, text, ":"), (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_TRUE(
      contains(error_of(scratch, "petal_length,b\n1,2\n", "petal_lenght"), "did you mean \"petal_length\"?"));
  EXPECT_TRUE(contains(error_of(scratch, text, "zzzzzzzz"), "its columns are a, b, c, d"));
  EXPECT_TRUE(contains(error_of(scratch, text, "4"), "has 4 columns, so there is no column 4"));
  EXPECT_TRUE(contains(error_of(scratch, text, "4:"), "selects none"));
  EXPECT_TRUE(contains(error_of(scratch, text, "a, :2"), "column \"a\" is chosen twice"));
  EXPECT_TRUE(contains(error_of(scratch, "1,2\n", "a"), "has no header"));
  SourceOptions options = options_for(scratch.write("a.csv", text));
  options.exclude_columns = "c, not_here";
  EXPECT_TRUE(contains(load_error(options), "has no column \"not_here\""));
  options.of_one_table = false;  // the targets are in a file of their own
  EXPECT_EQ(load(options).floats(), (std::vector<float>{1, 2, 4, 5, 6, 8}));
  EXPECT_EQ(load(options).info.columns, (std::vector<std::string>{"a", "b", "d"}));
  options.exclude_columns = ":";
  EXPECT_TRUE(contains(load_error(options), "no column is left"));
}

TEST(Csv, ShapesFollowTheRole) {
  const Scratch scratch;
  const std::string path = scratch.write("a.csv", "1\n2\n");
  EXPECT_EQ(load(options_for(path, Role::kInputs)).info.sample, Shape{1});
  EXPECT_EQ(load(options_for(path, Role::kTargets)).info.sample, Shape{});
  EXPECT_EQ(load(options_for(path, Role::kWeights)).info.sample, Shape{});
  const std::string two = scratch.write("b.csv", "1,2\n");
  EXPECT_EQ(load(options_for(two, Role::kTargets)).info.sample, Shape{2});
}

TEST(Csv, TextTargets) {
  const Scratch scratch;
  SourceOptions options =
      options_for(scratch.write("a.csv", "x,label\n1,cat\n2,ant\n3,cat\n4,7\n"), Role::kTargets);
  options.columns = "label";
  EXPECT_EQ(load(options).info.class_names, (std::vector<std::string>{"7", "ant", "cat"}));
  EXPECT_EQ(load(options).floats(), (std::vector<float>{2, 1, 2, 0}));
  options.class_names = {"cat", "dog", "ant", "7"};  // known names keep their places
  EXPECT_EQ(load(options).floats(), (std::vector<float>{0, 2, 0, 3}));
  EXPECT_EQ(load(options).info.class_names, options.class_names);
  options.class_names = {"cats", "dog", "ant"};
  const std::string message = load_error(options);
  EXPECT_TRUE(contains(message, "line 2 (row 0), column \"label\": the label \"cat\""));
  EXPECT_TRUE(contains(message, "did you mean"));
  options.columns = "";
  EXPECT_TRUE(contains(load_error(options), "only target column"));
  EXPECT_TRUE(contains(error_of(scratch, "x,y\n1,2\n1,a\n", "y", Role::kTargets), "begins with one"));
  EXPECT_TRUE(contains(error_of(scratch, "x,y\n1,a\n1,\n", "y", Role::kTargets),
                       "line 3 (row 1), column \"y\": the label is empty"));
}

TEST(Csv, NumbersAsTargetsStayNumbersBesideClassNames) {
  const Scratch scratch;
  SourceOptions options = options_for(scratch.write("a.csv", "x,y\n1,1\n2,0\n"), Role::kTargets);
  options.columns = "y";
  options.class_names = {"shirt", "coat"};
  EXPECT_EQ(load(options).floats(), (std::vector<float>{1, 0}));
  EXPECT_TRUE(load(options).info.class_names.empty());
  options.class_names = {"0", "1", "many"};  // a text column whose first label here looks like a number
  EXPECT_EQ(load(options).floats(), (std::vector<float>{1, 0}));
  EXPECT_EQ(load(options).info.class_names, options.class_names);
}

TEST(Csv, ErrorsNameFileLineAndColumn) {
  const Scratch scratch;
  const std::string ragged = error_of(scratch, "a,b\n1,2\n3\n");
  EXPECT_TRUE(contains(ragged, "data.inputs \""));
  EXPECT_TRUE(contains(ragged, "a.csv\", line 3 (row 1) has 1 columns, line 1 has 2"));
  EXPECT_TRUE(contains(error_of(scratch, "a,b\n1,2\n3,4,5\n"), "has 3 columns"));
  EXPECT_TRUE(contains(error_of(scratch, "a,b\n1,2\n3,abc\n"),
                       "line 3 (row 1), column \"b\": \"abc\" is not a number"));
  EXPECT_TRUE(contains(error_of(scratch, "a,b\n1,2\n3,4x\n"), "\"4x\" is not a number"));
  EXPECT_TRUE(contains(error_of(scratch, "a,b\n1,2\n3,\n"), "column \"b\": the value is empty"));
  EXPECT_TRUE(
      contains(error_of(scratch, "a,b\n1,2\nnan,4\n"), "line 3 (row 1), column \"a\": \"nan\" is NaN"));
  EXPECT_TRUE(contains(error_of(scratch, "a,b\n1,2\n3,-inf\n"), "\"-inf\" is Inf"));
  EXPECT_TRUE(contains(error_of(scratch, "a,b\n1,2\n3,1e39\n"), "too large for float32"));
  EXPECT_TRUE(contains(error_of(scratch, "a,b\n1,2\n3,1e999\n"), "too large for float32"));
  EXPECT_TRUE(contains(error_of(scratch, "\"a\",\"x\ny\"\n1,2\n\n3,z\n"), "line 5 (row 1), column \"x\ny\""));
  EXPECT_TRUE(contains(error_of(scratch, "\n \n\r\n"), "only empty lines"));
  EXPECT_TRUE(
      contains(load_error(scratch.write("t.csv.gz", test::gzip("1,2\n3,4\n").substr(0, 22))), "truncated"));
}

TEST(Csv, ManyRowsAcrossTheReadBuffer) {
  const Scratch scratch;
  std::ostringstream text;
  text << "x,label,y\n";
  constexpr int kRows = 300000;
  for (int i = 0; i < kRows; ++i)
    text << i << ",\"class, " << i % 7 << "\"," << i / 2 << (i % 2 == 0 ? ".0\n" : ".5\n");
  const std::string path = scratch.write("a.csv", text.str());
  SourceOptions options = options_for(path);
  options.exclude_columns = "label";
  const std::vector<float> values = load(options).floats();
  ASSERT_EQ(values.size(), 2U * kRows);
  for (std::size_t i = 0; i < kRows; ++i) {
    ASSERT_EQ(values[2 * i], static_cast<float>(i));
    ASSERT_FLOAT_EQ(values[2 * i + 1], static_cast<float>(static_cast<double>(i) * 0.5));
  }
  options = options_for(path, Role::kTargets);
  options.columns = "label";
  const test::Loaded labels = load(options);
  EXPECT_EQ(labels.info.class_names.size(), 7U);
  const std::vector<float> indices = labels.floats();
  for (std::size_t i = 0; i < kRows; ++i) ASSERT_EQ(indices[i], static_cast<float>(i % 7));
}

}  // namespace
}  // namespace nntrain::data

// Tables of everyday life, read as pandas reads them: tests/golden/tables.json, written by make_tables.py.

#include "golden_json.h"
#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

SourceOptions options_of(const Json& one) {
  SourceOptions options =
      test::options_for(std::string(NNTRAIN_TESTS_DIR) + "/golden/tables/" + one["file"].get<std::string>());
  if (one.contains("target")) {
    options.role = Role::kTargets;
    options.key = "data.targets";
    options.columns = one["target"].get<std::string>();
  }
  options.exclude_columns = one.value("exclude", "");
  options.table.columns = one.value("columns", "");
  options.table.missing = one.value("missing", "error");
  options.table.encoding = one.value("encoding", "");
  if (one.value("labels", "") == "sets") options.labels = Labels::kSets;
  return options;
}

std::string title(const Json& one) {
  Json short_form = one;
  short_form.erase("values");
  return short_form.dump();
}

TEST(TablesGolden, EveryFileIsReadAsPandasReadsIt) {
  for (const Json& one : golden::cases("tables")) {
    SCOPED_TRACE(title(one));
    const test::Loaded loaded = test::load(options_of(one));
    const auto width = static_cast<std::int64_t>(one["names"].size());
    ASSERT_EQ(loaded.info.rows, static_cast<std::int64_t>(one["values"].size()));
    ASSERT_EQ(loaded.info.sample.size(), width);
    if (loaded.info.table.is_object() && !loaded.info.table.value("table_columns", Json::array()).empty() &&
        one.value("labels", "") != "sets") {
      EXPECT_EQ(Json(loaded.info.columns), one["names"]);
    }
    const Json names =
        one.value("class_names", one.value("labels", "") == "sets" ? one["names"] : Json::array());
    const bool boolean = one.value("columns", "").find("boolean") != std::string::npos;
    if (!boolean) {
      EXPECT_EQ(Json(loaded.info.class_names), names);
    }
    std::vector<float> expected;
    for (const Json& row : one["values"]) {
      for (const Json& value : row) expected.push_back(value.get<float>());
    }
    const std::vector<float> values = loaded.floats();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      // The same sum of float64 in another order may round a mean to the neighbouring float32.
      EXPECT_FLOAT_EQ(values[i], expected[i]) << "value " << i;
    }
  }
}

/// What training keeps of a table reads every other spelling of the same houses.
TEST(TablesGolden, OtherSpellingsAreReadAsTheTrainingTable) {
  const std::string folder = std::string(NNTRAIN_TESTS_DIR) + "/golden/tables/";
  SourceOptions training = test::options_for(folder + "plain.csv");
  training.exclude_columns = "price";
  training.table.columns = "town: categorical, day: date, sold: ignore";
  const test::Loaded plain = test::load(training);
  for (const char* file : {"crlf_bom.csv", "german.csv", "comments.tsv", "index.csv", "latin1.csv"}) {
    SourceOptions other = test::options_for(folder + file);
    other.training = plain.info.table;
    if (std::string(file) == "latin1.csv") other.table.encoding = "latin-1";
    const test::Loaded loaded = test::load(other);
    EXPECT_EQ(loaded.info.columns, plain.info.columns) << file;
    EXPECT_EQ(loaded.floats(), plain.floats()) << file;
  }
}

}  // namespace
}  // namespace nntrain::data

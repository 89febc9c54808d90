// Words that the training rows do not have: Keras' index for what is unknown where data.columns says oov, an
// error that names the cure where not.

#include <gtest/gtest.h>

#include "data/tables/table_stream.h"
#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

using test::contains;
using test::load;
using test::load_error;
using test::options_for;
using test::Scratch;

using Floats = std::vector<float>;

std::string notes_of(const ArrayInfo& info) {
  std::string all;
  for (const std::string& note : info.notes) all += note + "\n";
  return all;
}

const std::string kTowns = "town,x\nUlm,1\nAalen,2\nUlm,3\nKiel,4\n";

class UnknownWordsOf : public ::testing::TestWithParam<const char*> {
 protected:
  SourceOptions training(const std::string& text = kTowns) const {
    SourceOptions options = options_for(scratch_.write("t.csv", text));
    options.table.columns = std::string("town: ") + GetParam();
    return options;
  }
  /// Another file, read as the training's.
  SourceOptions other(const SourceOptions& training, const std::string& text) const {
    SourceOptions options = options_for(scratch_.write("o.csv", text));
    options.training = load(training).info.table;
    return options;
  }
  bool is_indices() const { return contains(GetParam(), "indices"); }
  Scratch scratch_;
};

TEST_P(UnknownWordsOf, HaveIndex0AndTheOthersFollow) {
  const test::Loaded trained = load(training());
  const test::Loaded other_rows = load(other(training(), "x,town\n5,Bonn\n6,Kiel\n7,Bern\n8,Bonn\n"));
  if (is_indices()) {
    EXPECT_EQ(trained.floats(), (Floats{3, 1, 1, 2, 3, 3, 2, 4}));
    EXPECT_EQ(other_rows.floats(), (Floats{0, 5, 2, 6, 0, 7, 0, 8}));
  } else {
    EXPECT_EQ(trained.info.columns,
              (std::vector<std::string>{"town_[UNK]", "town_Aalen", "town_Kiel", "town_Ulm", "x"}));
    EXPECT_EQ(trained.floats(), (Floats{0, 0, 0, 1, 1, 0, 1, 0, 0, 2, 0, 0, 0, 1, 3, 0, 0, 1, 0, 4}));
    EXPECT_EQ(other_rows.floats(), (Floats{1, 0, 0, 0, 5, 0, 0, 1, 0, 6, 1, 0, 0, 0, 7, 1, 0, 0, 0, 8}));
  }
  EXPECT_FALSE(contains(notes_of(trained.info), "[UNK]"));
  EXPECT_TRUE(contains(notes_of(other_rows.info),
                       "column \"town\": 3 cells hold a word that the training rows do not have (\"Bonn\", "
                       "\"Bern\"): taken as [UNK]"))
      << notes_of(other_rows.info);
}

TEST_P(UnknownWordsOf, AreThoseOfRowsThatDoNotTrain) {
  SourceOptions options = training("town,x\nBonn,0\nUlm,1\nAalen,2\n[UNK],3\nKiel,4\nUlm,5\n,6\n");
  options.table.missing = "most_frequent";
  options.training_rows = [](std::int64_t rows) {
    std::vector<bool> trains(static_cast<std::size_t>(rows), true);
    trains[0] = trains[4] = false;
    return trains;
  };
  const test::Loaded resident = load(options);
  if (is_indices()) {
    EXPECT_EQ(resident.floats(), (Floats{0, 0, 2, 1, 1, 2, 0, 3, 0, 4, 2, 5, 2, 6}));
  } else {
    EXPECT_EQ(resident.info.columns, (std::vector<std::string>{"town_[UNK]", "town_Aalen", "town_Ulm", "x"}));
  }
  EXPECT_TRUE(contains(notes_of(resident.info), "2 cells hold a word")) << notes_of(resident.info);
  options.by_rows = true;
  options.most_bytes = 0;
  const test::Loaded streamed = load(options);
  EXPECT_EQ(streamed.floats(), resident.floats());
  EXPECT_EQ(streamed.info.notes, resident.info.notes);
  EXPECT_EQ(streamed.info.table, resident.info.table);
}

TEST_P(UnknownWordsOf, ComeByAndByFromAPipe) {
  SourceOptions options = other(training(), "x,town\n5,Bonn\n");
  TableStream stream(options, "rows");
  Floats values;
  std::string notes;
  for (const char* piece : {"town,x\nUlm,1\n", "Bonn,2\nBonn,3\n", "Bern,4\n", ""}) {
    const TableStream::Block block = stream.add(piece, *piece == '\0');
    values.insert(values.end(), block.values.begin(), block.values.end());
    for (const std::string& note : block.notes) notes += note + "\n";
  }
  const std::size_t width = values.size() / 4;
  EXPECT_EQ(values[0], is_indices() ? 3.0F : 0.0F);
  for (std::size_t row = 1; row < 4; ++row) EXPECT_EQ(values[row * width], is_indices() ? 0.0F : 1.0F);
  EXPECT_EQ(notes,
            "rows, column \"town\": 3 cells hold a word that the training rows do not have (\"Bonn\", "
            "\"Bern\"): taken as [UNK]\n");
}

INSTANTIATE_TEST_SUITE_P(Forms, UnknownWordsOf,
                         ::testing::Values("categorical(oov)", "categorical(one_hot, oov)",
                                           "categorical(indices, oov)", "categorical( oov , indices )"));

TEST(UnknownWords, WithoutOovAreAnErrorThatNamesIt) {
  const Scratch scratch;
  for (const auto& [kind, cure] :
       {std::pair("categorical", "data.columns = town: categorical(oov)"),
        {"categorical(indices)", "data.columns = town: categorical(indices, oov)"}}) {
    SourceOptions options = options_for(scratch.write("t.csv", kTowns));
    options.table.columns = std::string("town: ") + kind;
    SourceOptions other = options_for(scratch.write("o.csv", "town,x\nUlm,1\nUln,2\n"));
    other.training = load(options).info.table;
    const std::string error = load_error(other);
    EXPECT_TRUE(contains(error, "line 3 (row 1), column \"town\": \"Uln\" is none of the categories"))
        << error;
    EXPECT_TRUE(contains(error, cure)) << error;
  }
}

TEST(UnknownWords, OfATargetHaveNoClass) {
  const Scratch scratch;
  SourceOptions options = options_for(scratch.write("t.csv", kTowns), Role::kTargets);
  options.columns = "town";
  options.table.columns = "town: categorical(oov)";
  EXPECT_TRUE(contains(load_error(options), "leave oov out"));
}

TEST(ColumnKinds, RefuseArgumentsThatTheyDoNotHave) {
  const Scratch scratch;
  SourceOptions options = options_for(scratch.write("t.csv", kTowns));
  for (const auto& [wish, said] : std::vector<std::pair<std::string, std::string>>{
           {"town: categorical(foo)", "\"foo\" is none of one_hot, indices, oov"},
           {"town: categorical(indices, ovo)",
            "\"ovo\" is none of one_hot, indices, oov; did you mean \"oov\"?"},
           {"town: categorical(one_hot, indices)", "give one of both"},
           {"town: categorical, x: numeric(2)", "x: numeric takes no argument, got (2)"},
           {"town: ignore(oov)", "ignore takes no argument"}}) {
    options.table.columns = wish;
    EXPECT_TRUE(contains(load_error(options), said)) << load_error(options);
  }
}

}  // namespace
}  // namespace nntrain::data

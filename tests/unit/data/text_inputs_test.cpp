// Tables whose columns a model takes as text: codes of words, a vocabulary learned of the rows that train,
// the same whether the table lies in memory or is read again and again.

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
using Words = std::vector<std::string>;

TextCodes lookup(std::optional<Words> vocabulary = {}, std::int64_t buckets = 1) {
  TextCodes codes;
  codes.layer = "StringLookup";
  codes.vocabulary = std::move(vocabulary);
  codes.buckets = buckets;
  codes.left_out = "[UNK]";
  return codes;
}

SourceOptions text_options(const std::string& path, const TextCodes& codes) {
  SourceOptions options = options_for(path);
  options.text = codes;
  return options;
}

std::string notes_of(const ArrayInfo& info) {
  std::string all;
  for (const std::string& note : info.notes) all += note + "\n";
  return all;
}

/// As a table in memory and as one that is read again.
test::Loaded load_both(SourceOptions options) {
  const test::Loaded resident = load(options);
  options.by_rows = true;
  options.most_bytes = 0;
  const test::Loaded streamed = load(options);
  EXPECT_EQ(streamed.floats(), resident.floats());
  EXPECT_EQ(streamed.info.vocabulary, resident.info.vocabulary);
  EXPECT_EQ(streamed.info.notes, resident.info.notes);
  EXPECT_EQ(streamed.info.table, resident.info.table);
  return resident;
}

const std::string kTable = "town,no,price\nUlm,1,5\n\"Bonn, am\nRhein\",02,6\nUlm,1,7\nKiel,-1,8\n";

class TextInputs : public ::testing::Test {
 protected:
  SourceOptions table(const std::string& text, const TextCodes& codes) const {
    SourceOptions options = text_options(scratch_.write("t.csv", text), codes);
    options.exclude_columns = "price";
    return options;
  }
  Scratch scratch_;
};

TEST_F(TextInputs, AGivenVocabularyMakesPlacesAndBuckets) {
  const test::Loaded loaded = load_both(table(kTable, lookup(Words{"02", "Ulm", "1"})));
  EXPECT_EQ(loaded.floats(), (Floats{1, 2, -1, 0, 1, 2, -1, -1}));
  EXPECT_EQ(loaded.info.columns, (Words{"town", "no"}));
  EXPECT_TRUE(loaded.info.vocabulary.empty());
  EXPECT_TRUE(
      contains(notes_of(loaded.info), "column \"town\": 2 cells hold a word that the model's vocabulary"));
  TextCodes masked = lookup(Words{"Ulm"});
  masked.mask = "1";
  EXPECT_EQ(load(table(kTable, masked)).floats(), (Floats{0, kMaskCode, -1, -1, 0, kMaskCode, -1, -1}));
}

TEST_F(TextInputs, AVocabularyIsLearnedOfAllColumnsTheMostFrequentFirst) {
  SourceOptions options = table(kTable, lookup());
  const test::Loaded loaded = load_both(options);
  EXPECT_EQ(loaded.info.vocabulary, (Words{"Ulm", "1", "Kiel", "Bonn, am\nRhein", "02", "-1"}));
  EXPECT_EQ(loaded.floats(), (Floats{0, 1, 3, 4, 0, 1, 2, 5}));
  options.training_rows = [](std::int64_t rows) {
    std::vector<bool> trains(static_cast<std::size_t>(rows), true);
    trains[1] = false;
    return trains;
  };
  const test::Loaded some = load_both(options);
  EXPECT_EQ(some.info.vocabulary, (Words{"Ulm", "1", "Kiel", "-1"}));
  EXPECT_EQ(some.floats(), (Floats{0, 1, -1, -1, 0, 1, 2, 3}));
  EXPECT_TRUE(contains(notes_of(some.info), "column \"no\": 1 cell holds a word")) << notes_of(some.info);
  options.text->most_words = 1;
  EXPECT_EQ(load_both(options).floats(), (Floats{0, -1, -1, -1, 0, -1, -1, -1}));
  options.text->buckets = 0;
  EXPECT_TRUE(contains(load_error(options), "num_oov_indices = 0 leaves no index"));
}

TEST_F(TextInputs, WordsWithoutAnIndexAreErrors) {
  const std::string error = load_error(table(kTable, lookup(Words{"Ulm", "1", "02"}, 0)));
  EXPECT_TRUE(contains(error, "line 3 (row 1), column \"town\": \"Bonn")) << error;
  EXPECT_TRUE(contains(error, "num_oov_indices = 0")) << error;
}

TEST_F(TextInputs, MissingCellsAreFilledOrWordsThatTheModelKnows) {
  const std::string gaps = "town,no,price\nUlm,NA,5\n,1,6\nKiel,2,7\nKiel,1,8\n";
  EXPECT_TRUE(contains(load_error(table(gaps, lookup())), "\"NA\" marks a missing value"));
  EXPECT_EQ(load(table(gaps, lookup(Words{"NA", "", "1"}))).floats(), (Floats{-1, 0, 1, 2, -1, -1, -1, 2}));
  SourceOptions options = table(gaps, lookup());
  options.table.missing = "most_frequent";
  const test::Loaded filled = load_both(options);
  EXPECT_EQ(filled.info.vocabulary, (Words{"Kiel", "1", "Ulm", "2"}));  // as if the cells held the words
  EXPECT_EQ(filled.floats(), (Floats{2, 1, 0, 1, 0, 3, 0, 1}));
  EXPECT_TRUE(contains(notes_of(filled.info), "1 missing values filled with Kiel (most_frequent)"));
  options.text = lookup(Words{"2", "Ulm"});
  EXPECT_EQ(load_both(options).floats(), (Floats{1, -1, -1, -1, -1, 0, -1, -1}));
  options.text = lookup();
  options.table.missing = "constant(Rom)";
  EXPECT_EQ(load_both(options).info.vocabulary, (Words{"Rom", "Kiel", "1", "Ulm", "2"}));
  options.table.missing = "indicator";
  EXPECT_TRUE(contains(load_error(options), "indicator makes a column of numbers"));
}

TEST_F(TextInputs, OtherFilesAreReadAsTheTraining) {
  SourceOptions options = table("town,no,price\nUlm,1,5\nKiel,,6\nUlm,1,7\n", lookup());
  options.table.missing = "town: error, no: constant(Rom)";
  const test::Loaded trained = load(options);
  SourceOptions other =
      text_options(scratch_.write("o.csv", "no,town\n,Kiel\n1,Paris\n"), lookup(trained.info.vocabulary));
  other.training = trained.info.table;
  const test::Loaded read = load_both(other);
  const auto code = [&](const std::string& word) {
    const Words& all = trained.info.vocabulary;
    return static_cast<float>(std::find(all.begin(), all.end(), word) - all.begin());
  };
  EXPECT_EQ(read.floats(), (Floats{code("Kiel"), code("Rom"), -1, code("1")}));
  TableStream stream(other, "rows");
  const TableStream::Block block = stream.add("no,town\n,Kiel\n1,Paris\n", true);
  EXPECT_EQ(block.values, read.floats());
  ASSERT_EQ(block.notes.size(), 1U);
  EXPECT_TRUE(contains(block.notes[0], "\"Paris\""));
  other.text.reset();
  EXPECT_TRUE(contains(load_error(other), "the model takes numbers"));
}

TEST_F(TextInputs, ColumnsAreAllTextOrNone) {
  SourceOptions options = table(kTable, lookup());
  options.table.columns = "town: text";
  EXPECT_EQ(load(options).info.vocabulary.size(), 6U);
  for (const char* kind : {"categorical", "numeric", "boolean", "date"}) {
    options.table.columns = std::string("no: ") + kind;
    EXPECT_TRUE(contains(load_error(options), "takes text")) << kind;
  }
  options.text.reset();
  options.table.columns = "town: text";
  EXPECT_TRUE(contains(load_error(options), "the model's first layer takes numbers"));
}

TEST_F(TextInputs, NumbersAreNoText) {
  const std::string svm = scratch_.write("t.svm", "1 1:2 2:3\n0 1:4\n");
  const std::string idx = scratch_.write("t.idx", test::idx_header(8, {2, 1}) + "ab");
  for (const std::string& path : {svm, idx}) {
    const std::string error = load_error(text_options(path, lookup(Words{"a"})));
    EXPECT_TRUE(contains(error, "holds numbers")) << error;
    EXPECT_TRUE(contains(load_error([&] {
                           SourceOptions two = text_options(path + "," + path + "2", lookup(Words{"a"}));
                           two.source = path;
                           two.by_rows = true;
                           return two;
                         }()),
                         "StringLookup takes text"));
  }
}

TEST_F(TextInputs, HashedWordsAreNotUnknown) {
  TextCodes codes = lookup(Words{}, 5);
  codes.layer = "Hashing";
  const test::Loaded loaded = load_both(table(kTable, codes));
  EXPECT_FALSE(contains(notes_of(loaded.info), "[UNK]"));
  for (const float code : loaded.floats()) EXPECT_TRUE(code < 0 && code >= -5) << code;
}

}  // namespace
}  // namespace nntrain::data

// Tables whose rows are parsed again whenever they are read: the same samples, names, kinds and notes as in
// memory, in any order.

#include <gtest/gtest.h>

#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

using test::contains;
using test::load;
using test::options_for;
using test::Scratch;

SourceOptions streamed(SourceOptions options) {
  options.by_rows = true;
  options.most_bytes = 0;
  return options;
}

/// `streamed` rows in any order are those of the whole.
void expect_same(const SourceOptions& options, const std::string& what) {
  const test::Loaded whole = load(options);
  const std::unique_ptr<ArraySource> source = open_array(streamed(options));
  ASSERT_TRUE(source->has_rows()) << what;
  EXPECT_EQ(source->info().rows, whole.info.rows) << what;
  EXPECT_EQ(source->info().sample, whole.info.sample) << what;
  EXPECT_EQ(source->info().columns, whole.info.columns) << what;
  EXPECT_EQ(source->info().notes, whole.info.notes) << what;
  EXPECT_EQ(source->info().table, whole.info.table) << what;
  const std::int64_t rows = whole.info.rows, row_bytes = whole.info.bytes() / rows;
  const auto expect_rows = [&](std::int64_t first, std::int64_t count) {
    std::vector<std::byte> some(static_cast<std::size_t>(count * row_bytes));
    source->read_rows(first, count, some);
    ASSERT_TRUE(std::equal(some.begin(), some.end(), whole.memory.begin() + first * row_bytes))
        << what << ": " << first << " + " << count;
  };
  expect_rows(0, rows);
  expect_rows(rows - 1, 1);
  for (std::int64_t first = rows - rows / 5; first > 0; first -= rows / 4) expect_rows(first, rows / 6 + 1);
  for (std::int64_t first = 0; first < rows; first += rows / 3 + 1)  // one after the other
    expect_rows(first, std::min(rows / 3 + 1, rows - first));
  const test::Loaded again = [&] {
    test::Loaded loaded{source->info(), std::vector<std::byte>(whole.memory.size())};
    source->read(loaded.memory);
    return loaded;
  }();
  EXPECT_EQ(again.memory, whole.memory) << what;
}

constexpr int kRows = 6000;

std::string number(int i) { return std::to_string((i * 7919 + 13) % 251) + "." + std::to_string(i % 10); }

/// Columns of every kind, with gaps, quotes and line breaks in cells.
std::string every_kind(const std::string& line_end) {
  std::string text = "house_id,area,town,heated,built,price,note" + line_end;
  for (int i = 0; i < kRows; ++i) {
    text += std::to_string(100000 + i) + "," + (i % 7 == 3 ? "" : number(i)) + ",";
    text += (i % 11 == 5 ? "NA" : i % 3 == 0 ? "\"Ulm, Do" + line_end + "nau\"" : "Aalen") + std::string(",");
    text += std::string(i % 2 == 0 ? "yes" : "no") + ",2021-03-" + std::to_string(10 + i % 20) + ",$" +
            std::to_string(i) + ",x" + line_end;
  }
  return text;
}

TEST(TableAgain, ColumnsOfEveryKindAndEveryRuleForGaps) {
  const Scratch scratch;
  for (const char* line_end : {"\n", "\r\n"}) {
    SourceOptions options = options_for(scratch.write("t.csv", every_kind(line_end)));
    options.table.columns = "town: categorical, heated: boolean, built: date, price: numeric, note: ignore";
    for (const char* rule : {"mean", "median", "most_frequent", "indicator",
                             "constant(3), town: most_frequent", "median, town: constant(Aalen)"}) {
      options.table.missing = rule;
      options.training_rows = nullptr;
      expect_same(options, rule);
      options.training_rows = [](std::int64_t rows) {
        std::vector<bool> training(static_cast<std::size_t>(rows), false);
        for (std::size_t i = 0; i < training.size(); ++i) training[i] = i % 4 == 1 || i > 5000;
        return training;
      };
      expect_same(options, std::string(rule) + ", of some rows");
    }
    options.table.columns =
        "town: categorical(indices), heated: boolean, built: date, price: id, note: ignore";
    expect_same(options, "indices");
    options.keep_ids = true;
    const std::unique_ptr<ArraySource> source = open_array(streamed(options));
    ASSERT_EQ(source->ids().size(), 1U);
    ASSERT_EQ(source->ids()[0].cells.size(), static_cast<std::size_t>(kRows));
    EXPECT_EQ(source->ids()[0].cells[17], "$17");
    std::vector<std::byte> row(static_cast<std::size_t>(source->info().bytes() / kRows));
    source->read_rows(40, 1, row);
    EXPECT_EQ(source->ids()[0].cells.size(), static_cast<std::size_t>(kRows));
  }
}

std::string with_bytes(const std::string& text, int width, bool big) {
  std::string bytes = big ? "\xFE\xFF" : "\xFF\xFE";
  if (width == 1) bytes.clear();
  for (const char c : text) {
    if (width == 2 && big) bytes += '\0';
    bytes += c;
    if (width == 2 && !big) bytes += '\0';
  }
  return bytes;
}

TEST(TableAgain, EveryDialectAndEncoding) {
  const Scratch scratch;
  std::string german =
                  "Fl\xE4"
                  "che;Preis\n",
              blanks = "# a b\n", plain, cr = "a,b\r", tabs = "a\tb\n";
  std::string pairs = "note,b\n";
  for (int i = 0; i < kRows; ++i) {
    const std::string whole = std::to_string(i % 251), part = std::to_string(i % 10);
    german += whole + "," + part + ";" + "1.234," + part + "\n" + (i % 500 == 0 ? "\n" : "");
    blanks += "  " + whole + "   " + part + "\n" + (i % 500 == 7 ? "# " + part + "\n" : "");
    plain += whole + "," + part + "\n";
    cr += whole + "," + part + "\r";
    tabs += whole + "\t" + part + "\n";
    pairs += whole + "," + part + "\n";
  }
  SourceOptions options = options_for(scratch.write("german.csv", german));
  options.table.encoding = "latin-1";
  expect_same(options, "latin-1");
  options.table.encoding = "windows-1252";
  expect_same(options, "windows-1252");
  for (const auto& [name, text] :
       {std::pair<std::string, std::string>("blanks", blanks),
        {"plain", plain},
        {"cr", cr},
        {"tabs", tabs},
        {"bom", "\xEF\xBB\xBF" + tabs},
        {"little", with_bytes(pairs, 2, false)},
        {"big", with_bytes(pairs, 2, true)},
        {"gzip", test::gzip(tabs)},
        {"members", test::gzip(plain.substr(0, 9000)) + test::gzip(plain.substr(9000))}})
    expect_same(options_for(scratch.write(name + ".csv", text)), name);
  options = options_for(scratch.write("skip.csv", "a title\nof two lines\n" + tabs));
  options.table.header = "skip 2";
  expect_same(options, "skip");
}

TEST(TableAgain, SeveralFilesThatDifferInOrderMarksAndPacking) {
  const Scratch scratch;
  std::string one = "a,b,town\n", two = "town;b;a\n", three = "b\ta\ttown\n";
  for (int i = 0; i < kRows; ++i) {
    one += number(i) + "," + std::to_string(i) + ",Ulm\n";
    if (i < 700) two += "Aalen;" + std::to_string(i) + ",5;" + std::to_string(i % 9) + ",25\n";
    three += std::to_string(i) + "\t" + (i % 5 == 0 ? "" : number(i)) + "\tBerg\n";
  }
  scratch.write("p1.csv", one);
  scratch.write("p2.csv", two);
  scratch.write("p10.csv", test::gzip(three));
  SourceOptions options = options_for(scratch.path("p*.csv"));
  options.table.columns = "town: categorical";
  options.table.missing = "median";
  expect_same(options, "three files");
}

TEST(TableAgain, ErrorsNameRowAndColumnAsInMemory) {
  const Scratch scratch;
  std::string text = "a,b\n";
  for (int i = 0; i < kRows; ++i)
    text += "1," + (i == 5500 ? std::string("oops") : std::to_string(i % 9)) + "\n";
  const SourceOptions options = options_for(scratch.write("t.csv", text));
  const std::string whole = test::load_error(options);
  EXPECT_TRUE(contains(whole, "line 5502 (row 5500), column \"b\"")) << whole;
  EXPECT_EQ(test::message_of<InputError>([&] { open_array(streamed(options)); }), whole);
}

TEST(TableAgain, AFileThatChangesMeanwhileIsAnError) {
  const Scratch scratch;
  std::string text = "a,b\n";
  for (int i = 0; i < kRows; ++i) text += "1,2\n";
  for (const bool packed : {false, true}) {
    const std::string path = scratch.write("t.csv", packed ? test::gzip(text) : text);
    const std::unique_ptr<ArraySource> source = open_array(streamed(options_for(path)));
    std::vector<std::byte> rows(80);
    source->read_rows(3000, 10, rows);
    scratch.write("t.csv", packed ? test::gzip(text + "1,2\n") : text + "1,2\n");
    const std::string error = test::message_of<InputError>([&] { source->read_rows(10, 10, rows); });
    EXPECT_TRUE(contains(error, "t.csv\" has changed while it was read")) << error;
  }
}

TEST(TableAgain, ValuesStayInMemoryAsFarAsAllowed) {
  const Scratch scratch;
  std::string text = "a,b\n";
  for (int i = 0; i < kRows; ++i) text += std::to_string(i % 9) + ",2\n";
  SourceOptions options = streamed(options_for(scratch.write("t.csv", text)));
  options.most_bytes = kRows * 8;
  const std::unique_ptr<ArraySource> source = open_array(options);
  std::filesystem::remove(scratch.path("t.csv"));
  std::vector<float> row(2);
  source->read_rows(10, 1, std::as_writable_bytes(std::span(row)));
  EXPECT_EQ(row, (std::vector<float>{1, 2}));
}

}  // namespace
}  // namespace nntrain::data

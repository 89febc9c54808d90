// Rows that come piece by piece are the rows of the whole text, wherever it is cut.

#include "data/tables/table_stream.h"

#include <gtest/gtest.h>

#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

using test::contains;

SourceOptions options_of(const std::string& training_text, const std::string& columns = "") {
  const test::Scratch scratch;
  SourceOptions options = test::options_for(scratch.write("t.csv", training_text));
  options.table.columns = columns;
  options.training = test::load(options).info.table;
  options.keep_ids = true;
  return options;
}

struct Collected {
  std::vector<float> values;
  std::vector<std::string> ids;
};
Collected collect(const SourceOptions& options, const std::string& text, std::size_t piece) {
  TableStream stream(options, "rows");
  Collected all;
  for (std::size_t at = 0; at <= text.size(); at += piece) {
    const bool last = at + piece > text.size();
    TableStream::Block block = stream.add(text.substr(at, piece), last);
    all.values.insert(all.values.end(), block.values.begin(), block.values.end());
    for (const TextColumn& id : block.ids) all.ids.insert(all.ids.end(), id.cells.begin(), id.cells.end());
    if (last) break;
  }
  return all;
}

TEST(TableStream, EveryCutGivesTheSameRows) {
  const SourceOptions options =
      options_of("key,town,x\nk,Ulm,1\nl,\"Bo\nnn\",2\n", "key: id, town: categorical");
  const std::string text = "x,key,town\n# no row\n1.5,a,Ulm\n\n2.5,\"b,c\",\"Bo\nnn\"\r\n3.5,d,Ulm";
  SourceOptions with_comment = options;
  with_comment.table.comment = "#";
  for (std::size_t piece = 1; piece <= text.size() + 1; ++piece) {
    const Collected all = collect(with_comment, text, piece);
    EXPECT_EQ(all.values, (std::vector<float>{0, 1, 1.5F, 1, 0, 2.5F, 0, 1, 3.5F})) << piece;
    EXPECT_EQ(all.ids, (std::vector<std::string>{"a", "b,c", "d"})) << piece;
  }
}

/// How numbers are written the first row tells, however little of it comes at first.
TEST(TableStream, DecimalCommasAreFoundInTheFirstRow) {
  const SourceOptions options = options_of("a,b\n1,2\n3,4\n");
  for (const std::string text : {"b;a\n2,5;1,5\n1.234,5;7\n", "1,5;2,5\n7;1.234,5\n"}) {
    for (std::size_t piece = 1; piece <= text.size() + 1; ++piece)
      EXPECT_EQ(collect(options, text, piece).values, (std::vector<float>{1.5F, 2.5F, 7, 1234.5F}))
          << text << piece;
  }
  TableStream stream(options, "rows");
  EXPECT_EQ(stream.add("a;b\n", false).rows, 0);
  EXPECT_EQ(stream.add("1,5;2\n", false).values, (std::vector<float>{1.5F, 2}));
}

TEST(TableStream, AFirstRowThatCountsTheColumnsIsAskedForUnlessTheTrainingHasTheseNames) {
  const test::Scratch scratch;
  SourceOptions options = test::options_for(scratch.write("t.csv", "0,1\n5,6\n7,9\n"));
  for (const char* header : {"yes", "no"}) {
    options.table.header = header;
    SourceOptions live = test::options_for("-");
    live.training = test::load(options).info.table;
    TableStream stream(live, "standard input");
    if (std::string(header) == "yes") {
      EXPECT_EQ(stream.add("0,1\n1,2\n", true).values, (std::vector<float>{1, 2}));
    } else {
      const std::string error = test::message_of<InputError>([&] { stream.add("0,1\n1,2\n", true); });
      EXPECT_TRUE(test::contains(error, "standard input, line 1: is \"0,1\" a header or a row?")) << error;
    }
  }
}

TEST(TableStream, PlainNumbersNeedNoHeaderAndComeAtOnce) {
  const SourceOptions options = options_of("a,b\n1,2\n3,4\n");
  TableStream stream(options, "rows");
  EXPECT_EQ(stream.add("5,6\n", false).values, (std::vector<float>{5, 6}));
  EXPECT_EQ(stream.add("7,", false).rows, 0);
  EXPECT_EQ(stream.add("8\n9,1\n", false).values, (std::vector<float>{7, 8, 9, 1}));
  EXPECT_EQ(stream.add("", true).rows, 0);
  TableStream headed(options, "rows");
  EXPECT_EQ(headed.add("b,a\n", false).rows, 0);
  EXPECT_EQ(headed.add("6,5\n", false).values, (std::vector<float>{5, 6}));
}

TEST(TableStream, ErrorsNameTheLineOfTheWholeText) {
  const SourceOptions options = options_of("a,b\n1,2\n3,4\n");
  TableStream stream(options, "rows");
  stream.add("a,b\n1,2\n", false);
  stream.add("1,2\n", false);
  const std::string bad = test::message_of<InputError>([&] { stream.add("3,4\n5,x\n", false); });
  EXPECT_TRUE(contains(bad, "line 5 (row 3), column \"b\": \"x\"")) << bad;
  TableStream other(options, "rows");
  const std::string lacks = test::message_of<InputError>([&] { other.add("a,c\n1,2\n", false); });
  EXPECT_TRUE(contains(lacks, "lacks the column \"b\"")) << lacks;
  TableStream unknown(options, "rows");
  const std::string names = test::message_of<InputError>([&] { unknown.add("c,d\n1,2\n", false); });
  EXPECT_TRUE(contains(names, "lacks the columns \"a\", \"b\"")) << names;
}

}  // namespace
}  // namespace nntrain::data

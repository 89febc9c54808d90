// Records of a table's text, wherever the text ends.

#include "data/tables/records.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"

namespace nntrain::data {
namespace {

/// The records, each followed by |; at its end the error, if there is one.
std::string records_of(std::string_view text) {
  std::string all;
  try {
    RecordScanner scanner(stream_of(text, "t.csv"), Dialect{});
    std::string_view record;
    while (scanner.next(record)) all += std::string(record) + "|";
  } catch (const InputError& error) {
    all += error.what();
  }
  return all;
}

TEST(RecordScanner, EndsWhereTheTextEndsWhereverThatIs) {
  const std::string text = "a,\"b\nc\"\n\"d\"\"e\",\"\n\n\"\n1,2";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const std::string_view start = std::string_view(text).substr(0, length);
    const bool open = std::count(start.begin(), start.end(), '"') % 2 == 1;
    const std::string records = records_of(start);
    EXPECT_EQ(records.find("a quoted field has no end") != std::string::npos, open) << start << "\n"
                                                                                    << records;
    if (!open) {
      EXPECT_LE(records.size(), length + 2) << start << "\n" << records;
    }
  }
  EXPECT_EQ(records_of(text), "a,\"b\nc\"|\"d\"\"e\",\"\n\n\"|1,2|");
}

// What an earlier block left in memory is no text.
TEST(RecordScanner, AQuoteWithoutAnEndInTheLastLineOfALongText) {
  std::string text;
  while (text.size() < 3000000) text += "\"a\",1\n";
  for (const std::string last : {"\"open", "\"", "1,\"open\"\"", "1,\"open\n2"}) {
    const std::string records = records_of(text + last);
    const std::string end = records.substr(records.rfind('|') + 1);
    EXPECT_EQ(end, "t.csv, line " + std::to_string(text.size() / 6 + 1) + ": a quoted field has no end");
    EXPECT_EQ(records.size() - end.size(), text.size());
  }
}

}  // namespace
}  // namespace nntrain::data

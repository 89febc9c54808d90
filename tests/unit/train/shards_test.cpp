#include "train/run/shards.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <utility>

namespace nntrain::train {
namespace {

TEST(Shards, AutoComesFromTheBatchAlone) {
  const std::pair<std::int64_t, int> expected[] = {
      {1, 1},   {7, 1},   {8, 2},    {15, 2},    {16, 4},    {31, 4},     {32, 8},     {100, 8},
      {256, 8}, {511, 8}, {512, 16}, {2047, 32}, {2048, 64}, {8192, 256}, {9999, 256}, {1 << 20, 256}};
  for (const auto& [batch, shards] : expected) EXPECT_EQ(automatic_shards(batch), shards) << batch;
}

TEST(Shards, ANoteOnlyWhereARankHasNoRows) {
  for (int ranks = 1; ranks <= 8; ++ranks) EXPECT_EQ(idle_ranks_note(ranks, 8, 100), "") << ranks;
  EXPECT_EQ(idle_ranks_note(3, 3, 3), "");
  EXPECT_NE(idle_ranks_note(3, 8, 3), "");  // its shards without rows may be all that a rank has
  EXPECT_NE(idle_ranks_note(9, 8, 100), "");
  EXPECT_NE(idle_ranks_note(3, 8, 2), "");
}

TEST(Shards, TheNoteCountsRowsAndNamesTheCure) {
  EXPECT_EQ(
      idle_ranks_note(3, 2, 32),
      "2 of 3 ranks have 16 rows of each mini-batch of 32 (2 shards), 1 has none: the bits are the same, but "
      "those only look after their slice of the weights. run.shards = 4 feeds all, or fit.batch_size = 16 or "
      "more with run.shards = auto; a run that has begun keeps its shards and its batch_size");
  EXPECT_EQ(
      idle_ranks_note(5, 3, 4),
      "3 of 5 ranks have 1 to 2 rows of each mini-batch of 4 (3 shards), 2 have none: the bits are the same, "
      "but those only look after their slice of the weights. fit.batch_size = 32 or more with run.shards = "
      "auto feeds all; a run that has begun keeps its shards and its batch_size");
  // More ranks than any batch gives shards.
  EXPECT_NE(idle_ranks_note(300, 8, 1000).find("run.shards = 512 feeds all;"), std::string::npos);
  EXPECT_NE(idle_ranks_note(300, 8, 50).find("fit.batch_size = 512 or more with run.shards = 512 feeds all"),
            std::string::npos);
}

/// The number after the last `words` in `text` that a number follows, 0 without any.
std::int64_t number_after(const std::string& text, const std::string& words) {
  std::int64_t number = 0;
  for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
    if (std::isdigit(static_cast<unsigned char>(text[at + words.size()])) != 0)
      number = std::stoll(text.substr(at + words.size()));
  return number;
}

TEST(Shards, TheCuresOfTheNoteFeedAll) {
  for (const int ranks : {2, 3, 5, 7, 8, 13, 300}) {
    for (const int shards : {1, 2, 8}) {
      for (const std::int64_t rows : {1, 2, 3, 5, 7, 12, 14, 400}) {
        const std::string note = idle_ranks_note(ranks, shards, rows);
        if (note.empty()) continue;
        const std::int64_t batch = number_after(note, "fit.batch_size = ");
        const auto fed_by = static_cast<int>(number_after(note, "run.shards = "));
        const bool automatic = note.find("run.shards = auto") != std::string::npos;
        if (automatic) {
          EXPECT_EQ(idle_ranks_note(ranks, automatic_shards(batch), batch), "") << note;
        }
        if (fed_by > 0) {
          EXPECT_EQ(idle_ranks_note(ranks, fed_by, rows >= ranks ? rows : batch), "") << note;
        }
        EXPECT_TRUE(automatic || fed_by > 0) << note;
      }
    }
  }
}

}  // namespace
}  // namespace nntrain::train

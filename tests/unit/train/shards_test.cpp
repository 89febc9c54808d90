#include "train/run/shards.h"

#include <gtest/gtest.h>

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
  EXPECT_EQ(idle_ranks_note(3, 8, 3), "");
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
  EXPECT_NE(idle_ranks_note(300, 8, 50).find("fit.batch_size = 300 or more with run.shards = 512 feeds all"),
            std::string::npos);
}

TEST(Shards, TheCureOfTheNoteFeedsAll) {
  for (int ranks = 2; ranks <= 8; ++ranks) {
    const std::string note = idle_ranks_note(ranks, 1, 16);
    const std::size_t at = note.find("fit.batch_size = ") + 17;
    const std::int64_t batch = std::stoll(note.substr(at));
    EXPECT_EQ(idle_ranks_note(ranks, automatic_shards(batch), batch), "") << note;
  }
}

}  // namespace
}  // namespace nntrain::train

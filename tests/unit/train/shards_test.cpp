#include "train/run/shards.h"

#include <gtest/gtest.h>

namespace nntrain::train {
namespace {

TEST(Shards, AutoComesFromTheBatchAlone) {
  EXPECT_EQ(automatic_shards(1), 1);
  EXPECT_EQ(automatic_shards(31), 1);
  EXPECT_EQ(automatic_shards(32), 2);
  EXPECT_EQ(automatic_shards(64), 4);
  EXPECT_EQ(automatic_shards(128), 8);
  EXPECT_EQ(automatic_shards(4096), 8);
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
      "those only look after their slice of the weights. run.shards = 4 feeds all, or fit.batch_size = 64 or "
      "more with run.shards = auto; a run that has begun keeps its shards and its batch_size");
  EXPECT_EQ(
      idle_ranks_note(5, 3, 4),
      "3 of 5 ranks have 1 to 2 rows of each mini-batch of 4 (3 shards), 2 have none: the bits are the same, "
      "but those only look after their slice of the weights. fit.batch_size = 128 or more with run.shards = "
      "auto feeds all; a run that has begun keeps its shards and its batch_size");
  // More ranks than any batch gives shards.
  EXPECT_NE(idle_ranks_note(100, 8, 1000).find("run.shards = 128 feeds all;"), std::string::npos);
  EXPECT_NE(idle_ranks_note(100, 8, 50).find("fit.batch_size = 100 or more with run.shards = 128 feeds all"),
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

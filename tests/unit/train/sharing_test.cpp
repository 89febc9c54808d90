// How the rows of a batch are shared among ranks.

#include <gtest/gtest.h>

#include "train/step/replica.h"

namespace nntrain::train {
namespace {

Sharing sharing_of(int rank, int ranks, int shards) { return {shards_of_rank(rank, ranks, shards), shards}; }

TEST(Sharing, EveryRowIsOneRanks) {
  for (const int shards : {1, 3, 8, 64}) {
    for (const int ranks : {1, 2, 5, 8, 13, 100}) {
      for (const std::int64_t batch : {1, 5, 32, 100}) {
        std::int64_t next = 0;
        for (int r = 0; r < ranks; ++r) {
          const Sharing mine = sharing_of(r, ranks, shards);
          BatchRows rows;
          rows.assign(mine.local, mine.shards, batch);
          EXPECT_EQ(rows.first, next);
          EXPECT_EQ(static_cast<int>(rows.bounds.size()), mine.local.count() + 1);
          for (const std::int64_t largest : {batch, batch + 1, 2 * batch})  // room for the largest serves all
            EXPECT_LE(rows.count, mine.most_rows(largest));
          next += rows.count;
        }
        EXPECT_EQ(next, batch);
      }
    }
  }
}

TEST(Sharing, AnEvaluationFeedsRanksThatTrainingDoesNot) {
  for (const int shards : {1, 2, 8, 64, 256}) {
    const int all = evaluation_shards(shards);
    EXPECT_GE(all, shards);
    for (int r = 0; r < 64; ++r) {
      BatchRows rows;
      rows.assign(sharing_of(r, 64, all).local, all, 256);
      EXPECT_GT(rows.count, 0) << "rank " << r << " of 64, " << shards << " shards";
    }
  }
}

}  // namespace
}  // namespace nntrain::train

#pragma once
// How many shards a run has, and what that means for its ranks. Shards fix the bits of a run, so they follow
// from the mini-batch (or from run.shards, or from the checkpoint), never from the number of ranks.

#include <cstdint>
#include <string>

namespace nntrain::train {

/// shards = auto: the largest power of two with at least 16 rows a shard, at most 8.
int automatic_shards(std::int64_t batch_size);

/// Where some of `ranks` ranks have no rows of a mini-batch of `batch_rows` rows: how many have how many, and
/// what would feed all. Empty where all have some.
std::string idle_ranks_note(int ranks, int shards, std::int64_t batch_rows);

}  // namespace nntrain::train

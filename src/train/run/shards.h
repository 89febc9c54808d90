#pragma once
// How many shards a run has, and what that means for its ranks. Shards fix the bits of a run, so they follow
// from the mini-batch (or from run.shards, or from the checkpoint), never from the number of ranks.

#include <cstdint>
#include <string>

namespace nntrain::train {

/// shards = auto: a power of two. 8 shards feed small jobs from 32 rows on, for 4 rows are the fewest that
/// are cheap (below 32 rows there are fewer shards); beyond, a shard has at least 32 rows, for at most 256
/// shards.
int automatic_shards(std::int64_t batch_size);

/// Where some of `ranks` ranks have no rows of a mini-batch of `batch_rows` rows: how many have how many, and
/// what would feed all. Empty where all have some.
std::string idle_ranks_note(int ranks, int shards, std::int64_t batch_rows);

}  // namespace nntrain::train

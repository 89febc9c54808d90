#include "train/run/shards.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "core/tree.h"

namespace nntrain::train {

int automatic_shards(std::int64_t batch_size) {
  constexpr std::int64_t kFewestRows = 4, kRows = 32;
  const auto power_of_two = [](std::int64_t most) {
    return static_cast<int>(std::bit_floor(static_cast<std::uint64_t>(std::max<std::int64_t>(1, most))));
  };
  return std::max(power_of_two(std::min<std::int64_t>(8, batch_size / kFewestRows)),
                  power_of_two(std::min<std::int64_t>(256, batch_size / kRows)));
}

namespace {

/// The smallest batch_size whose automatic shards feed all ranks, 0 where none does.
std::int64_t feeding_batch(int ranks) {
  constexpr std::int64_t kMost = 1 << 16;
  for (std::int64_t batch = ranks; batch <= kMost; ++batch)
    if (automatic_shards(batch) >= ranks) return batch;
  return 0;
}

}  // namespace

std::string idle_ranks_note(int ranks, int shards, std::int64_t batch_rows) {
  std::int64_t least = batch_rows, most = 0;
  int busy = 0;
  for (int r = 0; r < ranks; ++r) {
    const ShardRange local = shards_of_rank(r, ranks, shards);
    const std::int64_t rows =
        shard_begin(local.end, shards, batch_rows) - shard_begin(local.begin, shards, batch_rows);
    if (rows == 0) continue;
    ++busy;
    least = std::min(least, rows);
    most = std::max(most, rows);
  }
  if (busy == ranks) return "";
  const std::string rows = least == most ? fmt::format("{}", most) : fmt::format("{} to {}", least, most);
  std::string text = fmt::format(
      "{} of {} ranks have {} row{} of each mini-batch of {} ({} shard{}), {} {} none: the bits are the "
      "same, "
      "but those only look after their slice of the weights. ",
      busy, ranks, rows, most == 1 ? "" : "s", batch_rows, shards, shards == 1 ? "" : "s", ranks - busy,
      ranks - busy == 1 ? "has" : "have");
  // As many shards as ranks feed all when there are as many rows; a power of two serves other numbers of
  // ranks as well.
  const std::int64_t power = std::bit_ceil(static_cast<unsigned>(ranks));
  const std::int64_t batch = feeding_batch(ranks);
  if (batch_rows >= ranks) {
    text += fmt::format("run.shards = {} feeds all", batch_rows >= power ? power : ranks);
    if (batch > 0) text += fmt::format(", or fit.batch_size = {} or more with run.shards = auto", batch);
  } else if (batch > 0) {
    text += fmt::format("fit.batch_size = {} or more with run.shards = auto feeds all", batch);
  } else {
    text += fmt::format("fit.batch_size = {} or more with run.shards = {} feeds all", power, power);
  }
  return text + "; a run that has begun keeps its shards and its batch_size";
}

}  // namespace nntrain::train

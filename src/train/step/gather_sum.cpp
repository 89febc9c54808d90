#include "train/step/gather_sum.h"

#include <cstring>
#include <vector>

#include "core/error.h"
#include "core/tree.h"

namespace nntrain::train {

void GatherSum::sum(std::span<const double> per_shard, std::span<double> total) {
  const auto shards = static_cast<std::size_t>(shards_);
  std::vector<double> all;  // (shards, width)
  for (const std::vector<std::byte>& part : session_.all_gather(std::as_bytes(per_shard))) {
    const std::size_t old = all.size();
    all.resize(old + part.size() / sizeof(double));
    std::memcpy(all.data() + old, part.data(), part.size());
  }
  if (all.size() != shards * total.size()) throw RuntimeError("internal: the shards of a sum do not add up");
  std::vector<double> column(shards);
  for (std::size_t i = 0; i < total.size(); ++i) {
    for (std::size_t s = 0; s < shards; ++s) column[s] = all[s * total.size() + i];
    total[i] = tree_sum(column);
  }
}

}  // namespace nntrain::train

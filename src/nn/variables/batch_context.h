#pragma once
// What a layer may know of the mini-batch it sees: this replica's rows, where the shards lie, and the
// counters of the random numbers. Nothing of ranks or files.

#include <algorithm>
#include <cstdint>
#include <span>

#include "core/products/products.h"

namespace nntrain::nn {

enum class Mode { kInference, kTraining };

/// Sums over the shards of all replicas, in tree order. `train` connects it to the exchange.
class GlobalSum {
 public:
  virtual ~GlobalSum() = default;
  /// Collective: every replica calls it in the same order with the same `width`, with zero local shards
  /// too. `per_shard` (local shards, width) -> `total` (width): the tree sum over all shards, equal on all.
  virtual void sum(std::span<const double> per_shard, std::span<double> total) = 0;
};

struct BatchContext {
  Mode mode = Mode::kInference;
  std::int64_t rows = 0;                 ///< this replica's rows; may be 0
  std::span<const std::int64_t> bounds;  ///< (local shards + 1) row offsets: first 0, last `rows`
  int first_shard = 0;                   ///< global index of the first local shard
  int shards = 1;                        ///< shards of the run (S)
  std::int64_t first_row = 0;            ///< position of row 0 in the global mini-batch
  std::int64_t batch_rows = 0;           ///< rows of the global mini-batch
  std::uint64_t seed = 0;
  std::uint64_t step = 0;           ///< optimizer steps since the start of the run
  GlobalSum* sums = nullptr;        ///< set in training mode
  bool writes_state = true;         ///< this replica writes moving statistics into the shared values
  std::span<double> activity_loss;  ///< (local shards): layers add activity penalties; may be empty

  const Products* products = &chain_products();  ///< what multiplies matrices; never null
  bool* finite = nullptr;  ///< layers set it to false where a weight shows itself NaN or Inf

  /// Calls use(row, count) for all rows times `positions`, in such pieces as products may take at once: at
  /// most `most` rows where rows are independent, else a shard's.
  template <class Use>
  void for_product_rows(std::int64_t positions, std::int64_t most, Use use) const {
    if (products->rows_are_independent()) {
      const std::int64_t all = rows * positions;
      for (std::int64_t row = 0; row < all; row += most) use(row, std::min(most, all - row));
      return;
    }
    for (int s = 0; s < local_shards(); ++s) {
      if (shard_rows(s) > 0) use(bounds[static_cast<std::size_t>(s)] * positions, shard_rows(s) * positions);
    }
  }

  int local_shards() const { return static_cast<int>(bounds.size()) - 1; }
  std::int64_t shard_rows(int local_shard) const {
    return bounds[static_cast<std::size_t>(local_shard) + 1] - bounds[static_cast<std::size_t>(local_shard)];
  }
};

}  // namespace nntrain::nn

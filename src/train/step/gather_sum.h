#pragma once
// Tree sums where there is no exchange (evaluate, predict): all ranks gather all shards' values.

#include "comm/session/session.h"
#include "nn/variables/batch_context.h"

namespace nntrain::train {

class GatherSum : public nn::GlobalSum {
 public:
  GatherSum(comm::Session& session, int shards) : session_(session), shards_(shards) {}
  /// Collective. `per_shard` (local shards, width) in rank order is shard order.
  void sum(std::span<const double> per_shard, std::span<double> total) override;

 private:
  comm::Session& session_;
  int shards_;
};

}  // namespace nntrain::train

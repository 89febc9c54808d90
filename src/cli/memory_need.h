#pragma once
// How much memory a run takes on a node: what `check` compares with what there is and `plan` asks Slurm for.

#include <cstdint>

#include "train/run/run.h"

namespace nntrain::cli {

/// Bytes. Data and weights are there once a node; each rank has gradients of its own; optimizer state is cut
/// among all ranks; a copy of the whole state, from which checkpoints are written, lies on rank 0's node.
struct MemoryNeed {
  double once = 0;             ///< on each node
  double of_rank = 0;          ///< libraries and buffers included
  double optimizer_state = 0;  ///< of all nodes together
  double state_copy = 0;

  /// Of rank 0's node, one of `nodes` of as many ranks. Measured it was 0.9 to 1.05 of this.
  double on_node(std::int64_t nodes, std::int64_t ranks) const;
};

/// Of `run`, whose checkpoints also hold `kept_sets` sets of weights that callbacks keep. Local.
MemoryNeed memory_need(const train::Run& run, std::int64_t kept_sets);

/// How many sets of weights the callbacks of `settings` keep in memory. Local.
std::int64_t kept_sets(const train::Settings& settings);

}  // namespace nntrain::cli

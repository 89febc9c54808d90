#pragma once
// A piece of the tree of sums (core/tree.h) over arrays that lie in several places, evaluated block by
// block so that intermediate sums stay in the first-level cache. Pure: knows no ranks and no MPI.

#include <cstdint>
#include <span>
#include <vector>

#include "core/bfloat16.h"
#include "core/tree.h"

namespace nntrain::comm {

/// Sums `inputs` (aligned nodes of the tree, left to right) into `outputs` (aligned nodes that the inputs
/// partition, left to right).
class SumProgram {
 public:
  SumProgram() = default;
  SumProgram(SumProgram&&) = default;  // a copy's places_ would point into the original's scratch_
  SumProgram& operator=(SumProgram&&) = default;
  /// Throws RuntimeError when the inputs do not partition the outputs.
  SumProgram(std::span<const ShardRange> inputs, std::span<const ShardRange> outputs, int shards,
             SumFormat format = SumFormat::kFloat32);

  int inputs() const { return inputs_; }
  int outputs() const { return static_cast<int>(sources_.size()); }
  /// The input that output `k` merely repeats, or -1 when there is something to add.
  int only_input(int k) const { return sources_[static_cast<std::size_t>(k)]; }

  /// Outputs [o][i] = sums of inputs [..][i] for first <= i < end. An output may be one of the inputs' own
  /// memory (same element, same index). Outputs that repeat an input are copied, unless they are the same
  /// memory; a null output is skipped. Local, takes no memory. Not for two threads at once (scratch).
  void run(std::span<const float* const> inputs, std::span<float* const> outputs, std::int64_t first,
           std::int64_t end);

 private:
  struct Step {
    int target;  ///< place of the sum
    int left;
    int right;
  };
  int add(ShardRange node, std::span<const ShardRange> inputs, int shards, int target);
  int scratch();

  SumFormat format_ = SumFormat::kFloat32;
  // Places: 0 .. inputs-1 inputs, then outputs, then scratch blocks.
  int inputs_ = 0;
  int first_scratch_ = 0;
  std::size_t next_input_ = 0;  ///< while compiling
  int scratch_in_use_ = 0;      ///< while compiling
  int scratch_blocks_ = 0;
  std::vector<Step> steps_;
  std::vector<int> sources_;     ///< per output
  std::vector<int> first_step_;  ///< per output; one more at the end
  std::vector<float> scratch_;   ///< (scratch_blocks, kBlock)
  std::vector<float*> places_;
};

}  // namespace nntrain::comm

#pragma once
// The workspaces of all ranks of a node (activations and their gradients, nn/sequential.h) where each of them can reach all.

#include <cstdint>
#include <memory>
#include <vector>

#include "nntrain/comm/session.h"
#include "nntrain/nn/sequential.h"

namespace nntrain::train {

class SharedWorkspace {
 public:
  /// Collective. Prepares `model` for training with `rows` rows, the same number on all ranks so that arrays lie in the
  /// same places, and moves its workspace into memory that the node's ranks share. `model` outlives it. Null when there is
  /// no room for shared memory.
  static std::unique_ptr<SharedWorkspace> make(comm::Session& session, nn::Sequential& model, std::int64_t rows);

  int ranks() const { return static_cast<int>(workspaces_.size()); }
  /// Does `array` lie in this rank's workspace?
  bool holds(const float* array) const { return array >= mine_ && array < mine_ + floats_; }
  /// What `array` of this rank is on local rank `rank`.
  float* of(int rank, const float* array) const { return workspaces_[static_cast<std::size_t>(rank)] + (array - mine_); }

 private:
  SharedWorkspace() = default;

  comm::SharedArray memory_;
  std::vector<float*> workspaces_;  ///< of each local rank
  const float* mine_ = nullptr;
  std::int64_t floats_ = 0;
};

}  // namespace nntrain::train

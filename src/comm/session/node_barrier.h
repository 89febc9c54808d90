#pragma once
// Waiting among the ranks of a node, through words in their shared window.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "comm/session/waiter.h"

namespace nntrain::comm {

constexpr std::size_t kLine = 64;  ///< bytes of a cache line

/// In the shared window, zero-filled at the start. Lock-free atomics on shared pages work between processes.
struct BarrierState {
  alignas(kLine) std::atomic<std::uint32_t> arrived;
  alignas(kLine) std::atomic<std::uint32_t> generation;
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

class NodeBarrier {
 public:
  NodeBarrier() = default;
  NodeBarrier(BarrierState* state, int ranks) : state_(state), ranks_(static_cast<std::uint32_t>(ranks)) {}

  /// Collective over the node: what any rank wrote before, every rank sees after.
  void arrive_and_wait(Waiter& waiter) {
    if (ranks_ == 1) return;
    const std::uint32_t generation = state_->generation.load(std::memory_order_acquire);
    if (state_->arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == ranks_) {
      state_->arrived.store(0, std::memory_order_relaxed);
      state_->generation.store(generation + 1, std::memory_order_release);
      return;
    }
    waiter.until([&] { return state_->generation.load(std::memory_order_acquire) != generation; });
  }

 private:
  BarrierState* state_ = nullptr;
  std::uint32_t ranks_ = 1;
};

}  // namespace nntrain::comm

#pragma once
// Waiting among the ranks of a node, through words in their shared window.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

#include "comm/session/session_implementation.h"

namespace nntrain::comm {

constexpr std::size_t kLine = 64;  ///< bytes of a cache line

/// In the shared window, zero-filled at the start. Lock-free atomics on shared pages work between processes.
struct BarrierState {
  alignas(kLine) std::atomic<std::uint32_t> arrived;
  alignas(kLine) std::atomic<std::uint32_t> generation;
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

/// What a waiting rank does meanwhile, because others wait for it.
class Progress {
 public:
  virtual void progress() = 0;

 protected:
  ~Progress() = default;
};

/// Spins for as long as a neighbour on its own core needs to arrive, then gives its core away at each look:
/// ranks that share cores must not spin, or they keep the one they wait for from running.
class Waiter {
 public:
  Waiter() = default;
  /// `progress` is called at each look, may be null and outlives the waiter.
  Waiter(Crowding crowding, Progress* progress);

  template <class Ready>
  void until(const Ready& ready) {
    if (ready()) return;
    const auto start = std::chrono::steady_clock::now();
    for (int look = 0; !ready(); ++look) pause(look);
    add(start, std::chrono::steady_clock::now());
  }
  double seconds() const { return seconds_; }
  /// A wait that was not until()'s, in MPI for instance.
  void add(std::chrono::steady_clock::time_point start, std::chrono::steady_clock::time_point end) {
    seconds_ += std::chrono::duration<double>(end - start).count();
    if (on_wait) on_wait(start, end);
  }

  /// Called after each wait when set, for the profile.
  std::function<void(std::chrono::steady_clock::time_point start, std::chrono::steady_clock::time_point end)>
      on_wait;

 private:
  void pause(int look) const;

  int spins_ = 0;
  Progress* progress_ = nullptr;
  double seconds_ = 0;
};

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

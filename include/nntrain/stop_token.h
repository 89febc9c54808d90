#pragma once
// Wishes from outside a run: stop, or save. Handed in, never global: a program makes one, its signal handlers
// (or another thread) write to it, the run reads it.

#include <atomic>
#include <cstdint>
#include <string>

namespace nntrain {

/// Why a run is to stop early. Bits: several reasons may meet.
enum class StopReason : std::uint32_t {
  kTerminate = 1U << 0,  ///< SIGTERM
  kInterrupt = 1U << 1,  ///< SIGINT
  kUser = 1U << 2,       ///< SIGUSR1
  kTimeLimit = 1U << 3,  ///< run.max_time, or the batch system's limit
  kRequested = 1U << 4,  ///< by the embedding program
};
constexpr int kStopReasons = 5;

/// "SIGTERM", or "SIGUSR1 and run.max_time".
std::string stop_reasons_text(std::uint32_t reasons);

/// Any thread, any signal handler, any time.
class StopToken {
 public:
  void request_stop(StopReason reason) noexcept {
    reasons_.fetch_or(static_cast<std::uint32_t>(reason), std::memory_order_relaxed);
  }
  void request_save() noexcept { save_.store(true, std::memory_order_relaxed); }

  std::uint32_t reasons() const noexcept { return reasons_.load(std::memory_order_relaxed); }
  bool stop_requested() const noexcept { return reasons() != 0; }
  /// True once for each wish.
  bool take_save_request() noexcept { return save_.exchange(false, std::memory_order_relaxed); }

 private:
  static_assert(std::atomic<std::uint32_t>::is_always_lock_free, "signal handlers write to it");
  std::atomic<std::uint32_t> reasons_{0};
  std::atomic<bool> save_{false};
};

}  // namespace nntrain

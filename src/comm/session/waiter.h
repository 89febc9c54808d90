#pragma once
// How a rank waits for others: the one rule for barriers, windows and messages.

#include <chrono>
#include <cstdint>
#include <functional>

namespace nntrain::comm {

/// Do the ranks of a machine have a core each? Decides whether a waiting rank spins or yields.
enum class Crowding { kOneCoreEach, kMoreRanksThanCores };

/// What a waiting rank does meanwhile, because others wait for it.
class Progress {
 public:
  /// Returns how long it computed: that was no waiting.
  virtual std::chrono::steady_clock::duration progress() = 0;

 protected:
  ~Progress() = default;
};

class StallWatch;

/// Spins for as long as a neighbour on its own core needs to arrive, then gives its core away at each look:
/// ranks that share cores must not spin, or they keep the one they wait for from running. After a second it
/// sleeps between looks, and the StallWatch counts.
class Waiter {
 public:
  Waiter() = default;
  /// `progress` is called at each look, and so is `errand` where it is not empty; they and `watch` may be
  /// null and outlive the waiter.
  Waiter(Crowding crowding, Progress* progress, StallWatch* watch,
         const std::function<void()>* errand = nullptr);

  template <class Ready>
  void until(const Ready& ready) {
    if (ready()) return;
    const auto start = std::chrono::steady_clock::now();
    std::chrono::steady_clock::duration worked{};
    for (std::int64_t look = 0; !ready(); ++look) worked += pause(look, start);
    add(start + worked, std::chrono::steady_clock::now());
  }
  double seconds() const { return seconds_; }
  /// A wait that was not until()'s.
  void add(std::chrono::steady_clock::time_point start, std::chrono::steady_clock::time_point end) {
    seconds_ += std::chrono::duration<double>(end - start).count();
    if (on_wait) on_wait(start, end);
  }

  /// Called after each wait when set, for the profile.
  std::function<void(std::chrono::steady_clock::time_point start, std::chrono::steady_clock::time_point end)>
      on_wait;

 private:
  std::chrono::steady_clock::duration pause(std::int64_t look,
                                            std::chrono::steady_clock::time_point start) const;

  int spins_ = 0;
  Progress* progress_ = nullptr;
  StallWatch* watch_ = nullptr;
  const std::function<void()>* errand_ = nullptr;
  double seconds_ = 0;
};

}  // namespace nntrain::comm

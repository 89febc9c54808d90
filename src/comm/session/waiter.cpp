#include "comm/session/waiter.h"

#include <sched.h>

#include <thread>

#include "comm/session/stall_watch.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace nntrain::comm {

namespace {

using Clock = std::chrono::steady_clock;

/// About 50 microseconds of _mm_pause: longer than ranks of equal work usually wait for one another.
constexpr int kSpins = 1000;
constexpr std::chrono::seconds kLong{1};
constexpr std::chrono::milliseconds kNap{1};

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

}  // namespace

Waiter::Waiter(Crowding crowding, Progress* progress, StallWatch* watch, const std::function<void()>* errand)
    : spins_(crowding == Crowding::kOneCoreEach ? kSpins : 0),
      progress_(progress),
      watch_(watch),
      errand_(errand) {}

Clock::duration Waiter::pause(std::int64_t look, Clock::time_point start) const {
  const Clock::duration worked = progress_ != nullptr ? progress_->progress() : Clock::duration{};
  if (errand_ != nullptr && *errand_) (*errand_)();
  if (look < spins_) {
    relax();
    return worked;
  }
  // On a crowded machine a yield may take long, so the clock is read at each look: it costs less than a
  // yield.
  sched_yield();
  const auto waited = Clock::now() - start;
  if (waited < kLong) return worked;
  if (watch_ != nullptr) watch_->look(std::chrono::duration<double>(waited).count());
  std::this_thread::sleep_for(kNap);
  return worked;
}

}  // namespace nntrain::comm

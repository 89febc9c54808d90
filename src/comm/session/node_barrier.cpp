#include "comm/session/node_barrier.h"

#include <sched.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace nntrain::comm {

namespace {

/// About 50 microseconds of _mm_pause: longer than ranks of equal work usually wait for one another.
constexpr int kSpins = 1000;

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

}  // namespace

Waiter::Waiter(Crowding crowding, Progress* progress)
    : spins_(crowding == Crowding::kOneCoreEach ? kSpins : 0), progress_(progress) {}

void Waiter::pause(int look) const {
  if (progress_ != nullptr) progress_->progress();
  if (look < spins_) {
    relax();
  } else {
    sched_yield();
  }
}

}  // namespace nntrain::comm

#include "comm/node_barrier.h"

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

Waiter::Waiter(Crowding crowding, Progress progress, MPI_Comm progress_on)
    : spins_(crowding == Crowding::kOneCoreEach ? kSpins : 0),
      progress_(progress),
      progress_on_(progress_on) {}

void Waiter::pause(int look) const {
  if (look < spins_) {
    relax();
    return;
  }
  if (progress_ == Progress::kPokeMpi) {
    // Open MPI moves data only inside MPI calls. A small message that it has buffered for us may still wait
    // for this rank, while the rank that we wait for waits for that message's receiver.
    int found = 0;
    check(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, progress_on_, &found, MPI_STATUS_IGNORE), "MPI_Iprobe");
  }
  sched_yield();
}

}  // namespace nntrain::comm

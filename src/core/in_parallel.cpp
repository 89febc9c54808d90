#include "core/in_parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>

#include "core/background_job.h"

namespace nntrain {

namespace {

constexpr std::size_t kMostThreads = 4;

std::size_t my_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;  // more than 1024 of them, or forbidden
  return static_cast<std::size_t>(std::max(1, CPU_COUNT(&cores)));
}

}  // namespace

void in_parallel(const std::vector<std::function<void()>>& tasks) {
  std::atomic<std::size_t> next{0};
  const auto take = [&] {
    for (std::size_t i = next++; i < tasks.size(); i = next++) tasks[i]();
  };
  const std::size_t threads = std::min({tasks.size(), my_cores(), kMostThreads});
  std::vector<BackgroundJob> helpers(threads > 1 ? threads - 1 : 0);
  for (BackgroundJob& helper : helpers) helper.start(take);
  take();
  for (BackgroundJob& helper : helpers) helper.wait();
}

}  // namespace nntrain

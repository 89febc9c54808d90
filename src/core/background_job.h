#pragma once
// One piece of work at a time on a thread of its own, for work that waits for disks while the owner goes on.
// The work calls no MPI, writes no log and touches nothing that the owner uses meanwhile. Signals reach the
// other threads only.

#include <atomic>
#include <exception>
#include <functional>
#include <thread>

namespace nntrain {

class BackgroundJob {
 public:
  BackgroundJob() = default;
  /// Waits. What the work threw is lost: call wait() where that matters.
  ~BackgroundJob();
  BackgroundJob(const BackgroundJob&) = delete;
  BackgroundJob& operator=(const BackgroundJob&) = delete;

  /// Begins `work`, and gives its captures back as soon as it has ended; the one before must have been
  /// waited for. Where the system has no thread to give, the work is done before start() returns.
  void start(std::function<void()> work);
  /// Is the work being done right now?
  bool running() const { return running_.load(std::memory_order_acquire); }
  /// Would wait() throw? Never waits itself; false while the work goes on.
  bool has_failed() const { return failed_.load(std::memory_order_acquire); }
  /// Returns when the work has ended; throws what it threw, once.
  void wait();

 private:
  void run(std::function<void()>& work) noexcept;
  void join();

  std::thread thread_;
  std::exception_ptr error_;
  std::atomic<bool> running_{false}, failed_{false};
};

}  // namespace nntrain

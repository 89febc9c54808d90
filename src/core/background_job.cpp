#include "core/background_job.h"

#include <csignal>
#include <system_error>
#include <utility>

namespace nntrain {

namespace {

/// While one lives, threads that are made are told of no signal but of their own faults.
class WithoutSignals {
 public:
  WithoutSignals() {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) sigdelset(&all, fault);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~WithoutSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  WithoutSignals(const WithoutSignals&) = delete;
  WithoutSignals& operator=(const WithoutSignals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

BackgroundJob::~BackgroundJob() { join(); }

void BackgroundJob::start(std::function<void()> work) {
  join();
  error_ = nullptr;
  failed_.store(false, std::memory_order_relaxed);
  running_.store(true, std::memory_order_relaxed);
  try {
    const WithoutSignals masked;
    thread_ = std::thread([this, work]() mutable { run(work); });
    return;
  } catch (const std::system_error&) {  // the limit on processes, or a container's
  } catch (...) {                       // no memory
    running_.store(false, std::memory_order_relaxed);
    throw;
  }
  run(work);
}

void BackgroundJob::run(std::function<void()>& work) noexcept {
  try {
    work();
  } catch (...) {
    error_ = std::current_exception();
  }
  work = nullptr;
  if (error_) failed_.store(true, std::memory_order_release);
  running_.store(false, std::memory_order_release);
}

void BackgroundJob::join() {
  if (thread_.joinable()) thread_.join();
}

void BackgroundJob::wait() {
  join();
  failed_.store(false, std::memory_order_relaxed);
  if (std::exception_ptr error = std::exchange(error_, nullptr)) std::rethrow_exception(error);
}

}  // namespace nntrain

#include "core/background_job.h"

#include <gtest/gtest.h>

#include <csignal>
#include <future>
#include <memory>

#include "core/error.h"

namespace nntrain {
namespace {

TEST(BackgroundJob, GoesOnBesideItsOwnerAndIsWaitedFor) {
  std::promise<void> gate;
  int done = 0;
  BackgroundJob job;
  job.start([&, go_on = std::make_shared<std::future<void>>(gate.get_future())] {
    go_on->wait();
    done = 1;
  });
  EXPECT_TRUE(job.running());
  EXPECT_FALSE(job.has_failed());
  gate.set_value();
  job.wait();
  EXPECT_EQ(done, 1);
  EXPECT_FALSE(job.running());
}

TEST(BackgroundJob, TellsAFailureOnce) {
  BackgroundJob job;
  job.start([] { throw RuntimeError("no disk"); });
  while (!job.has_failed()) std::this_thread::yield();
  EXPECT_THROW(job.wait(), RuntimeError);
  EXPECT_FALSE(job.has_failed());
  job.wait();
  int done = 0;
  job.start([&] { done = 2; });
  job.wait();
  EXPECT_EQ(done, 2);
}

TEST(BackgroundJob, GivesItsMemoryBackBeforeItIsWaitedFor) {
  BackgroundJob job;
  auto memory = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = memory;
  job.start([memory = std::move(memory)] {});
  while (job.running()) std::this_thread::yield();
  EXPECT_TRUE(seen.expired());
}

TEST(BackgroundJob, IsToldOfNoSignal) {
  sigset_t mask;
  BackgroundJob job;
  job.start([&] { pthread_sigmask(SIG_SETMASK, nullptr, &mask); });
  job.wait();
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) EXPECT_EQ(sigismember(&mask, signal), 1);
  EXPECT_EQ(sigismember(&mask, SIGSEGV), 0);
  sigset_t mine;
  pthread_sigmask(SIG_SETMASK, nullptr, &mine);
  EXPECT_EQ(sigismember(&mine, SIGTERM), 0);
}

TEST(BackgroundJob, IsWaitedForByItsDestructor) {
  int done = 0;
  {
    BackgroundJob job;
    job.start([&] { done = 1; });
  }
  EXPECT_EQ(done, 1);
}

}  // namespace
}  // namespace nntrain

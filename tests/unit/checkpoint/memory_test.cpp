// Memory that cannot grow: every allocation on the way of a checkpoint fails in turn, on whichever thread it
// is. The run is told, and what is left is the old checkpoint or the new one, whole. Counted is operator new,
// which is how code of ours takes memory; what libhdf5 takes inside itself is its own.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include "checkpoint/digest.h"
#include "checkpoint/run_file.h"
#include "unit/checkpoint/contents.h"
#include "unit/io/scratch.h"

namespace {

/// Allocations until one fails; negative: none will.
std::atomic<long> left{-1};

void* allocate(std::size_t bytes) {
  if (left.load(std::memory_order_relaxed) >= 0 && left.fetch_sub(1) == 0) throw std::bad_alloc();
  void* memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// All forms: the sanitizer has its own of those that are left out, and then takes notice.
void* operator new(std::size_t bytes) { return allocate(bytes); }
void* operator new[](std::size_t bytes) { return allocate(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  try {
    return allocate(bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t bytes, const std::nothrow_t& none) noexcept {
  return operator new(bytes, none);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

namespace nntrain::checkpoint {
namespace {

/// The disk of a test need not be waited for.
class Quick : public io::System {
  int fsync(int) override { return 0; }
};

std::int64_t epoch_of(const std::string& path) {
  const Contents contents = read(path);
  EXPECT_EQ(payload_digest(contents), payload_digest(contents_at(contents.state.epoch)));
  return contents.state.epoch;
}

enum class Outcome { kDone, kTold, kToldOfDamage, kEnded };

/// `attempt` in a process of its own, with its n-th allocation failing.
template <class Attempt>
Outcome fail_at(long n, Attempt&& attempt) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::freopen("/dev/null", "w", stderr);  // the words of std::terminate
    left = n;
    try {
      attempt();
    } catch (const std::bad_alloc&) {
      ::_exit(1);
    } catch (const Error& error) {  // told in words by whoever could still do so; not as damage of the file
      ::_exit(std::strstr(error.what(), "damaged") != nullptr ? 2 : 1);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status)) return Outcome::kEnded;
  constexpr Outcome kByCode[] = {Outcome::kDone, Outcome::kTold, Outcome::kToldOfDamage};
  return kByCode[WEXITSTATUS(status)];
}

/// Not every allocation, so that the tests stay short; all of them with NNTRAIN_ALLOCATIONS=all
/// (docs/testing.md).
long step() {
  const char* which = std::getenv("NNTRAIN_ALLOCATIONS");
  return which != nullptr && std::strcmp(which, "all") == 0 ? 1 : 5;
}

/// How many it takes.
template <class Attempt>
long allocations(Attempt&& attempt) {
  left = std::numeric_limits<long>::max();
  attempt();
  return std::numeric_limits<long>::max() - left.exchange(-1);
}

TEST(CheckpointMemory, EveryAllocationOfAWriteFailsInTurn) {
  const test::Scratch scratch;
  const std::string path = scratch.path("run.h5");
  Quick quick;
  std::int64_t epoch = 0;
  const auto write_next = [&] {
    RunFile file(path, 2, quick);
    file.write(contents_at(epoch % 7 + 1));  // small ones
  };
  write_next();
  epoch = 1;
  write_next();
  epoch = 2;
  const long count = allocations(write_next);
  epoch = 3;
  ASSERT_GT(count, 500);
  long told = 0, ended = 0;
  for (long n = 0; n < count; n += step()) {
    const Outcome outcome = fail_at(n, write_next);
    EXPECT_NE(outcome, Outcome::kToldOfDamage) << "allocation " << n;
    told += outcome == Outcome::kTold ? 1 : 0;
    ended += outcome == Outcome::kEnded ? 1 : 0;
    const std::int64_t now = epoch_of(path), next = epoch % 7 + 1;
    ASSERT_TRUE(now == next || (now == epoch && outcome != Outcome::kDone)) << "allocation " << n;
    ASSERT_GT(epoch_of(path + ".1"), 0) << "allocation " << n;
    epoch = now;
  }
  std::printf("%ld allocations, one in %ld failed in turn: %ld told, %ld processes ended\n", count, step(),
              told, ended);
  EXPECT_GT(told, count / step() / 2);
  EXPECT_LT(ended, told / 5);  // most in libstdc++'s directory_iterator, which cannot throw
  write_next();                // no lock is in the way
}

TEST(CheckpointMemory, EveryAllocationOfAReadFailsInTurn) {
  const test::Scratch scratch;
  const std::string path = scratch.path("run.h5");
  Quick quick;
  write(path, example(), quick);
  const auto read_it = [&] { return read(path); };
  const long count = allocations(read_it);
  ASSERT_GT(count, 500);
  long told = 0, ended = 0;
  for (long n = 0; n < count; n += step()) {
    const Outcome outcome = fail_at(n, read_it);
    EXPECT_NE(outcome, Outcome::kToldOfDamage) << "allocation " << n;
    told += outcome == Outcome::kTold ? 1 : 0;
    ended += outcome == Outcome::kEnded ? 1 : 0;
  }
  std::printf("%ld allocations, one in %ld failed in turn: %ld told, %ld processes ended\n", count, step(),
              told, ended);
  EXPECT_GT(told, count / step() / 2);
  EXPECT_LT(ended, told / 5);
}

}  // namespace
}  // namespace nntrain::checkpoint

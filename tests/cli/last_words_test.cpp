// Exceptions that nothing catches: they are said, and the exit code is that of an error.

#include "cli/last_words.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <thread>

namespace nntrain::cli {
namespace {

/// As containers that take memory while they are freed.
struct ThrowsAtItsEnd {
  ~ThrowsAtItsEnd() noexcept { refuse(); }  // NOLINT: what is tested
  static void refuse() { throw std::bad_alloc(); }
};

TEST(LastWords, NoMemoryInADestructor) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto ends = [] {
    say_last_words("[rank 1 on node2] ");
    const ThrowsAtItsEnd object;
  };
  EXPECT_EXIT(ends(), testing::ExitedWithCode(1), "^\n\\[rank 1 on node2\\] out of memory\n$");
}

TEST(LastWords, AnExceptionThatLeavesAThread) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto ends = [] {
    say_last_words("nntrain-dist: ");
    std::thread([] { throw std::runtime_error("the disk is gone"); }).join();
  };
  EXPECT_EXIT(ends(), testing::ExitedWithCode(1), "^\nnntrain-dist: the disk is gone\n$");
}

}  // namespace
}  // namespace nntrain::cli

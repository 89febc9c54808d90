// Every call of the system on the way of a checkpoint fails in turn, and the process or the machine dies at
// every such point: what is left is a readable checkpoint, the old or the new one, and the next run goes on.

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>

#include "checkpoint/digest.h"
#include "checkpoint/run_file.h"
#include "fault/fault_system.h"
#include "unit/checkpoint/contents.h"
#include "unit/io/scratch.h"

namespace nntrain::checkpoint {
namespace {

using test::FaultSystem;

constexpr int kEveryKind[] = {EIO, ENOSPC, EACCES};

/// The disk of a test need not be waited for.
class Quick : public io::System {
  int fsync(int) override { return 0; }
};

class CheckpointFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = scratch_.path("runs/run.h5");
    std::filesystem::create_directories(scratch_.path("undo"));
  }

  /// For docs/testing.md: how many there were.
  void TearDown() override { std::printf("%d faults injected\n", faults_); }

  /// Two checkpoints are there, as in a run that has gone on for a while.
  void begin() {
    std::filesystem::remove_all(scratch_.path("runs"));
    RunFile file(path_, 2, quick_);
    file.write(contents_at(1));
    file.write(contents_at(2));
  }

  /// The third one, on a system that fails. True: it was written, as far as the run knows.
  bool write_third(io::System& system) {
    ++faults_;
    try {
      RunFile file(path_, 2, system);
      file.write(contents_at(3));
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  /// `written`: the run was told so. The next run finds a whole checkpoint and can write one.
  void expect_good_state(bool written, const std::string& how) const {
    std::filesystem::remove(path_ + ".lock");  // its process would be gone
    const std::int64_t epoch = expect_whole(path_, how);
    EXPECT_TRUE(epoch == 3 || (epoch == 2 && !written)) << how << ": epoch " << epoch;
    if (exists(path_ + ".1")) {
      const std::int64_t before = expect_whole(path_ + ".1", how);
      EXPECT_TRUE(before == 1 || before == 2) << how;
    }
    RunFile next(path_, 2, quick_);
    EXPECT_NO_THROW(next.write(contents_at(4))) << how;
    EXPECT_EQ(expect_whole(path_, how), 4) << how;
  }

  /// Bit for bit what was written then; returns its epoch.
  static std::int64_t expect_whole(const std::string& path, const std::string& how) {
    try {
      const Contents contents = read(path);
      EXPECT_EQ(payload_digest(contents), payload_digest(contents_at(contents.state.epoch))) << how;
      return contents.state.epoch;
    } catch (const Error& error) {
      ADD_FAILURE() << how << ": " << error.what();
      return -1;
    }
  }

  int calls() {
    begin();
    FaultSystem system(scratch_.path("undo"));
    EXPECT_TRUE(write_third(system));
    faults_ = 0;  // none yet
    return system.calls();
  }

  test::Scratch scratch_;
  mutable Quick quick_;
  std::string path_;
  int faults_ = 0;
};

TEST_F(CheckpointFaults, EveryCallFailsInTurn) {
  const int calls = this->calls();
  ASSERT_GT(calls, 20);
  for (int call = 0; call < calls; ++call) {
    for (const int error : kEveryKind) {
      begin();
      FaultSystem system(scratch_.path("undo"));
      system.fail(call, FaultSystem::Kind::kError, error);
      const bool written = write_third(system);
      expect_good_state(written, "call " + std::to_string(call) + ", " + std::strerror(error));
    }
  }
}

TEST_F(CheckpointFaults, ShortWritesAreGoneOnWith) {
  const int calls = this->calls();
  for (int call = 0; call < calls; ++call) {
    begin();
    FaultSystem system(scratch_.path("undo"));
    system.fail(call, FaultSystem::Kind::kShortWrite);
    EXPECT_TRUE(write_third(system)) << call;
    expect_good_state(true, "short write at call " + std::to_string(call));
  }
}

TEST_F(CheckpointFaults, TheProcessDiesAtEveryCall) {
  const int calls = this->calls();
  for (int call = 0; call < calls; ++call) {
    begin();
    FaultSystem system(scratch_.path("undo"));
    system.fail(call, FaultSystem::Kind::kDeath);
    EXPECT_FALSE(write_third(system) && call + 2 < calls);  // the lock is all that is left to do
    expect_good_state(false, "death at call " + std::to_string(call));
  }
}

TEST_F(CheckpointFaults, TheMachineDiesAtEveryCallAndLosesWhatWasNotSynchronised) {
  const int calls = this->calls();
  for (int call = 0; call <= calls; ++call) {
    for (std::size_t kept = 0;; ++kept) {
      begin();
      FaultSystem system(scratch_.path("undo"));
      system.fail(call, FaultSystem::Kind::kDeath);
      const bool written = write_third(system);
      const std::size_t pending = system.pending();
      system.crash(kept);
      expect_good_state(written && !system.dead(), "machine dies at call " + std::to_string(call) + ", " +
                                                       std::to_string(kept) + " of " +
                                                       std::to_string(pending) + " changes on the disk");
      if (kept >= pending) break;
    }
  }
}

}  // namespace
}  // namespace nntrain::checkpoint

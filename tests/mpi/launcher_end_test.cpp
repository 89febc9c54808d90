// A launcher that does not end although its last rank has, here one that only sleeps.

#include "comm/session/launcher_end.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "comm/session/process_state.h"
#include "mpi_main.h"

namespace nntrain::comm {
namespace {

namespace fs = std::filesystem;

/// A folder with what the launcher says and a segment of shared memory of its job.
class LauncherEnd : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_);
    setenv("OMPI_MCA_ess_base_jobid", "439041101", 1);  // 1a2b3c4d
    setenv("OMPI_MCA_btl_vader_backing_directory", folder_.c_str(), 1);
    std::ofstream(segment_) << "of the job";
    std::ofstream(folder_ / "vader_segment.vm.0.ffffffff.0") << "of another job";
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// A process called `name` with children, which do what `rank` does; it never asks after them. How it
  /// ended: it would be alarmed after `seconds`.
  int launcher_with(const char* name, unsigned seconds, int ranks,
                    const std::function<void(int)>& rank) const {
    const pid_t launcher = fork();
    if (launcher == 0) {
      prctl(PR_SET_NAME, name);
      const int error = open((folder_ / "said").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      dup2(error, STDERR_FILENO);
      alarm(seconds);
      for (int i = 0; i < ranks; ++i) {
        if (fork() != 0) continue;
        alarm(0);
        rank(i);
        _exit(0);
      }
      for (;;) pause();
    }
    int status = 0;
    waitpid(launcher, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
  }
  std::string said() const {
    std::ifstream file(folder_ / "said");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  const fs::path folder_ = fs::temp_directory_path() / fmt::format("nntrain-launcher-end-{}", getpid());
  const fs::path segment_ = folder_ / "vader_segment.vm.0.1a2b3c4d.0";
};

// A process may go between the opening and the reading of its file: the reading fails, as here that of a
// folder.
TEST(ProcessState, AFileThatCannotBeReadIsEmpty) {
  EXPECT_EQ(text_of_process_file("/proc/self/"), "");
  EXPECT_EQ(text_of_process_file("/proc/0/stat"), "");
  EXPECT_NE(text_of_process_file("/proc/self/stat"), "");
}

void die_while_mpi_starts(int /*rank*/) {
  const StartGuard guard;
  raise(SIGKILL);
}

TEST_F(LauncherEnd, WithoutARankItIsKilledAndItsJobsMemoryIsFreed) {
  EXPECT_EQ(launcher_with("mpirun", 60, 3, die_while_mpi_starts), SIGKILL);
  const std::string said = this->said(), what = "did not end after its last rank; it was killed";
  EXPECT_NE(said.find(what), std::string::npos) << said;
  EXPECT_EQ(said.find(what), said.rfind(what)) << said;
  for (int looks = 0; looks < 500 && fs::exists(segment_); ++looks) usleep(10'000);
  EXPECT_FALSE(fs::exists(segment_));
  EXPECT_TRUE(fs::exists(folder_ / "vader_segment.vm.0.ffffffff.0"));
}

TEST_F(LauncherEnd, RanksThatItForgetsAreKilledFirst) {
  EXPECT_EQ(launcher_with("mpirun", 60, 2,
                          [](int rank) {
                            if (rank == 0) die_while_mpi_starts(rank);
                            for (;;) pause();
                          }),
            SIGKILL);
  EXPECT_NE(said().find("did not end the other ranks of this host; they were killed"), std::string::npos)
      << said();
}

TEST_F(LauncherEnd, ARankThatHasStartedLeavesNoGuard) {
  EXPECT_EQ(launcher_with("mpirun", 4, 1,
                          [](int /*rank*/) {
                            { const StartGuard guard; }
                            if (!has_running_child(getpid())) kill(getppid(), SIGUSR1);
                          }),
            SIGUSR1);
  EXPECT_EQ(said(), "");
}

TEST_F(LauncherEnd, AGuardThatWasKilledIsMissedByNobody) {
  EXPECT_EQ(launcher_with("mpirun", 4, 1,
                          [](int /*rank*/) {
                            {
                              const StartGuard guard;
                              for (const Sibling& child : ranks_of(getpid()))
                                kill(static_cast<pid_t>(child.pid), SIGKILL);
                              while (has_running_child(getpid())) usleep(1000);
                            }
                            kill(getppid(), SIGUSR1);  // a write to the guard would have killed this process
                          }),
            SIGUSR1);
  EXPECT_EQ(said(), "");
}

TEST_F(LauncherEnd, OtherProgramsAreNeverKilled) {
  EXPECT_EQ(launcher_with("bash", 3, 1, die_while_mpi_starts), SIGALRM);
  EXPECT_EQ(said(), "");
}

}  // namespace
}  // namespace nntrain::comm

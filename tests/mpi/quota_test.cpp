// What control groups allow, from files laid out as the kernel does; no communication.

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "comm/session/core_quota.h"
#include "mpi_main.h"

namespace nntrain::comm {
namespace {

namespace fs = std::filesystem;

class CoreQuota : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("nntrain_quota_" + std::to_string(getpid()));
    fs::remove_all(root_);
  }
  void TearDown() override { fs::remove_all(root_); }
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << "\n";
  }
  int quota() const { return core_quota(root_.string()); }
  fs::path root_;
};

TEST_F(CoreQuota, NothingThereIsNoLimit) { EXPECT_GT(quota(), 1000000); }

TEST_F(CoreQuota, OfAContainer) {
  write("sys/fs/cgroup/cpu.max", "150000 100000");
  write("proc/self/cgroup", "0::/");
  EXPECT_EQ(quota(), 2);
}

TEST_F(CoreQuota, MaxIsNoLimit) {
  write("sys/fs/cgroup/cpu.max", "max 100000");
  EXPECT_GT(quota(), 1000000);
}

TEST_F(CoreQuota, TheSmallestAboveTheProcessCounts) {
  write("proc/self/cgroup", "0::/batch/job_7/step_0");
  write("sys/fs/cgroup/batch/cpu.max", "800000 100000");
  write("sys/fs/cgroup/batch/job_7/cpu.max", "300000 100000");
  write("sys/fs/cgroup/batch/job_7/step_0/cpu.max", "max 100000");
  write("sys/fs/cgroup/batch/other/cpu.max", "100000 100000");
  EXPECT_EQ(quota(), 3);
}

TEST_F(CoreQuota, LessThanOneCoreIsOne) {
  write("proc/self/cgroup", "0::/a");
  write("sys/fs/cgroup/a/cpu.max", "20000 100000");
  EXPECT_EQ(quota(), 1);
}

TEST_F(CoreQuota, OfTheFirstVersion) {
  write("proc/self/cgroup", "4:cpu,cpuacct:/docker/x\n2:memory:/docker/x\n0::/");
  write("sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us", "400000");
  write("sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us", "100000");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000");
  EXPECT_EQ(quota(), 4);
}

}  // namespace
}  // namespace nntrain::comm

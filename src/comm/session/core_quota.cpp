#include "comm/session/core_quota.h"

#include <algorithm>
#include <cmath>
#include <fstream>

namespace nntrain::comm {

namespace {

constexpr int kNoLimit = 1 << 30;

int cores(double quota, double period) {
  if (quota <= 0 || period <= 0) return kNoLimit;  // v1 says -1 without a limit
  return static_cast<int>(std::clamp(std::ceil(quota / period), 1.0, static_cast<double>(kNoLimit)));
}

int quota_of_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  double quota = 0;
  double period = 0;
  return file >> quota >> period ? cores(quota, period) : kNoLimit;  // "max 100000" does not parse: no limit
}

int quota_of_v1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us");
  std::ifstream period_file(folder + "/cpu.cfs_period_us");
  double quota = 0;
  double period = 0;
  return quota_file >> quota && period_file >> period ? cores(quota, period) : kNoLimit;
}

/// The smallest quota of `group` and the groups above it, up to the one that this process sees as the root.
template <class Quota>
int smallest(const std::string& mount, std::string group, const Quota& quota) {
  int least = quota(mount);
  while (!group.empty() && group != "/") {
    least = std::min(least, quota(mount + group));
    group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
  return least;
}

}  // namespace

int core_quota(const std::string& root) {
  const std::string mount = root + "/sys/fs/cgroup";
  int least = smallest(mount, "", quota_of_v2);
  std::ifstream groups(root + "/proc/self/cgroup");
  // hierarchy:controllers:path; the unified hierarchy of v2 has number 0 and no controllers.
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string group = line.substr(second + 1);
    if (controllers == ",,") {
      least = std::min(least, smallest(mount, group, quota_of_v2));
      least = std::min(least, smallest(mount + "/unified", group, quota_of_v2));
    } else if (controllers.find(",cpu,") != std::string::npos) {
      for (const char* folder : {"/cpu", "/cpu,cpuacct"})
        least = std::min(least, smallest(mount + folder, group, quota_of_v1));
    }
  }
  return least;
}

}  // namespace nntrain::comm

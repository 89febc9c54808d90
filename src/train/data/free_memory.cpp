#include "train/data/free_memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>

namespace nntrain::train {

namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

/// The number that a file of the kernel holds; kNoLimit for "max" and for files that are not there.
std::int64_t number_in(const std::string& path) {
  std::ifstream file(path);
  std::int64_t number = 0;
  return file >> number ? number : kNoLimit;
}

std::int64_t available() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::int64_t kilobytes = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("MemAvailable:") && (kilobytes = std::atoll(line.c_str() + 13)) > 0)
      return kilobytes * 1024;
  }
  return kNoLimit;
}

/// Of one control group; what its page cache holds can be given up.
std::int64_t left_in(const std::string& folder, const char* limit, const char* used, const char* cache) {
  const std::int64_t most = number_in(folder + limit), now = number_in(folder + used);
  if (most == kNoLimit || now == kNoLimit || most > (kNoLimit >> 8)) return kNoLimit;
  std::ifstream statistics(folder + "/memory.stat");
  std::int64_t given_up = 0;
  for (std::string line; std::getline(statistics, line);)
    if (line.starts_with(cache)) given_up = std::atoll(line.c_str() + std::string(cache).size());
  return std::max<std::int64_t>(0, most - now + given_up);
}

/// This process's control group and those around it: version 2, then version 1.
std::int64_t left_in_control_groups() {
  std::int64_t least = kNoLimit;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t path_at = line.find(':', line.find(':') + 1);
    if (path_at == std::string::npos) continue;
    const bool second = line.starts_with("0::");
    if (!second && line.find("memory") == std::string::npos) continue;
    const std::string root = second ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    for (std::string path = line.substr(path_at + 1);; path = path.substr(0, path.rfind('/'))) {
      if (path == "/") path.clear();
      least =
          std::min(least, second ? left_in(root + path, "/memory.max", "/memory.current", "inactive_file ")
                                 : left_in(root + path, "/memory.limit_in_bytes", "/memory.usage_in_bytes",
                                           "total_inactive_file "));
      if (path.find('/') == std::string::npos) break;
    }
  }
  return least;
}

std::int64_t left_of_address_space() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kNoLimit;
  const std::int64_t pages = number_in("/proc/self/statm");
  if (pages == kNoLimit) return kNoLimit;
  return std::max<std::int64_t>(0,
                                static_cast<std::int64_t>(limit.rlim_cur) - pages * ::sysconf(_SC_PAGESIZE));
}

}  // namespace

std::int64_t free_memory_bytes() {
  if (const char* told = std::getenv("NNTRAIN_FREE_BYTES"); told != nullptr) return std::atoll(told);
  return std::min({available(), left_in_control_groups(), left_of_address_space()});
}

}  // namespace nntrain::train

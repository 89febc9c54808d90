#include "comm/session/process_state.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

namespace nntrain::comm {

namespace {

/// What follows the program's name, which may hold anything, in /proc/PID/stat: "S 123 ...", state and
/// parent.
std::string stat_of(std::int64_t pid) {
  const std::string stat = text_of_process_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = stat.rfind(')');
  return name_end == std::string::npos || name_end + 2 >= stat.size() ? "" : stat.substr(name_end + 2);
}

std::int64_t parent_of(std::int64_t pid) {
  std::istringstream fields(stat_of(pid));
  char state = 0;
  std::int64_t parent = 0;
  fields >> state >> parent;
  return parent;
}

/// -1: its environment names none.
long rank_of(std::int64_t pid) {
  const std::string environment = text_of_process_file("/proc/" + std::to_string(pid) + "/environ");
  for (const std::string_view name : {"OMPI_COMM_WORLD_RANK=", "PMIX_RANK=", "PMI_RANK=", "SLURM_PROCID="}) {
    for (std::size_t begin = 0; begin < environment.size(); begin = environment.find('\0', begin) + 1) {
      const std::string_view entry(environment.c_str() + begin);
      long rank = -1;
      if (entry.starts_with(name) &&
          std::from_chars(entry.data() + name.size(), entry.data() + entry.size(), rank).ec == std::errc())
        return rank;
      if (environment.find('\0', begin) == std::string::npos) break;
    }
  }
  return -1;
}

}  // namespace

std::string text_of_process_file(const std::string& path) {
  std::ostringstream text;  // whose << keeps the exception to itself that a failed read throws
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string state_of_process(std::int64_t pid) {
  const std::string stat = stat_of(pid);
  switch (stat.empty() ? '\0' : stat.front()) {
    case 'T':
    case 't':
      return "stopped by a signal or a debugger";
    case 'D':
      return "waiting for a disk";
    case 'Z':
      return "dead";
    default:
      return "";
  }
}

bool has_running_child(std::int64_t pid) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::int64_t child = std::stoll(name);
    if (parent_of(child) == pid && state_of_process(child) != "dead") return true;
  }
  return false;
}

std::vector<Sibling> ranks_beside_me() { return ranks_of(getppid()); }

std::vector<Sibling> ranks_of(std::int64_t launcher) {
  std::vector<Sibling> ranks;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::int64_t pid = std::stoll(name);
    if (parent_of(pid) != launcher) continue;
    if (const long rank = rank_of(pid); rank >= 0) ranks.push_back({pid, rank});
  }
  std::sort(ranks.begin(), ranks.end(), [](const Sibling& a, const Sibling& b) { return a.rank < b.rank; });
  return ranks;
}

std::string hosts_in(const std::string& text) {
  constexpr std::string_view kOption = "orte_node_regex", kBetween(" =\"'\0", 5);
  const std::size_t option = text.find(kOption);
  if (option == std::string::npos) return "";
  const std::size_t begin = text.find_first_not_of(kBetween, option + kOption.size());
  if (begin == std::string::npos) return "";
  const std::size_t end = std::min(text.find_first_of(kBetween, begin), text.find('@', begin));
  return text.substr(begin, end == std::string::npos ? end : end - begin);
}

std::string hosts_of_job() {
  // mpirun tells the ranks of other hosts, and where it runs itself those whom it asks to start them.
  if (const char* regex = std::getenv("OMPI_MCA_orte_node_regex"); regex != nullptr)
    return hosts_in("orte_node_regex=" + std::string(regex));
  if (const char* list = std::getenv("SLURM_JOB_NODELIST"); list != nullptr) return list;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos || parent_of(std::stoll(name)) != getppid())
      continue;
    if (const std::string hosts = hosts_in(text_of_process_file("/proc/" + name + "/cmdline"));
        !hosts.empty())
      return hosts;
  }
  return "";
}

}  // namespace nntrain::comm

#include "comm/session/placement.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace nntrain::comm {

namespace {

constexpr int kMostCpus = 8192;
constexpr const char* kCure =
    "mpirun --bind-to core --map-by core, or srun --cpus-per-task=1 --cpu-bind=cores";

std::vector<int> my_cpus() {
  std::array<unsigned long, kMostCpus / (8 * sizeof(unsigned long))> mask{};
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof(mask), reinterpret_cast<cpu_set_t*>(mask.data())) != 0) return cpus;
  constexpr int kWordBits = 8 * sizeof(unsigned long);
  for (int cpu = 0; cpu < kMostCpus; ++cpu)
    if ((mask[static_cast<std::size_t>(cpu / kWordBits)] >> (cpu % kWordBits) & 1UL) != 0)
      cpus.push_back(cpu);
  return cpus;
}

/// The first of the hardware threads that share the core; the CPU itself where the system does not tell.
int core_of(int cpu) {
  std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
  int first = cpu;
  return file >> first ? first : cpu;
}

/// NUMA node by CPU, of this machine; empty where the system does not tell. Lists look like "0-3,8".
std::map<int, int> memory_of_cpus() {
  std::map<int, int> memories;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/devices/system/node", error)) {
    int memory = 0;
    if (std::sscanf(entry.path().filename().c_str(), "node%d", &memory) != 1) continue;
    std::ifstream file(entry.path() / "cpulist");
    int first = 0;
    while (file >> first) {
      int last = first;
      if (file.peek() == '-') file.ignore() >> last;
      for (int cpu = first; cpu <= last && cpu < kMostCpus; ++cpu) memories[cpu] = memory;
      if (file.peek() == ',') file.ignore();
    }
  }
  return memories;
}

/// "3", "0, 1 and 5"
std::string list_of(const std::vector<int>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    text += (i == 0 ? "" : i + 1 == numbers.size() ? " and " : ", ") + std::to_string(numbers[i]);
  return text;
}

/// What is bound to the same cores: ranks of one node whose sets of cores are equal.
using Sharing = std::map<std::vector<int>, std::vector<int>>;

std::string sharing_note(const std::string& host, const std::vector<int>& cores,
                         const std::vector<int>& ranks) {
  return fmt::format("ranks {} on {} are bound to {} {}: they take turns. Bind each to a core of its own: {}",
                     list_of(ranks), host, cores.size() == 1 ? "the same core" : "the cores", list_of(cores),
                     kCure);
}

std::map<int, std::vector<int>> ranks_of_nodes(const std::vector<RankPlace>& places) {
  std::map<int, std::vector<int>> nodes;
  for (std::size_t r = 0; r < places.size(); ++r) nodes[places[r].node].push_back(static_cast<int>(r));
  return nodes;
}

std::string count_of(std::size_t count, const std::string& what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// "8 ranks on 8 cores, 2 NUMA nodes (4 + 4 ranks), each rank bound to 1 core"
std::string describe_node(const std::vector<RankPlace>& places, const std::vector<int>& ranks) {
  std::map<int, std::size_t> ranks_of_memories;
  std::set<std::size_t> bound_to;
  bool straddles = false;
  for (const int r : ranks) {
    const RankPlace& place = places[static_cast<std::size_t>(r)];
    for (const int memory : place.memories) ++ranks_of_memories[memory];
    straddles = straddles || place.memories.size() > 1;
    bound_to.insert(place.cores.size());
  }
  const auto cores =
      static_cast<std::size_t>(places[static_cast<std::size_t>(ranks.front())].available_cores);
  std::string text = count_of(ranks.size(), "rank") + " on " + count_of(cores, "core");
  if (!ranks_of_memories.empty()) text += ", " + count_of(ranks_of_memories.size(), "NUMA node");
  if (ranks_of_memories.size() > 1 && !straddles) {
    std::string counts;
    for (const auto& [memory, count] : ranks_of_memories)
      counts += (counts.empty() ? "" : " + ") + std::to_string(count);
    text += " (" + counts + " ranks)";
  }
  if (ranks.size() == 1 || cores == 1) return text;
  if (*bound_to.rbegin() >= cores) return text + ", not bound";
  if (bound_to.size() == 1) text += ", each rank bound to " + count_of(*bound_to.begin(), "core");
  return text;
}

}  // namespace

std::vector<RankPlace> rank_places(Session& session) {
  std::ostringstream mine;
  mine << session.host() << '\n' << session.node() << ' ' << session.available_cores();
  const std::map<int, int> memory_of = memory_of_cpus();
  for (const int cpu : my_cpus()) {
    const auto memory = memory_of.find(cpu);
    mine << ' ' << cpu << ' ' << core_of(cpu) << ' ' << (memory == memory_of.end() ? -1 : memory->second);
  }
  std::vector<RankPlace> places;
  const std::string text = mine.str();
  for (const std::vector<std::byte>& bytes : session.all_gather(std::as_bytes(std::span(text)))) {
    std::istringstream fields(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    RankPlace place;
    std::getline(fields, place.host);
    fields >> place.node >> place.available_cores;
    std::set<int> cores, memories;
    for (int cpu = 0, core = 0, memory = 0; fields >> cpu >> core >> memory;) {
      place.cpus.push_back(cpu);
      cores.insert(core);
      if (memory >= 0) memories.insert(memory);
    }
    place.cores.assign(cores.begin(), cores.end());
    place.memories.assign(memories.begin(), memories.end());
    places.push_back(std::move(place));
  }
  return places;
}

std::vector<std::string> placement_lines(const std::vector<RankPlace>& places) {
  constexpr std::size_t kMostNames = 8;
  std::vector<std::pair<std::string, std::vector<std::string>>> kinds;  // of hosts, with their names
  for (const auto& [node, ranks] : ranks_of_nodes(places)) {
    const std::string kind = describe_node(places, ranks);
    auto known = std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) { return k.first == kind; });
    if (known == kinds.end()) known = kinds.insert(kinds.end(), {kind, {}});
    known->second.push_back(places[static_cast<std::size_t>(ranks.front())].host);
  }
  std::vector<std::string> lines;
  for (const auto& [kind, hosts] : kinds) {
    std::string names;
    for (std::size_t i = 0; i < std::min(hosts.size(), kMostNames); ++i)
      names += (i == 0 ? "" : ", ") + hosts[i];
    if (hosts.size() > kMostNames) names += fmt::format(" and {} others", hosts.size() - kMostNames);
    lines.push_back((hosts.size() == 1 ? "" : std::to_string(hosts.size()) + " hosts of ") + kind + ": " +
                    names);
  }
  return lines;
}

std::vector<std::string> placement_notes(const std::vector<RankPlace>& places) {
  std::vector<std::string> notes;
  for (const auto& [node, ranks] : ranks_of_nodes(places)) {
    const RankPlace& first = places[static_cast<std::size_t>(ranks.front())];
    const auto count = static_cast<int>(ranks.size());
    if (count > first.available_cores) {
      notes.push_back(
          fmt::format("{} ranks on {} where they may use {} core{}: they take turns. Start at most {} rank{} "
                      "there (mpirun -np, srun --ntasks-per-node), or check the binding (mpirun "
                      "--report-bindings)",
                      count, first.host, first.available_cores, first.available_cores == 1 ? "" : "s",
                      first.available_cores, first.available_cores == 1 ? "" : "s"));
      continue;
    }
    Sharing sharing;
    for (const int r : ranks) sharing[places[static_cast<std::size_t>(r)].cores].push_back(r);
    for (const auto& [cores, sharers] : sharing)
      if (!cores.empty() && sharers.size() > cores.size())
        notes.push_back(sharing_note(first.host, cores, sharers));
  }
  return notes;
}

}  // namespace nntrain::comm

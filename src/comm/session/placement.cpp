#include "comm/session/placement.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <array>
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

}  // namespace

std::vector<RankPlace> rank_places(Session& session) {
  std::ostringstream mine;
  mine << session.host() << '\n' << session.node() << ' ' << session.available_cores();
  for (const int cpu : my_cpus()) mine << ' ' << cpu << ' ' << core_of(cpu);
  std::vector<RankPlace> places;
  const std::string text = mine.str();
  for (const std::vector<std::byte>& bytes : session.all_gather(std::as_bytes(std::span(text)))) {
    std::istringstream fields(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    RankPlace place;
    std::getline(fields, place.host);
    fields >> place.node >> place.available_cores;
    std::set<int> cores;
    for (int cpu = 0, core = 0; fields >> cpu >> core;) {
      place.cpus.push_back(cpu);
      cores.insert(core);
    }
    place.cores.assign(cores.begin(), cores.end());
    places.push_back(std::move(place));
  }
  return places;
}

std::vector<std::string> placement_notes(const std::vector<RankPlace>& places) {
  std::vector<std::string> notes;
  std::map<int, std::vector<int>> nodes;
  for (std::size_t r = 0; r < places.size(); ++r) nodes[places[r].node].push_back(static_cast<int>(r));
  for (const auto& [node, ranks] : nodes) {
    const RankPlace& first = places[static_cast<std::size_t>(ranks.front())];
    const auto count = static_cast<int>(ranks.size());
    if (count > first.available_cores) {
      notes.push_back(
          fmt::format("{} ranks on {} where they may use {} core{}: they take turns. Start at most {} rank{} "
                      "there, or check the "
                      "binding (mpirun --report-bindings)",
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

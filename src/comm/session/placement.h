#pragma once
// Where the ranks of a job sit: hosts, CPUs, cores, and what is wrong with it.

#include <string>
#include <vector>

#include "comm/session/session.h"

namespace nntrain::comm {

struct RankPlace {
  std::string host;
  int node = 0;
  int available_cores = 1;  ///< of the node, for all of its ranks together
  std::vector<int> cpus;    ///< that the rank may run on, ascending
  std::vector<int> cores;   ///< of those CPUs, each once: hardware threads of one core have one number
};

/// Collective. Of every rank, in rank order, on every rank.
std::vector<RankPlace> rank_places(Session& session);

/// One line for each node with more ranks than cores, and for each set of ranks that are bound to fewer cores
/// than they are, with the option that cures it. Pure.
std::vector<std::string> placement_notes(const std::vector<RankPlace>& places);

}  // namespace nntrain::comm

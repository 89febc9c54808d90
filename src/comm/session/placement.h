#pragma once
// Where the ranks of a job sit: hosts, CPUs, cores, and what is wrong with it.

#include <string>
#include <vector>

#include "comm/session/session.h"

namespace nntrain::comm {

struct RankPlace {
  std::string host;
  int node = 0;
  int available_cores = 1;    ///< of the node, for all of its ranks together
  std::vector<int> cpus;      ///< that the rank may run on, ascending
  std::vector<int> cores;     ///< of those CPUs, each once: hardware threads of one core have one number
  std::vector<int> memories;  ///< NUMA nodes of those CPUs, each once; empty where the system does not tell
};

/// Collective. Of every rank, in rank order, on every rank.
std::vector<RankPlace> rank_places(Session& session);

/// "2 hosts of 8 ranks on 8 cores, 2 NUMA nodes (4 + 4 ranks), each rank bound to 1 core: node1, node2": one
/// line for each kind of host, in the order of their first ranks. Pure.
std::vector<std::string> placement_lines(const std::vector<RankPlace>& places);

/// One line for each node with more ranks than cores, and for each set of ranks that are bound to fewer cores
/// than they are, with the option that cures it. Pure.
std::vector<std::string> placement_notes(const std::vector<RankPlace>& places);

}  // namespace nntrain::comm

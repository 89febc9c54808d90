#include "comm/session/topology.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "comm/session/core_quota.h"
#include "core/error.h"

namespace nntrain::comm {

namespace {

const char* environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

/// Ranks per virtual node; 0: nodes are machines.
int ranks_per_virtual_node() {
  const char* value = environment("NNTRAIN_RANKS_PER_NODE");
  if (value == nullptr) return 0;
  char* end = nullptr;
  const long ranks = std::strtol(value, &end, 10);
  if (*end != '\0' || ranks < 1 || ranks > (1 << 20))
    throw InputError(fmt::format(
        "NNTRAIN_RANKS_PER_NODE=\"{}\" is not a number of ranks; unset it, or give 1 or more", value));
  return static_cast<int>(ranks);
}

using CoreMask = std::array<unsigned char, 1024>;  // 8192 cores

CoreMask my_cores() {
  CoreMask mask{};
  static_assert(sizeof(CoreMask) % sizeof(unsigned long) == 0);
  // The kernel writes whole words of `unsigned long`; a cpu_set_t of 1024 cores would be too short for some.
  if (sched_getaffinity(0, mask.size(), reinterpret_cast<cpu_set_t*>(mask.data())) != 0) mask[0] = 1;
  return mask;
}

int cores_of(MPI_Comm ranks) {
  CoreMask joined = my_cores();
  check(MPI_Allreduce(MPI_IN_PLACE, joined.data(), static_cast<int>(joined.size()), MPI_UNSIGNED_CHAR,
                      MPI_BOR, ranks),
        "MPI_Allreduce");
  int cores = 0;
  for (const unsigned char byte : joined) cores += __builtin_popcount(byte);
  int quota = core_quota();
  check(MPI_Allreduce(MPI_IN_PLACE, &quota, 1, MPI_INT, MPI_MIN, ranks), "MPI_Allreduce");
  return std::clamp(cores, 1, quota);
}

void list_nodes(Session::Implementation& session, int leader) {
  std::vector<int> leaders(static_cast<std::size_t>(session.size));
  check(MPI_Allgather(&leader, 1, MPI_INT, leaders.data(), 1, MPI_INT, session.world), "MPI_Allgather");
  for (std::size_t i = 0; i < leaders.size(); ++i) {
    if (i == 0 || leaders[i] != leaders[i - 1]) session.node_sizes.push_back(0);
    ++session.node_sizes.back();
    if (static_cast<int>(i) == session.rank) session.node = static_cast<int>(session.node_sizes.size()) - 1;
  }
}

}  // namespace

void discover_nodes(Session::Implementation& session, MPI_Comm parent) {
  int world_rank = 0;
  check(MPI_Comm_rank(parent, &world_rank), "MPI_Comm_rank");
  std::array<char, MPI_MAX_PROCESSOR_NAME + 1> name{};
  int length = 0;
  check(MPI_Get_processor_name(name.data(), &length), "MPI_Get_processor_name");
  session.host = name.data();

  MPI_Comm machine = MPI_COMM_NULL;
  check(MPI_Comm_split_type(parent, MPI_COMM_TYPE_SHARED, world_rank, MPI_INFO_NULL, &machine),
        "MPI_Comm_split_type");
  int machine_rank = 0;
  int machine_size = 1;
  check(MPI_Comm_rank(machine, &machine_rank), "MPI_Comm_rank");
  check(MPI_Comm_size(machine, &machine_size), "MPI_Comm_size");
  const int cores = cores_of(machine);
  session.crowding = machine_size > cores ? Crowding::kMoreRanksThanCores : Crowding::kOneCoreEach;

  const int virtual_ranks = ranks_per_virtual_node();
  const int color = virtual_ranks == 0 ? 0 : machine_rank / virtual_ranks;
  check(MPI_Comm_split(machine, color, machine_rank, &session.node_ranks), "MPI_Comm_split");
  check(MPI_Comm_free(&machine), "MPI_Comm_free");
  check(MPI_Comm_rank(session.node_ranks, &session.local_rank), "MPI_Comm_rank");
  check(MPI_Comm_size(session.node_ranks, &session.local_size), "MPI_Comm_size");
  session.available_cores =
      std::max(1, static_cast<int>(std::int64_t{cores} * session.local_size / machine_size));

  // A node is named by the smallest world rank on it; equal keys keep the order of world ranks, so a node's
  // ranks become neighbours and world rank 0 stays rank 0.
  int leader = world_rank;
  check(MPI_Bcast(&leader, 1, MPI_INT, 0, session.node_ranks), "MPI_Bcast");
  check(MPI_Comm_split(parent, 0, leader, &session.world), "MPI_Comm_split");
  // The parent keeps its own handler; on ours no MPI error ends the process behind our back.
  for (const MPI_Comm own : {session.world, session.node_ranks})
    check(MPI_Comm_set_errhandler(own, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_Comm_rank(session.world, &session.rank), "MPI_Comm_rank");
  check(MPI_Comm_size(session.world, &session.size), "MPI_Comm_size");
  list_nodes(session, leader);
}

}  // namespace nntrain::comm

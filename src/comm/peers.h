#pragma once
// The messages of one rank to the ranks of the same local index on other nodes: partial sums out and in,
// new values out and in. All requests are persistent: planned once, started at each step.

#include <cstdint>
#include <span>
#include <vector>

#include "comm/exchange_layout.h"
#include "comm/mpi_call.h"
#include "comm/sum_program.h"

namespace nntrain::comm {

class Peers {
 public:
  struct Plan {
    MPI_Comm world = MPI_COMM_NULL;
    const NodeMap* map = nullptr;
    const std::vector<Range>* slices = nullptr;
    int shards = 1;
    std::span<const float* const> node_gradients;  ///< whole flat arrays of my node's ranks, left to right
    float* values = nullptr;
  };
  explicit Peers(const Plan& plan);
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;
  ~Peers();  ///< local: gives the requests back

  /// Where the partial sums of node `j` (one array per covering node of its shards) for my slice arrive.
  std::span<const float* const> arriving(int j) const { return arriving_[static_cast<std::size_t>(j)]; }

  void expect_sums();  ///< local: opens the receives
  /// Collective over the peers: sends each peer my node's sums of its slice and `flags`, waits for theirs.
  /// Returns the peers' flags joined. The gradients of the node may not change until finish_sums().
  std::uint32_t trade_sums(std::uint32_t flags);
  void finish_sums();   ///< what I sent has left
  void trade_values();  ///< collective over the peers: every slice of `values` of my local index is new

 private:
  struct Peer {
    std::vector<const float*> inputs;  ///< of partial_, at the start of the peer's slice
    std::vector<float*> outputs;       ///< null where the input itself is sent
    std::int64_t count = 0;
    std::size_t first_send = 0;  ///< in sum_sends_
    std::size_t end_send = 0;
  };
  void plan_sends(const Plan& plan, int j);
  void plan_receives(const Plan& plan, int j);
  void plan_values(const Plan& plan, int j);

  SumProgram partial_;  ///< arrays of my node's ranks -> covering nodes of the node's shards
  std::vector<Peer> peers_;
  std::vector<std::vector<const float*>> arriving_;  ///< per node
  std::vector<float> outgoing_room_;
  std::vector<float> incoming_room_;
  float* outgoing_end_ = nullptr;  ///< while planning
  float* incoming_end_ = nullptr;
  std::uint32_t my_flags_ = 0;
  std::vector<std::uint32_t> their_flags_;
  std::vector<MPI_Request> flag_sends_;
  std::vector<MPI_Request> sum_sends_;
  std::vector<MPI_Request> sum_receives_;  ///< flags too
  std::vector<MPI_Request> value_requests_;
};

}  // namespace nntrain::comm

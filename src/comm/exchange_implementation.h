#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "comm/exchange_layout.h"
#include "comm/node_barrier.h"
#include "comm/peers.h"
#include "comm/session_implementation.h"
#include "comm/sum_program.h"
#include "nntrain/comm/exchange.h"

namespace nntrain::comm {

/// What owners tell the ranks of their node that take no part in the exchange across nodes.
struct alignas(kLine) Published {
  std::atomic<std::uint32_t> generation;
  std::array<std::uint32_t, 2> flags;  ///< by parity of the generation
};

struct alignas(kLine) FlagLine {
  std::uint32_t bits;
};

/// Doubles of all ranks in one place, shared by a node. Two halves in turn: whoever writes the half of call
/// k + 2 has passed the barrier of call k + 1, where everybody was done with call k.
class Scratch {
 public:
  /// Collective over `ranks`. The half for this call, at least `doubles` long; every rank asks for the same.
  double* half(Session::Implementation& session, MPI_Comm ranks, std::int64_t doubles);

 private:
  std::shared_ptr<SharedWindow> window_;
  std::int64_t capacity_ = 0;  ///< doubles in a half
  int parity_ = 0;
};

/// How many doubles each rank and node puts into a joint array, in rank order.
struct Parts {
  std::int64_t offset = 0;  ///< of my part
  std::int64_t total = 0;
  std::vector<int> node_counts;
  std::vector<int> node_offsets;
};

struct Exchange::Implementation {
  Implementation(Session& session, const ExchangeOptions& options);

  Session::Implementation& session;
  ExchangeOptions options;
  std::string note;
  MPI_Comm node_ranks = MPI_COMM_NULL;  ///< ranks that share my window
  std::shared_ptr<SharedWindow> window;
  NodeMap map;
  MPI_Comm world = MPI_COMM_NULL;    ///< a duplicate: tags of its own
  MPI_Comm leaders = MPI_COMM_NULL;  ///< the first ranks of all nodes; null elsewhere
  ShardRange local;
  std::vector<Range> slices;
  ChunkMap chunks;

  std::span<float> values;
  std::vector<std::span<float>> gradients;   ///< mine
  std::vector<const float*> node_gradients;  ///< of all ranks of my node, left to right in the tree
  NodeBarrier barrier;
  Waiter waiter;
  Published* published = nullptr;
  FlagLine* flag_lines = nullptr;
  std::uint32_t generation = 0;  ///< reduce() calls so far

  SumProgram total;                        ///< everything that reaches me -> the sum over all shards
  std::vector<const float*> total_inputs;  ///< at the start of my slice
  std::array<float*, 1> total_output{};    ///< my slice of my own first gradient array
  std::vector<Range> summed;               ///< what reduce() adds of my slice, relative to it
  std::unique_ptr<Peers> peers;            ///< owners on several nodes only

  Scratch scratch;
  std::vector<double> leaves;  ///< room for the leaves of one sum
  Parts tree_parts;            ///< one double a shard
  Parts scaled_parts;          ///< tree_parts times the width of a call
  Parts chunk_parts;

  Range slice() const { return slices[static_cast<std::size_t>(map.rank)]; }
  std::uint32_t join_flags_of_node(std::uint32_t parity) const;
  /// Collective. All ranks' doubles in rank order; valid until the call after the next.
  const double* join(std::span<const double> mine, const Parts& parts);

 private:
  std::vector<int> open_window();
  void lay_out();
  void plan_sums();
  void plan_parts();
};

}  // namespace nntrain::comm

#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "comm/exchange/buckets.h"
#include "comm/exchange/exchange_layout.h"
#include "comm/exchange/peers.h"
#include "comm/exchange/rank_exchange.h"
#include "comm/exchange/sum_program.h"
#include "comm/session/node_barrier.h"
#include "comm/session/session_implementation.h"

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
  /// Collective over `world`; `node_ranks` share memory. The half for this call, at least `doubles` long;
  /// every rank asks for the same. Where one node has no room left, every rank has memory of its own from
  /// then on.
  double* half(Session::Implementation& session, MPI_Comm node_ranks, MPI_Comm world, std::int64_t doubles);
  bool is_private() const { return private_; }

 private:
  std::shared_ptr<SharedWindow> window_;
  std::int64_t capacity_ = 0;  ///< doubles in a half
  int parity_ = 0;
  bool private_ = false;
};

/// How many doubles each rank and node puts into a joint array, in rank order.
struct Parts {
  std::int64_t offset = 0;  ///< of my part
  std::int64_t total = 0;
  std::vector<int> node_counts;
  std::vector<int> node_offsets;
  std::vector<int> rank_counts;
  std::vector<int> rank_offsets;
};

/// How far a bucket is in this step.
struct BucketState {
  std::int64_t variable_floats = 0;  ///< of the bucket, without the gaps between variables
  std::int64_t missing = 0;          ///< of these, not yet complete on this rank
  bool complete = false;             ///< on this rank
  bool summed = false;               ///< my home of it
  bool result = false;               ///< kBfloat16: sums of my peers' homes are there
  bool made = false;                 ///< always: what I send of it is made, not added (make_node_sums)
};

struct RankExchange::Implementation final : Progress {
  Implementation(Session& session, const ExchangeOptions& options);
  ~Implementation();  ///< communicators are freed when all ranks meet: Session::release_unused()
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  Session::Implementation& session;
  ExchangeOptions options;
  std::string note;
  MPI_Comm node_ranks = MPI_COMM_NULL;  ///< ranks that share my window
  std::shared_ptr<SharedWindow> window;
  NodeMap map;
  MPI_Comm world = MPI_COMM_NULL;    ///< a duplicate: tags of its own
  MPI_Comm leaders = MPI_COMM_NULL;  ///< the first ranks of all nodes; null elsewhere
  ShardRange local;
  std::vector<Bucket> buckets;
  std::vector<Range> homes;   ///< mine, per bucket
  std::vector<Range> pieces;  ///< what I step, without empty ones
  std::vector<std::size_t> bucket_of_piece;
  std::vector<std::vector<Range>> rank_pieces;  ///< what each rank steps
  std::int64_t owned_floats = 0;
  ChunkMap chunks;

  std::span<float> values;
  std::vector<std::span<float>> gradients;   ///< mine; none without shards
  std::unique_ptr<float[]> own_sums;         ///< memory of sums where there are no gradients
  std::span<float> sums;                     ///< flat; my first gradient array, or own_sums
  std::vector<const float*> node_gradients;  ///< of all ranks of my node, left to right in the tree
  NodeBarrier barrier;
  Waiter waiter;
  Published* published = nullptr;
  FlagLine* flag_lines = nullptr;
  std::byte* stamps = nullptr;
  std::int64_t stamp_row_bytes = 0;

  SumProgram total;  ///< everything that reaches me -> the sum over all shards
  std::vector<std::vector<const float*>> total_inputs;  ///< per bucket, at the start of my home
  std::unique_ptr<Peers> peers;                         ///< owners on several nodes only
  std::vector<Range> made;      ///< where owners make my node's sums, instead of adding its ranks' arrays
  Exchange::MakeNodeSums make;  ///< empty: nowhere
  SumProgram total_of_nodes;    ///< as `total`, from the sums of all nodes, mine too
  std::vector<Range> summed;    ///< of my homes, what is added here; the rest owners make

  // The step at hand. Buckets go one after the other: sums from the last to the first, as backward completes
  // them, values from the first to the last, as forward needs them.
  std::vector<BucketState> states;
  std::uint32_t generation = 0;    ///< number of the step
  bool step_is_open = false;       ///< between the first complete() and share()
  bool reduced = false;            ///< between reduce() and share()
  bool shared = false;             ///< between share() and settle()
  std::uint32_t joined_flags = 0;  ///< of my node, once knows_flags of all ranks
  bool knows_flags = false;
  std::size_t to_send = 0;  ///< buckets [to_send, ..) have left
  std::size_t to_sum = 0;   ///< buckets [to_sum, ..) are summed
  std::size_t to_result =
      0;  ///< kBfloat16: buckets [to_result, ..) have all sums. kFloat32: [.., to_result) values
  std::size_t known_new = 0;  ///< buckets [.., known_new) have new values on this node

  Scratch scratch;
  std::vector<double> leaves;  ///< room for the leaves of one sum
  Parts tree_parts;            ///< one double a shard
  Parts scaled_parts;          ///< tree_parts times the width of a call
  Parts chunk_parts;

  bool sends_sums_only() const { return options.wire == SumFormat::kBfloat16; }
  std::atomic<std::uint32_t>& stamp(int local_rank, Stamp kind, std::size_t bucket) const;
  bool all_have(Stamp kind, int ranks, std::size_t bucket) const;
  std::uint32_t join_flags_of_node(std::uint32_t parity) const;
  void open_step();
  void learn_flags();
  void mark_complete(std::size_t bucket);
  void sum_bucket(std::size_t bucket);
  std::chrono::steady_clock::duration send_complete();
  std::chrono::steady_clock::duration progress() override;
  void await_values(std::int64_t end);
  void settle();
  /// Collective. All ranks' doubles in rank order; valid until the call after the next.
  const double* join(std::span<const double> mine, const Parts& parts);
  void scale_parts(std::int64_t width);  ///< scaled_parts = tree_parts times `width`
  void plan_sums();

 private:
  std::vector<int> open_window();
  void lay_out();
  void own_pieces();
  void plan_parts();
};

}  // namespace nntrain::comm

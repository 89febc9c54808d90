#pragma once
// Gradients in, new values out: two verbs between backward and the optimizer, reduce() and share(). Knows
// flat arrays only. On several nodes both overlap with computing: complete() lets sums leave while backward
// goes on, await_values() lets the next forward start before the last values have arrived. docs/exchange.md.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "comm/session/session.h"
#include "core/bfloat16.h"
#include "core/tree.h"

namespace nntrain::comm {

/// Where the flat array may be cut into slices. A slice boundary lies on an element listed here.
/// Made by cuts_of(): chunk boundaries of divisible variables, starts of indivisible ones.
struct Extent {
  std::int64_t offset = 0;  ///< of the variable in the flat array, in floats
  std::int64_t size = 0;
  bool divisible = true;
};
constexpr std::int64_t kChunk = 1024;  ///< floats; partial sums of norms are per chunk of a variable

/// [begin, end) of the flat array.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t count() const { return end - begin; }
  bool operator==(const Range&) const = default;
};

/// Cuts [0, floats) into `parts` ranges of nearly equal size at allowed places. Pure.
std::vector<Range> partition(std::span<const Extent> extents, std::int64_t floats, int parts);

struct ExchangeOptions {
  int shards = 1;
  std::int64_t total_floats = 0;      ///< values
  std::int64_t trainable_floats = 0;  ///< gradients
  std::vector<Extent> trainables;
  /// What crosses the network between nodes. kBfloat16: two bytes a float; gradients given must be rounded
  /// leaf by leaf and sum by sum (nn::GradientTree does), and the sums over ranks are rounded likewise.
  SumFormat wire = SumFormat::kFloat32;
};

/// What every rank says at each step and learns of all: bits, joined by OR.
struct StepFlags {
  std::uint32_t bits = 0;
};
constexpr std::uint32_t kFlagNonFinite = 1U << 0;
constexpr std::uint32_t kFlagStop = 1U << 1;
constexpr std::uint32_t kFlagCheckpoint = 1U << 2;

/// What a step sees of an exchange. RankExchange is the one that trains; tests have their own.
class Exchange {
 public:
  virtual ~Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  virtual std::span<float> values() = 0;  ///< (total_floats): the node's copy, zero at the start
  /// Did this rank's node lack room for shared memory, so that each of its ranks has values() of its own?
  /// What one rank of a node fills at the start or after a step (initial weights, moving statistics) every
  /// rank must fill then.
  virtual bool private_values() const = 0;
  /// Do other ranks read the same values(), from their caches?
  virtual bool shares_values() const = 0;
  virtual ShardRange local_shards() const = 0;
  /// This rank's flat gradient arrays (trainable_floats each), one per covering node of its shards; none
  /// without shards.
  virtual const std::vector<std::span<float>>& gradient_nodes() = 0;
  /// What this rank steps of the trainable array: ascending ranges, none of them empty; one on one node. With
  /// kFloat32 all ranks' pieces are disjoint; with kBfloat16 each node steps everything, so that sums cross
  /// the network instead of values.
  virtual const std::vector<Range>& pieces() const = 0;
  virtual std::int64_t owned_floats() const = 0;  ///< of all pieces together
  /// (trainable_floats), flat: where await_sum() leaves this rank's pieces of the sum.
  virtual std::span<float> sums() = 0;

  /// The same on all ranks, before the first step: await_sum() leaves these ranges of the flat array alone,
  /// because their owners make the whole sums themselves once reduce() has returned. On one node only.
  virtual void leave_to_owners(std::span<const Range> ranges) = 0;

  /// Can the owners of this node's slices be left to make the node's sums? On one of several nodes, of two
  /// ranks or more that share memory and nearly all own slices, with kFloat32. The same on all ranks of a
  /// node, not on all nodes; what crosses the network is the same either way. Else each rank writes gradients
  /// of its own, and owners add them.
  virtual bool can_make_node_sums() const = 0;
  /// Writes of [range.begin, range.end) of the flat array what lies in the ranges given: the sum over the
  /// k-th of the nodes that cover the shards of this node's ranks (core/tree.h), from element range.begin on,
  /// into sums[k].
  using MakeNodeSums = std::function<void(const Range& range, std::span<float* const> sums)>;
  /// The same on all ranks of a node, before the first step, where can_make_node_sums(): in these ascending
  /// ranges gradient_nodes() is not read any more, and owners of slices call `make` for the node's sums.
  /// Called inside of complete(), reduce() or any wait between the two, after all ranks of the node have told
  /// complete() of what it is asked for (or all are in reduce()); from the last ranges to the first. What
  /// they are made of may change when share() has returned.
  virtual void make_node_sums(std::span<const Range> ranges, MakeNodeSums make) = 0;

  // A step: complete() for each variable, reduce(), await_sum() for each piece, share(); then await_values()
  // or settle() before anything of values() is read.

  /// Local hint: [offset, offset + size) of this rank's gradients is complete; the exchange may start to move
  /// it. Does what is due of the messages of earlier calls too.
  virtual void complete(std::int64_t offset, std::int64_t size) = 0;
  /// Collective. All of this rank's gradients are complete. `mine` will be joined with all ranks' flags. When
  /// it returns, no rank of the node reads values() of before: pieces may be stepped.
  virtual void reduce(StepFlags mine) = 0;
  /// Collective, between reduce() and share(): all ranks' flags, before anything is stepped.
  virtual StepFlags flags() = 0;
  /// Waits until sums() holds piece `index` of the sum over all shards of all ranks, added in tree order. It
  /// may be overwritten. Any order; the last piece is the first to be complete.
  virtual void await_sum(std::size_t index) = 0;
  /// Collective. Every rank has stepped its pieces of values(); they are on their way to all ranks. Returns
  /// all ranks' flags of reduce(). Values beyond the trainable ones are not sent: one rank of each node
  /// (every rank when private_values()) writes them. Without a reduce() before it: shares values that were
  /// changed otherwise.
  virtual StepFlags share() = 0;
  /// Local, but makes progress for others: waits until the new values of [0, end) are there. Gradients may be
  /// written again when all are.
  virtual void await_values(std::int64_t end) = 0;
  /// Collective. All new values are there, on every rank of the node, those beyond the trainable ones too.
  /// Cheap when nothing was shared since the last call. Needed before values are read by anything but the
  /// next step, and before the exchange goes.
  virtual void settle() = 0;

  /// Collective. Takes the memory of tree_sum() up to `width` and of chunk_sums() now rather than when they
  /// are called. No room for it in shared memory: ranks send their parts to one another, and note() says so.
  virtual void prepare_sums(std::int64_t width) = 0;
  /// Collective. `per_shard` (local shards, width) of every rank -> tree sum over all shards, on all ranks.
  virtual void tree_sum(std::span<const double> per_shard, std::span<double> total) = 0;
  /// Collective. Partial sums per chunk of this rank's -> per trainable variable totals (tree over the
  /// variable's chunks), on all ranks. `chunks`: one value per chunk of my_chunks(), in order.
  virtual void chunk_sums(std::span<const double> chunks, std::span<double> per_variable) = 0;
  /// (variable index, begin relative to the flat array, size). Every chunk is one rank's; mine lie in my
  /// pieces.
  struct Chunk {
    int variable;
    std::int64_t begin;
    std::int64_t size;
  };
  virtual const std::vector<Chunk>& my_chunks() const = 0;

  /// Collective. Gathers an array that is cut like pieces() (optimizer slots) on rank 0: `mine`
  /// (owned_floats(), piece by piece) -> (trainable_floats) on rank 0, empty elsewhere; and back.
  virtual std::vector<float> gather_slices(std::span<const float> mine) = 0;
  /// The same range by range, for whoever has another place for them than one flat array: called on rank 0.
  using TakeRange = std::function<void(const Range& range, const float* values)>;
  virtual void gather_slices(std::span<const float> mine, const TakeRange& take) = 0;
  virtual void scatter_slices(std::span<const float> whole_on_root, std::span<float> mine) = 0;

  virtual const std::string& note() const = 0;  ///< a NOTE for the log, or empty
  virtual double seconds_waiting() const = 0;   ///< for other ranks, since the start
  using WaitListener = std::function<void(std::chrono::steady_clock::time_point start,
                                          std::chrono::steady_clock::time_point end)>;
  virtual void on_wait(WaitListener listener) = 0;  ///< called after each wait for other ranks; local

 protected:
  Exchange() = default;
};

}  // namespace nntrain::comm

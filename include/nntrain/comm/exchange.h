#pragma once
// Gradients in, new values out: two verbs between backward and the optimizer. Knows flat arrays only.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "nntrain/comm/session.h"
#include "nntrain/core/tree.h"

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
};

/// What every rank says at each step and learns of all: bits, joined by OR.
struct StepFlags {
  std::uint32_t bits = 0;
};
constexpr std::uint32_t kFlagNonFinite = 1U << 0;
constexpr std::uint32_t kFlagStop = 1U << 1;
constexpr std::uint32_t kFlagCheckpoint = 1U << 2;

class Exchange {
 public:
  /// Collective. Shared windows of the node for values and gradients; falls back to private memory and
  /// messages when /dev/shm is too small (note() tells). Memory per rank: one gradient array for each
  /// covering node of its shards (one when ranks divide shards in powers of two); per node: the values.
  Exchange(Session& session, const ExchangeOptions& options);
  ~Exchange();

  std::span<float> values();  ///< (total_floats): the node's copy, zero at the start
  /// Did this rank's node lack room for shared memory, so that each of its ranks has values() of its own?
  /// What one rank of a node fills at the start or after a step (initial weights, moving statistics) every
  /// rank must fill then.
  bool private_values() const;
  ShardRange local_shards() const;
  /// This rank's flat gradient arrays (trainable_floats each), one per covering node of its shards.
  const std::vector<std::span<float>>& gradient_nodes();
  Range slice() const;                       ///< what this rank owns of the trainable array; may be empty
  const std::vector<Range>& slices() const;  ///< of every rank

  /// The same on all ranks, before the first step: reduce() leaves these ranges of the flat array alone, because their
  /// owners make the whole sum themselves (into the slice that reduce() returns) once reduce() has returned. On one node
  /// with shared memory only.
  void leave_to_owners(std::span<const Range> ranges);

  /// Local hint: [offset, offset + size) is complete on this rank; the exchange may start to move it.
  void complete(std::int64_t offset, std::int64_t size);
  /// Collective. Sums the slice over all shards of all ranks in tree order; returns this rank's slice of the
  /// sum (slice().count() floats, may be overwritten until share()). `flags` go in as mine, come out as
  /// all's. Gradients may be written again only after share(): other ranks read them until then.
  std::span<float> reduce(StepFlags& flags);
  /// Collective. Every rank has stepped its slice of values(): makes all new values visible to all ranks.
  /// Values beyond the trainable ones are not sent: one rank of each node (every rank when private_values())
  /// writes them, between reduce() and share().
  void share();

  /// Collective. `per_shard` (local shards, width) of every rank -> tree sum over all shards, on all ranks.
  void tree_sum(std::span<const double> per_shard, std::span<double> total);
  /// Collective. Partial sums per chunk of this rank's slice -> per trainable variable totals (tree over the
  /// variable's chunks), on all ranks. `chunks`: one value per chunk of my slice in order.
  void chunk_sums(std::span<const double> chunks, std::span<double> per_variable);
  /// The chunks of a slice: (variable index, begin relative to the flat array, size), in order.
  struct Chunk {
    int variable;
    std::int64_t begin;
    std::int64_t size;
  };
  const std::vector<Chunk>& my_chunks() const;

  /// Collective. Gathers an array that is sharded by slices (optimizer slots) on rank 0: `mine`
  /// (slice().count()) -> (trainable_floats) on rank 0, empty elsewhere; and back.
  std::vector<float> gather_slices(std::span<const float> mine);
  void scatter_slices(std::span<const float> whole_on_root, std::span<float> mine);

  const std::string& note() const;  ///< a NOTE for the log, or empty
  double seconds_waiting() const;   ///< for other ranks, since the start
  using WaitListener = std::function<void(std::chrono::steady_clock::time_point start, std::chrono::steady_clock::time_point end)>;
  void on_wait(WaitListener listener);  ///< called after each wait for other ranks; local

  struct Implementation;  ///< in src/comm; public for its helpers there

 private:
  std::unique_ptr<Implementation> impl_;
};

}  // namespace nntrain::comm

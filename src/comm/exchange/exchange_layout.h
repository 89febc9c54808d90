#pragma once
// Who owns what and where it lies: plain arithmetic on ranks, shards and sizes. No MPI calls.

#include <cstdint>
#include <span>
#include <vector>

#include "comm/exchange/exchange.h"

namespace nntrain::comm {

/// The exchange's view of the nodes; differs from the session's where a node had no room for shared memory
/// and each of its ranks became a node of its own.
struct NodeMap {
  std::vector<int> sizes;   ///< ranks per node
  std::vector<int> firsts;  ///< first rank of each node
  int owners = 1;           ///< ranks per node that own slices: the size of the smallest node
  int rank = 0;
  int node = 0;
  int local_rank = 0;

  /// `leaders[r]`: the first rank of rank r's node.
  NodeMap(const std::vector<int>& leaders, int my_rank);
  int nodes() const { return static_cast<int>(sizes.size()); }
  int ranks() const { return firsts.back() + sizes.back(); }
  int local_size() const { return sizes[static_cast<std::size_t>(node)]; }
  bool is_owner() const { return local_rank < owners; }
  /// The rank with my local index on node `j`.
  int peer(int j) const { return firsts[static_cast<std::size_t>(j)] + local_rank; }
};

/// Every element of the flat array at which it may be cut, ascending; 0 and `floats` included. Throws
/// RuntimeError when extents overlap or exceed `floats`.
std::vector<std::int64_t> allowed_cuts(std::span<const Extent> extents, std::int64_t floats);
/// Cuts `whole` (its bounds are allowed cuts) into `parts` ranges of nearly equal size.
std::vector<Range> partition(std::span<const std::int64_t> cuts, Range whole, int parts);

/// Covering nodes of all shards of a node's ranks, rank by rank.
std::vector<ShardRange> shard_nodes_of_ranks(const NodeMap& map, int node, int shards);
/// Minimal covering nodes of a node's whole range of shards.
std::vector<ShardRange> shard_nodes_of_node(const NodeMap& map, int node, int shards);
ShardRange shards_of_node(const NodeMap& map, int node, int shards);

/// Words that a rank writes for each bucket at each step, for the ranks of its node: the number of the step.
enum class Stamp {
  kComplete,  ///< the bucket of my gradient arrays
  kNew,       ///< the values of the bucket that I step or receive
  kMade,      ///< bucket 0 stands for all: what I own of my node's sums
};
constexpr int kStamps = 3;

/// Byte offsets in a node's window.
struct WindowLayout {
  std::int64_t published = 0;  ///< Published
  std::int64_t flags = 0;      ///< [2 parities][local rank], a cache line each
  std::int64_t stamps = 0;     ///< [local rank][Stamp][bucket], each row on cache lines of its own
  std::int64_t stamp_row_bytes = 0;
  std::int64_t values = 0;              ///< float[total_floats]
  std::vector<std::int64_t> gradients;  ///< per covering node of the node's ranks: float[trainable_floats]
  std::int64_t total_bytes = 0;
};
WindowLayout window_layout(const std::vector<ShardRange>& first_rank_to_last, int local_size,
                           const ExchangeOptions& options);

/// All chunks of the flat array, by owner: chunks of rank r are [rank_offsets[r], rank_offsets[r + 1]).
struct ChunkMap {
  std::vector<Exchange::Chunk> mine;
  std::vector<int> rank_offsets;
  std::vector<std::vector<int>> of_variable;  ///< places of a variable's chunks, in the variable's order
  int total() const { return rank_offsets.back(); }
};
/// `homes`: per rank, ascending ranges; all of them together partition the flat array.
ChunkMap map_chunks(const std::vector<Extent>& extents, const std::vector<std::vector<Range>>& homes,
                    int my_rank);

}  // namespace nntrain::comm

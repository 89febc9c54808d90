#pragma once
// Who owns what and where it lies: plain arithmetic on ranks, shards and sizes. No MPI calls.

#include <cstdint>
#include <vector>

#include "nntrain/comm/exchange.h"

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

/// Slices of all ranks: local index i owns the i-th of `owners` pieces on its node, cut further into one
/// sub-slice per node; ranks with a larger local index own nothing.
std::vector<Range> slices_of_ranks(const NodeMap& map, const ExchangeOptions& options);

/// Covering nodes of all shards of a node's ranks, rank by rank.
std::vector<ShardRange> shard_nodes_of_ranks(const NodeMap& map, int node, int shards);
/// Minimal covering nodes of a node's whole range of shards.
std::vector<ShardRange> shard_nodes_of_node(const NodeMap& map, int node, int shards);
ShardRange shards_of_node(const NodeMap& map, int node, int shards);

/// Byte offsets in a node's window.
struct WindowLayout {
  std::int64_t published = 0;           ///< Published
  std::int64_t flags = 0;               ///< [2 parities][local rank], a cache line each
  std::int64_t values = 0;              ///< float[total_floats]
  std::vector<std::int64_t> gradients;  ///< per covering node of the node's ranks: float[trainable_floats]
  std::int64_t total_bytes = 0;
};
WindowLayout window_layout(const std::vector<ShardRange>& first_rank_to_last, int local_size,
                           const ExchangeOptions& options);

/// All chunks of the flat array, by slice owner: chunks of rank r are [rank_offsets[r], rank_offsets[r + 1]).
struct ChunkMap {
  std::vector<Exchange::Chunk> mine;
  std::vector<int> rank_offsets;
  std::vector<std::vector<int>> of_variable;  ///< places of a variable's chunks, in the variable's order
  int total() const { return rank_offsets.back(); }
};
ChunkMap map_chunks(const std::vector<Extent>& extents, const std::vector<Range>& slices, int my_rank);

}  // namespace nntrain::comm

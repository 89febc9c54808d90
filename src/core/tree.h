#pragma once
// The one order of every floating-point sum: a binary tree over the S shards of a run. A node is an
// aligned range [k * 2^l, (k+1) * 2^l) cut off at S; its sum is left + right. A rank with the shards
// [begin, end) holds the minimal set of nodes that covers them; whoever combines the nodes of all ranks
// follows the same tree, so the number of ranks never changes a bit.

#include <cstdint>
#include <span>
#include <vector>

namespace nntrain {

/// Contiguous shards [begin, end).
struct ShardRange {
  int begin = 0;
  int end = 0;
  int count() const { return end - begin; }
  bool operator==(const ShardRange&) const = default;
};

/// The shards of rank `rank` of `ranks`: [rank * shards / ranks, (rank + 1) * shards / ranks).
ShardRange shards_of_rank(int rank, int ranks, int shards);

/// First row of shard `shard` when `rows` rows are cut into `shards`: shard * rows / shards.
std::int64_t shard_begin(int shard, int shards, std::int64_t rows);

/// The minimal aligned nodes that cover `range`, left to right.
std::vector<ShardRange> covering_nodes(ShardRange range, int shards);

/// One instruction of a sum over a rank's shards, left to right, for a stack of buffers. Buffer indices
/// 0 .. nodes-1 are the rank's covering nodes (results); higher ones are scratch.
struct TreeStep {
  enum class Operation {
    kStoreLeaf,  ///< buffer[target]  = leaf(shard)
    kAddLeaf,    ///< buffer[target] += leaf(shard)
    kAdd,        ///< buffer[target] += buffer[source]
  };
  Operation operation;
  int target;
  int source;  ///< kAdd only
  int shard;   ///< leaves only, global index
};

struct TreeProgram {
  std::vector<TreeStep> steps;
  int nodes = 0;    ///< result buffers
  int buffers = 0;  ///< nodes + scratch
};

/// The program that sums the leaves of `range` into its covering nodes.
TreeProgram local_program(ShardRange range, int shards);

/// Sums many nodes (a partition of [0, shards) into aligned nodes, left to right, as the concatenation of
/// all ranks' covering_nodes) into one: targets and sources are indices into `nodes`; the sum ends in
/// buffer 0. `kAdd` only.
std::vector<TreeStep> combining_program(std::span<const ShardRange> nodes, int shards);

/// Adds `source` to `target`, elementwise. Local.
void add_in_place(std::span<float> target, std::span<const float> source);

/// Sum of shards' values along the tree; `values` has one entry per shard (S). Local.
double tree_sum(std::span<const double> values);

}  // namespace nntrain

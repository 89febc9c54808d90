#pragma once
// Where the rows of a node's ranks lie: each rank's workspace, with the x and dz of its layers, in memory
// that the node's ranks share, so that whoever owns a slice of a kernel can make its gradient from all of
// them.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "comm/session/session.h"
#include "core/products/products.h"
#include "core/tree.h"
#include "nn/model/sequential.h"
#include "nn/variables/gradient_tree.h"

namespace nntrain::train {

/// What the ranks of a node have of the largest mini-batch.
struct NodeWork {
  int ranks = 1;          ///< of the node
  int arrays = 1;         ///< gradient arrays of a rank: the most covering nodes that any has
  std::int64_t rows = 0;  ///< of all ranks of the node
};
NodeWork work_of_node(const comm::Session& session, int shards, std::int64_t batch_rows);

/// The kernels whose gradients are products of what lies in the workspace, in the model's order; none where
/// it costs owners more to make them than ranks to write arrays of their own. With kernels (I, O), R rows
/// times positions of the node and L ranks an owner reads R (I / L + O) floats of x and dz, of L ranks' R (I
/// + O). A rank's arrays are read into the cache, written, and read by those who add: 3 I O of each, of L I
/// O. All or none: a step that does both pays for both. A rank alone has nobody to add to.
std::vector<const nn::Variable*> kernels_for_owners(const nn::Sequential& model, const NodeWork& node);

/// Where `kernel` is among the products, which are in the model's order; the end when it is not.
std::vector<nn::GradientTree::Product>::const_iterator find_product(
    const std::vector<nn::GradientTree::Product>& products, const nn::Variable& kernel);

class NodeRows {
 public:
  /// Collective over the node. Prepares `model` for `most_rows` rows, the same on all ranks, and moves its
  /// workspace into the node's memory. Nothing where there is no room; the workspace then is the rank's own.
  /// `model` outlives the object.
  static std::optional<NodeRows> make(comm::Session& session, nn::Sequential& model, int shards,
                                      std::int64_t most_rows);

  static ShardRange shards_of_node(const comm::Session& session, int shards);
  ShardRange shards() const { return shards_; }  ///< of the node's ranks
  /// x and dz of each shard of `range`, which lies in shards(), in a mini-batch of `batch_rows` rows;
  /// `leaves` (range.count()). Local.
  void leaves(const nn::GradientTree::Product& product, ShardRange range, std::int64_t batch_rows,
              std::span<ProductLeaf> leaves) const;

 private:
  NodeRows(nn::Sequential& model, ShardRange shards, int all_shards)
      : model_(&model), shards_(shards), all_shards_(all_shards) {}

  nn::Sequential* model_;
  ShardRange shards_;
  int all_shards_;
  std::vector<ShardRange> of_rank_;  ///< each rank's of the node
  comm::SharedArray memory_;
  std::vector<const float*> workspaces_;  ///< of each rank of the node
};

}  // namespace nntrain::train

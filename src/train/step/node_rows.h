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

/// Kernels whose gradients are products of what lies in the workspace, in the model's order.
std::vector<const nn::Variable*> product_kernels(const nn::Sequential& model);

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

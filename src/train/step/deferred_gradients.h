#pragma once
// Gradients of kernels made by their owners, on one node. The gradient of a kernel is a product, x' dz, of
// arrays that are much smaller than it is when a mini-batch has few rows. Instead of writing it on every rank
// for that rank's rows and adding the ranks' arrays, the rank that owns a slice computes the slice over the
// rows of all ranks, shard by shard along the tree of sums, from the x and dz that lie in the node's shared
// memory. The bits are those of the sum. On several nodes: NodeSums.

#include <memory>
#include <vector>

#include "comm/exchange/exchange.h"
#include "core/products/products.h"
#include "nn/model/sequential.h"
#include "nn/variables/gradient_tree.h"
#include "train/step/node_rows.h"

namespace nntrain::train {

class DeferredGradients {
 public:
  /// Collective. Has `gradients` defer the kernels and `exchange` leave them to their owners; see
  /// NodeRows::make. Which: kernels_for_owners(). Null, and no gradient is made otherwise than before, where
  /// that cannot be: several nodes, no room for shared memory, no such kernel. `batch_rows`: of the largest
  /// mini-batch. All references outlive the object.
  static std::unique_ptr<DeferredGradients> make(comm::Session& session, comm::Exchange& exchange,
                                                 nn::Sequential& model, nn::GradientTree& gradients,
                                                 const Products& products, int shards, std::int64_t most_rows,
                                                 std::int64_t batch_rows);

  /// Is the gradient of `variable` one of these?
  bool covers(const nn::Variable& variable) const;
  /// After backward on all ranks (reduce() has returned): takes up the kernel's product of a mini-batch of
  /// `batch_rows` rows. Local, as the rest.
  void begin(const nn::Variable& kernel, std::int64_t batch_rows);
  /// Rows [begin, end) of that kernel's gradient into `g` (end - begin, units). `updated`: see
  /// KernelGradient.
  void rows(std::int64_t begin, std::int64_t end, float* g, const float* updated) {
    product_->rows(begin, end, g, updated);
  }

 private:
  DeferredGradients(nn::GradientTree& gradients, const Products& products, NodeRows rows);

  nn::GradientTree& gradients_;
  NodeRows rows_;
  std::unique_ptr<KernelGradient> product_;
  std::vector<ProductLeaf> leaves_;  ///< (shards)
};

}  // namespace nntrain::train

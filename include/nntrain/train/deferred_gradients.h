#pragma once
// Gradients of kernels made by their owners. The gradient of a kernel is a product, x' dz, of arrays that are much
// smaller than it is when a mini-batch has few rows. Instead of writing it on every rank for that rank's rows and adding
// the ranks' arrays, the rank that owns a slice computes the slice over the rows of all ranks, shard by shard along the
// tree of sums, from the x and dz that lie in the node's shared memory. The bits are those of the sum.

#include <memory>
#include <span>
#include <vector>

#include "nntrain/comm/exchange.h"
#include "nntrain/core/chain.h"
#include "nntrain/nn/gradient_tree.h"
#include "nntrain/nn/sequential.h"
#include "nntrain/train/shared_workspace.h"

namespace nntrain::train {

class DeferredGradients {
 public:
  /// The kernels of `model` whose gradients are products that can be deferred.
  static std::vector<const nn::Variable*> kernels_of(const nn::Sequential& model);

  /// On one node, on all ranks alike. `gradients` will defer `kernels`, and `exchange` leave them to their owners. All
  /// references outlive the object.
  DeferredGradients(const std::vector<const nn::Variable*>& kernels, const SharedWorkspace& workspace, nn::GradientTree& gradients,
                    comm::Exchange& exchange, int shards);

  /// Is the gradient of `variable` one of these?
  bool covers(const nn::Variable& variable) const;
  /// After backward on all ranks (reduce() has returned): takes up the kernel's product of a mini-batch of `batch_rows`
  /// rows. Local, as the rest.
  void begin(const nn::Variable& kernel, std::int64_t batch_rows);
  /// Rows [begin, end) of that kernel's gradient into `g` (end - begin, units). `updated`: see chain::KernelGradient.
  void rows(std::int64_t begin, std::int64_t end, float* g, const float* updated) { product_.rows(begin, end, g, updated); }

 private:
  const SharedWorkspace& workspace_;
  nn::GradientTree& gradients_;
  int shards_;
  chain::KernelGradient product_;
  std::vector<chain::Leaf> leaves_;  ///< (shards)
};

}  // namespace nntrain::train

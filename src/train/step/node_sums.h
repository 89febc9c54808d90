#pragma once
// Gradients of kernels made by their owners, on several nodes. What a node sends of a slice are the sums over
// its own shards, one for each node of the tree of sums that covers them. The rank that owns the slice makes
// them as products, from the x and dz of the node's ranks, so that no rank writes a gradient array and none
// reads another's. The exchange says when, bucket by bucket while backward goes on, and sends them.
//
// An owner reads dz of all rows of the node for that. With many more rows than the kernel has, these are more
// bytes than the arrays would be: such kernels are exchanged as before (kernels_for_owners()).

#include <memory>
#include <span>
#include <vector>

#include "comm/exchange/exchange.h"
#include "core/products/products.h"
#include "nn/model/sequential.h"
#include "nn/variables/gradient_tree.h"
#include "train/step/activity_times.h"
#include "train/step/node_rows.h"

namespace nntrain::train {

class NodeSums {
 public:
  /// Collective over the node; other nodes may do otherwise, what crosses the network is the same. Has
  /// `gradients` defer the kernels and `exchange` ask this object for their sums; see NodeRows::make. Null,
  /// and no gradient is made otherwise than before, where that cannot be (Exchange::can_make_node_sums(), no
  /// room for shared memory, no such kernel) or does not pay: a library's gradient is made in whole blocks,
  /// of which a bucket may hold a small part. `batch_rows`: of the largest mini-batch. All references outlive
  /// the object.
  static std::unique_ptr<NodeSums> make(comm::Session& session, comm::Exchange& exchange,
                                        nn::Sequential& model, nn::GradientTree& gradients,
                                        const Products& products, int shards, std::int64_t most_rows,
                                        std::int64_t batch_rows, ActivityTimes& times);
  NodeSums(const NodeSums&) = delete;
  NodeSums& operator=(const NodeSums&) = delete;

  /// Before each backward pass. Local.
  void open_step(std::int64_t batch_rows);

 private:
  NodeSums(nn::GradientTree& gradients, const Products& products, NodeRows rows, int shards,
           ActivityTimes& times);
  void take_up(const nn::GradientTree::Product& product);
  void add_rows(const nn::Variable& kernel, const comm::Range& range, std::span<float* const> sums);
  void add(const comm::Range& range, std::span<float* const> sums);

  nn::GradientTree& gradients_;
  NodeRows rows_;
  ActivityTimes& times_;
  std::int64_t batch_rows_ = 0;
  std::vector<ShardRange> covered_;                        ///< of the node's shards
  std::vector<std::unique_ptr<KernelGradient>> products_;  ///< one for each of covered_
  const nn::Variable* taken_up_ = nullptr;  ///< what products_ have packed the dz of, in this step
  std::vector<ProductLeaf> leaves_;
  std::vector<float> block_;  ///< rows of a kernel, some of which are not wanted as a whole
};

}  // namespace nntrain::train

#pragma once
// Where backward puts gradients: leaf by leaf, shard by shard, into the rank's nodes of the tree of sums.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "nntrain/core/function_ref.h"
#include "nntrain/core/gemm.h"
#include "nntrain/core/tree.h"
#include "nntrain/nn/batch_context.h"
#include "nntrain/nn/variable.h"

namespace nntrain::nn {

/// Can GEMM's own accumulate (beta = 1) stand for a separate add? Decided by a self-check at start; both
/// give the same bits, or kSeparate is taken.
enum class Accumulate { kInGemm, kSeparate };

class GradientTree {
 public:
  /// Writes (kStore) or adds (kAdd) the gradient of one local shard to `destination` (variable.size()).
  /// A leaf that cannot add must be given to add_stored().
  using Leaf = FunctionRef<void(int local_shard, float* destination, gemm::Write write)>;
  using StoredLeaf = FunctionRef<void(int local_shard, float* destination)>;

  /// `nodes`: one flat gradient array per covering node of the local shards (comm's windows).
  /// `largest`: size of the largest variable, for scratch.
  GradientTree(ShardRange local, int shards, std::vector<std::span<float>> nodes, std::int64_t largest,
               Accumulate accumulate);

  /// Sums the leaves of `variable` over the local shards along the tree. Leaves are called shard by shard,
  /// left to right. A regularizer's gradient is part of one fixed shard's leaf. When it returns, the
  /// variable's gradient is complete on this replica and on_complete is told.
  void add(const Variable& variable, const BatchContext& context, Leaf leaf);
  /// As add() for leaves that only store.
  void add_stored(const Variable& variable, const BatchContext& context, StoredLeaf leaf);
  /// Leaf = column sums of `dz` (rows, variable.size()) over the shard's rows: gradients of biases.
  void add_column_sums(const Variable& variable, const BatchContext& context, const float* dz);

  std::function<void(const Variable&)> on_complete;

  /// The shard whose leaf carries the regularizer of a variable.
  static int regularizer_shard(const Variable& variable, int shards);

 private:
  template <class AnyLeaf>
  void run(const Variable& variable, const BatchContext& context, AnyLeaf&& leaf);
  float* buffer(int index, const Variable& variable);

  ShardRange local_;
  int shards_;
  std::vector<std::span<float>> nodes_;
  TreeProgram program_;
  std::vector<std::vector<float>> scratch_;  // program_.buffers - nodes arrays and one for leaves
  Accumulate accumulate_;
};

/// columns sums of x (rows, columns) into `sums` (columns), rows in order. Local.
void column_sums(std::int64_t rows, std::int64_t columns, const float* x, float* sums);

}  // namespace nntrain::nn

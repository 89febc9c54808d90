#pragma once
// Where backward puts gradients: leaf by leaf, shard by shard, into the rank's nodes of the tree of sums.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/bfloat16.h"
#include "core/function_ref.h"
#include "core/products/products.h"
#include "core/tree.h"
#include "nn/variables/batch_context.h"
#include "nn/variables/variable.h"

namespace nntrain::nn {

class GradientTree {
 public:
  /// Writes the gradient of one local shard to `destination` (variable.size()).
  using Leaf = FunctionRef<void(int local_shard, float* destination)>;

  /// The gradient of a kernel as the product that it is: dkernel = x' dz.
  struct Product {
    const Variable* kernel = nullptr;  ///< (inputs, units)
    const float* x = nullptr;          ///< (context.rows * positions, inputs)
    const float* dz = nullptr;         ///< (context.rows * positions, units)
    std::int64_t positions = 1;        ///< of a sample
  };

  /// `nodes`: one flat gradient array per covering node of the local shards (comm's windows).
  /// `largest`: size of the largest variable, for scratch.
  /// `format`: kBfloat16 rounds every leaf and every sum, as the exchange does above them; products are then
  /// not to be deferred.
  /// `products`: what multiplies; outlives the object.
  GradientTree(ShardRange local, int shards, std::vector<std::span<float>> nodes, std::int64_t largest,
               SumFormat format = SumFormat::kFloat32, const Products& products = chain_products());

  /// Sums the leaves of `variable` over the local shards along the tree. Leaves are called shard by shard,
  /// left to right. A regularizer's gradient is part of one fixed shard's leaf. When it returns, the
  /// variable's gradient is complete on this replica and on_complete is told.
  void add(const Variable& variable, Leaf leaf);
  /// Leaf = column sums of `dz` (rows, variable.size()) over the shard's rows: gradients of biases.
  void add_column_sums(const Variable& variable, const BatchContext& context, const float* dz);
  /// Leaf = x' dz over the shard's rows; or, for a kernel that was given to defer(), only notes where x and
  /// dz lie, which are complete then.
  void add_product(const Product& product, const BatchContext& context);

  /// From now on the product of `kernel` is left to whoever owns the kernel's slice.
  void defer(const Variable& kernel);
  /// Of the last backward pass.
  const std::vector<Product>& deferred() const { return deferred_; }

  /// The variable's gradient, or what its owner makes it of, is complete on this replica.
  std::function<void(const Variable&)> on_complete;

  /// The shard whose leaf carries the regularizer of a variable.
  static int regularizer_shard(const Variable& variable, int shards);

 private:
  float* buffer(int index, const Variable& variable);
  void add_sum(std::span<float> target, const float* source) const;

  ShardRange local_;
  int shards_;
  std::vector<std::span<float>> nodes_;
  std::vector<ShardRange> covered_;  ///< the rank's nodes
  TreeProgram program_;
  std::vector<std::vector<float>> scratch_;  // program_.buffers - nodes arrays and one for leaves
  std::unique_ptr<KernelGradient> product_;
  std::vector<ProductLeaf> leaves_;  // of one node
  std::vector<Product> deferred_;
  SumFormat format_;
};

/// columns sums of x (rows, columns) into `sums` (columns), rows in order. Local.
void column_sums(std::int64_t rows, std::int64_t columns, const float* x, float* sums);

}  // namespace nntrain::nn

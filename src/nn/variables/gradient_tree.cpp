#include "nn/variables/gradient_tree.h"

#include <algorithm>

#include "core/error.h"

namespace nntrain::nn {

GradientTree::GradientTree(ShardRange local, int shards, std::vector<std::span<float>> nodes,
                           std::int64_t largest, SumFormat format, const Products& products)
    : local_(local),
      shards_(shards),
      nodes_(std::move(nodes)),
      covered_(covering_nodes(local, shards)),
      program_(local_program(local, shards)),
      product_(products.kernel_gradient()),
      format_(format) {
  if (static_cast<int>(nodes_.size()) != program_.nodes) {
    throw RuntimeError("internal: the gradient arrays do not match the covering nodes of the shards");
  }
  const int scratch = program_.buffers - program_.nodes + 1;  // and one for leaves that are added separately
  leaves_.reserve(static_cast<std::size_t>(local.count()));
  scratch_.assign(static_cast<std::size_t>(scratch), std::vector<float>(static_cast<std::size_t>(largest)));
}

int GradientTree::regularizer_shard(const Variable& variable, int shards) {
  // Different variables take different shards, so that the work spreads; even ones, which start a pair.
  return 2 * (variable.index % ((shards + 1) / 2));
}

float* GradientTree::buffer(int index, const Variable& variable) {
  if (index < program_.nodes) return nodes_[static_cast<std::size_t>(index)].data() + variable.offset;
  return scratch_[static_cast<std::size_t>(index - program_.nodes)].data();
}

/// target += source, as the format says.
void GradientTree::add_sum(std::span<float> target, const float* source) const {
  if (format_ == SumFormat::kBfloat16) {
    add_rounded(target.data(), target.data(), source, static_cast<std::int64_t>(target.size()));
  } else {
    add_in_place(target, {source, target.size()});
  }
}

void GradientTree::add(const Variable& variable, Leaf leaf) {
  const auto size = static_cast<std::size_t>(variable.size());
  const auto round = [&](float* leaf_sum) {
    if (format_ == SumFormat::kBfloat16) round_to_bfloat16(std::span(leaf_sum, size));
  };
  const int penalised = variable.regularizer ? regularizer_shard(variable, shards_) : -1;
  for (const TreeStep& step : program_.steps) {
    float* target = buffer(step.target, variable);
    if (step.operation == TreeStep::Operation::kAdd) {
      add_sum({target, size}, buffer(step.source, variable));
      continue;
    }
    // A shard without rows adds zeros instead of skipping the sum: -0 + 0 is not -0.
    const bool stores = step.operation == TreeStep::Operation::kStoreLeaf;
    float* destination = stores ? target : scratch_.back().data();
    leaf(step.shard - local_.begin, destination);
    if (step.shard == penalised) {
      variable.regularizer->add_gradient(variable.shape, {variable.values, size}, 1.0F, {destination, size});
    }
    round(destination);
    if (!stores) add_sum({target, size}, destination);
  }
  if (on_complete) on_complete(variable);
}

void GradientTree::defer(const Variable& kernel) {
  if (!deferred_.empty() && deferred_.back().kernel->index >= kernel.index)
    throw RuntimeError("internal: kernels are deferred in the model's order");
  deferred_.push_back({&kernel, nullptr, nullptr, 1});
}

void GradientTree::add_product(const Product& product, const BatchContext& context) {
  const Variable& kernel = *product.kernel;
  const auto deferred = std::lower_bound(  // a model may have 100,000 layers
      deferred_.begin(), deferred_.end(), kernel.index,
      [](const Product& one, int index) { return one.kernel->index < index; });
  if (deferred != deferred_.end() && deferred->kernel == &kernel) {
    *deferred = product;
    if (on_complete) on_complete(kernel);
    return;
  }
  const std::int64_t inputs = kernel.shape[0], units = kernel.shape[1];
  const auto leaf_of = [&](int local_shard) {
    const std::int64_t begin = context.bounds[static_cast<std::size_t>(local_shard)] * product.positions;
    return ProductLeaf{product.x + begin * inputs, product.dz + begin * units,
                       context.shard_rows(local_shard) * product.positions};
  };
  if (kernel.regularizer || format_ != SumFormat::kFloat32) {  // something happens to leaves on their way
    add(kernel, [&](int local_shard, float* destination) {
      const ProductLeaf leaf = leaf_of(local_shard);
      product_->set({&leaf, 1}, inputs, units);
      product_->rows(0, inputs, destination);
    });
    return;
  }
  for (std::size_t k = 0; k < covered_.size();
       ++k) {  // a covering node's own tree is a part of the tree of sums
    leaves_.clear();
    for (int s = covered_[k].begin; s < covered_[k].end; ++s) leaves_.push_back(leaf_of(s - local_.begin));
    product_->set(leaves_, inputs, units);
    product_->rows(0, inputs, nodes_[k].data() + kernel.offset);
  }
  if (on_complete) on_complete(kernel);
}

void GradientTree::add_column_sums(const Variable& variable, const BatchContext& context, const float* dz) {
  const std::int64_t columns = variable.size();
  add(variable, [&](int local_shard, float* destination) {
    const std::int64_t begin = context.bounds[static_cast<std::size_t>(local_shard)];
    column_sums(context.shard_rows(local_shard), columns, dz + begin * columns, destination);
  });
}

void column_sums(std::int64_t rows, std::int64_t columns, const float* x, float* sums) {
  constexpr std::int64_t kBlock = 32;  // sums of so many columns stay in registers
  for (std::int64_t begin = 0; begin < columns; begin += kBlock) {
    const std::int64_t count = std::min(kBlock, columns - begin);
    float block[kBlock] = {};
    const float* row = x + begin;
    if (count == kBlock) {
      for (std::int64_t r = 0; r < rows; ++r, row += columns) {
        for (std::int64_t c = 0; c < kBlock; ++c) block[c] += row[c];
      }
    } else {
      for (std::int64_t r = 0; r < rows; ++r, row += columns) {
        for (std::int64_t c = 0; c < count; ++c) block[c] += row[c];
      }
    }
    std::copy_n(block, count, sums + begin);
  }
}

}  // namespace nntrain::nn

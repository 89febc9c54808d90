#include "nntrain/nn/gradient_tree.h"

#include <algorithm>

#include "nntrain/core/error.h"

namespace nntrain::nn {

GradientTree::GradientTree(ShardRange local, int shards, std::vector<std::span<float>> nodes,
                           std::int64_t largest, Accumulate accumulate)
    : local_(local),
      shards_(shards),
      nodes_(std::move(nodes)),
      program_(local_program(local, shards)),
      accumulate_(accumulate) {
  if (static_cast<int>(nodes_.size()) != program_.nodes) {
    throw RuntimeError("internal: the gradient arrays do not match the covering nodes of the shards");
  }
  const int scratch = program_.buffers - program_.nodes + 1;  // and one for leaves that are added separately
  scratch_.assign(static_cast<std::size_t>(scratch), std::vector<float>(static_cast<std::size_t>(largest)));
}

int GradientTree::regularizer_shard(const Variable& variable, int shards) {
  // An even shard is always the left leaf of its pair: its leaf is stored, never added inside GEMM, so the
  // penalty joins it at the same place whichever rank holds the shard.
  return 2 * (variable.index % ((shards + 1) / 2));
}

float* GradientTree::buffer(int index, const Variable& variable) {
  if (index < program_.nodes) return nodes_[static_cast<std::size_t>(index)].data() + variable.offset;
  return scratch_[static_cast<std::size_t>(index - program_.nodes)].data();
}

template <class AnyLeaf>
void GradientTree::run(const Variable& variable, const BatchContext& context, AnyLeaf&& leaf) {
  const auto size = static_cast<std::size_t>(variable.size());
  const int penalised = variable.regularizer ? regularizer_shard(variable, shards_) : -1;
  for (const TreeStep& step : program_.steps) {
    float* target = buffer(step.target, variable);
    if (step.operation == TreeStep::Operation::kAdd) {
      add_in_place({target, size}, {buffer(step.source, variable), size});
      continue;
    }
    const int local_shard = step.shard - local_.begin;
    // A shard without rows adds zeros instead of skipping the sum: -0 + 0 is not -0.
    const bool in_gemm = accumulate_ == Accumulate::kInGemm && context.shard_rows(local_shard) > 0;
    if (step.operation == TreeStep::Operation::kStoreLeaf) {
      leaf(local_shard, target, gemm::Write::kStore);
      if (step.shard == penalised) {
        variable.regularizer->add_gradient(variable.shape, {variable.values, size}, 1.0F, {target, size});
      }
    } else if (in_gemm) {
      leaf(local_shard, target, gemm::Write::kAdd);
    } else {
      leaf(local_shard, scratch_.back().data(), gemm::Write::kStore);
      add_in_place({target, size}, {scratch_.back().data(), size});
    }
  }
  if (on_complete) on_complete(variable);
}

void GradientTree::add(const Variable& variable, const BatchContext& context, Leaf leaf) {
  run(variable, context, leaf);
}

void GradientTree::add_stored(const Variable& variable, const BatchContext& context, StoredLeaf leaf) {
  const Accumulate kept = accumulate_;
  accumulate_ = Accumulate::kSeparate;
  run(variable, context,
      [&](int local_shard, float* destination, gemm::Write) { leaf(local_shard, destination); });
  accumulate_ = kept;
}

void GradientTree::add_column_sums(const Variable& variable, const BatchContext& context, const float* dz) {
  const std::int64_t columns = variable.size();
  add_stored(variable, context, [&](int local_shard, float* destination) {
    const std::int64_t begin = context.bounds[static_cast<std::size_t>(local_shard)];
    column_sums(context.shard_rows(local_shard), columns, dz + begin * columns, destination);
  });
}

void column_sums(std::int64_t rows, std::int64_t columns, const float* x, float* sums) {
  std::fill_n(sums, columns, 0.0F);
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* __restrict row = x + r * columns;
    float* __restrict target = sums;
    for (std::int64_t c = 0; c < columns; ++c) target[c] += row[c];
  }
}

}  // namespace nntrain::nn

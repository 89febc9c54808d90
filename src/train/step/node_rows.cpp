#include "train/step/node_rows.h"

#include <algorithm>

namespace nntrain::train {

namespace {

constexpr std::int64_t kPageFloats = 1024;

/// What moving floats costs that lie in an area of `footprint` floats: beyond a third-level cache (32 MB) all
/// ranks share the node's memory, where a float of 64 cores takes four times as long and more.
double moving(double floats, double footprint) {
  constexpr double kCachedFloats = 32.0 * 1024 * 1024 / sizeof(float);
  return footprint > kCachedFloats ? 4 * floats : floats;
}

}  // namespace

NodeWork work_of_node(const comm::Session& session, int shards, std::int64_t batch_rows) {
  const int first = session.rank() - session.local_rank();
  const ShardRange node = NodeRows::shards_of_node(session, shards);
  NodeWork work{session.local_size(), 1,
                shard_begin(node.end, shards, batch_rows) - shard_begin(node.begin, shards, batch_rows)};
  for (int r = first; r < first + work.ranks; ++r) {
    const std::size_t arrays = covering_nodes(shards_of_rank(r, session.size(), shards), shards).size();
    work.arrays = std::max(work.arrays, static_cast<int>(arrays));
  }
  return work;
}

std::vector<const nn::Variable*> kernels_for_owners(const nn::Sequential& model, const NodeWork& node) {
  std::vector<const nn::Variable*> kernels;
  double read_by_owner = 0, rows_floats = 0, kernel_floats = 0;
  const Shape* input = &model.input_shape();
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    if (const nn::Variable* kernel = model.layers()[i]->product_kernel()) {
      const auto inputs = static_cast<double>(kernel->shape[0]),
                 units = static_cast<double>(kernel->shape[1]);
      const auto rows = static_cast<double>(node.rows * (input->size() / kernel->shape[0]));
      read_by_owner += rows * (inputs / node.ranks + units);
      rows_floats += rows * (inputs + units);
      kernel_floats += inputs * units;
      kernels.push_back(kernel);
    }
    input = &model.layer_output_shape(static_cast<int>(i));
  }
  const double arrays = node.arrays * kernel_floats;  // of a rank
  if (node.ranks > 1 && moving(read_by_owner, rows_floats) > moving(3 * arrays, node.ranks * arrays))
    kernels.clear();
  return kernels;
}

std::vector<nn::GradientTree::Product>::const_iterator find_product(
    const std::vector<nn::GradientTree::Product>& products, const nn::Variable& kernel) {
  const auto found = std::lower_bound(
      products.begin(), products.end(), kernel.index,
      [](const nn::GradientTree::Product& product, int index) { return product.kernel->index < index; });
  return found != products.end() && found->kernel == &kernel ? found : products.end();
}

ShardRange NodeRows::shards_of_node(const comm::Session& session, int shards) {
  const int first = session.rank() - session.local_rank(), last = first + session.local_size() - 1;
  return {shards_of_rank(first, session.size(), shards).begin,
          shards_of_rank(last, session.size(), shards).end};
}

std::optional<NodeRows> NodeRows::make(comm::Session& session, nn::Sequential& model, int shards,
                                       std::int64_t most_rows) {
  const int first = session.rank() - session.local_rank(), ranks = session.local_size();
  NodeRows rows(model, shards_of_node(session, shards), shards);
  for (int r = first; r < first + ranks; ++r)
    rows.of_rank_.push_back(shards_of_rank(r, session.size(), shards));
  model.prepare(std::max<std::int64_t>(1, most_rows), nn::Mode::kTraining, nn::Sequential::Keep::kGradients);
  if (ranks == 1) {
    rows.workspaces_ = {model.workspace().data()};
    return rows;
  }
  const std::int64_t segment = (model.workspace_floats() + kPageFloats - 1) / kPageFloats * kPageFloats;
  auto memory =
      comm::SharedArray::try_allocate(session, segment * ranks * static_cast<std::int64_t>(sizeof(float)));
  if (!memory) return std::nullopt;
  rows.memory_ = std::move(*memory);
  const std::span<float> floats = rows.memory_.as<float>();
  for (int r = 0; r < ranks; ++r) rows.workspaces_.push_back(floats.data() + r * segment);
  model.place_workspace(floats.subspan(static_cast<std::size_t>(session.local_rank() * segment),
                                       static_cast<std::size_t>(segment)));
  return rows;
}

void NodeRows::leaves(const nn::GradientTree::Product& product, ShardRange range, std::int64_t batch_rows,
                      std::span<ProductLeaf> leaves) const {
  const std::int64_t inputs = product.kernel->shape[0], units = product.kernel->shape[1];
  const float* mine = model_->workspace().data();
  for (std::size_t r = 0; r < of_rank_.size(); ++r) {
    const ShardRange shards{std::max(of_rank_[r].begin, range.begin), std::min(of_rank_[r].end, range.end)};
    if (shards.count() <= 0) continue;
    const float* theirs = workspaces_[r];
    const float *x = theirs + (product.x - mine), *dz = theirs + (product.dz - mine);
    const std::int64_t first = shard_begin(of_rank_[r].begin, all_shards_, batch_rows);
    for (int s = shards.begin; s < shards.end; ++s) {
      const std::int64_t begin = (shard_begin(s, all_shards_, batch_rows) - first) * product.positions;
      const std::int64_t end = (shard_begin(s + 1, all_shards_, batch_rows) - first) * product.positions;
      leaves[static_cast<std::size_t>(s - range.begin)] = {x + begin * inputs, dz + begin * units,
                                                           end - begin};
    }
  }
}

}  // namespace nntrain::train

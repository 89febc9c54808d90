#include "train/step/deferred_gradients.h"

#include <algorithm>

namespace nntrain::train {

namespace {

constexpr std::int64_t kPageFloats = 1024;

std::vector<const nn::Variable*> product_kernels(const nn::Sequential& model) {
  std::vector<const nn::Variable*> kernels;
  for (const auto& layer : model.layers()) {
    if (const nn::Variable* kernel = layer->product_kernel()) kernels.push_back(kernel);
  }
  return kernels;
}

/// Where `kernel` is among the products, which are in the model's order; the end when it is not.
auto find(const std::vector<nn::GradientTree::Product>& products, const nn::Variable& kernel) {
  const auto found = std::lower_bound(
      products.begin(), products.end(), kernel.index,
      [](const nn::GradientTree::Product& product, int index) { return product.kernel->index < index; });
  return found != products.end() && found->kernel == &kernel ? found : products.end();
}

}  // namespace

DeferredGradients::DeferredGradients(nn::Sequential& model, nn::GradientTree& gradients,
                                     const Products& products, int ranks, int shards)
    : model_(model),
      gradients_(gradients),
      ranks_(ranks),
      shards_(shards),
      product_(products.kernel_gradient()),
      leaves_(static_cast<std::size_t>(shards)) {}

std::unique_ptr<DeferredGradients> DeferredGradients::make(comm::Session& session, comm::Exchange& exchange,
                                                           nn::Sequential& model, nn::GradientTree& gradients,
                                                           const Products& products, int shards,
                                                           std::int64_t most_rows) {
  const std::vector<const nn::Variable*> kernels = product_kernels(model);
  if (session.nodes() > 1 || exchange.private_values() || kernels.empty()) return nullptr;
  const int ranks = session.size();
  model.prepare(std::max<std::int64_t>(1, most_rows), nn::Mode::kTraining, nn::Sequential::Keep::kGradients);
  std::unique_ptr<DeferredGradients> deferred(
      new DeferredGradients(model, gradients, products, ranks, shards));
  if (ranks == 1) {
    deferred->workspaces_ = {model.workspace().data()};
  } else {
    const std::int64_t segment = (model.workspace_floats() + kPageFloats - 1) / kPageFloats * kPageFloats;
    auto memory =
        comm::SharedArray::try_allocate(session, segment * ranks * static_cast<std::int64_t>(sizeof(float)));
    if (!memory) return nullptr;
    deferred->memory_ = std::move(*memory);
    const std::span<float> floats = deferred->memory_.as<float>();
    for (int r = 0; r < ranks; ++r) deferred->workspaces_.push_back(floats.data() + r * segment);
    model.place_workspace(floats.subspan(static_cast<std::size_t>(session.rank() * segment),
                                         static_cast<std::size_t>(segment)));
  }
  std::vector<comm::Range> ranges;
  for (const nn::Variable* kernel : kernels) {
    gradients.defer(*kernel);
    ranges.push_back({kernel->offset, kernel->offset + kernel->size()});
  }
  exchange.leave_to_owners(ranges);
  return deferred;
}

bool DeferredGradients::covers(const nn::Variable& variable) const {
  const auto& products = gradients_.deferred();
  return find(products, variable) != products.end();
}

void DeferredGradients::begin(const nn::Variable& kernel, std::int64_t batch_rows) {
  const auto product = find(gradients_.deferred(), kernel);
  const std::int64_t inputs = kernel.shape[0], units = kernel.shape[1], positions = product->positions;
  const float* mine = model_.workspace().data();
  for (int r = 0; r < ranks_; ++r) {
    const float* theirs = workspaces_[static_cast<std::size_t>(r)];
    const float *x = theirs + (product->x - mine), *dz = theirs + (product->dz - mine);
    const ShardRange shards = shards_of_rank(r, ranks_, shards_);
    const std::int64_t first = shard_begin(shards.begin, shards_, batch_rows);
    for (int s = shards.begin; s < shards.end; ++s) {
      const std::int64_t begin = (shard_begin(s, shards_, batch_rows) - first) * positions;
      const std::int64_t end = (shard_begin(s + 1, shards_, batch_rows) - first) * positions;
      leaves_[static_cast<std::size_t>(s)] = {x + begin * inputs, dz + begin * units, end - begin};
    }
  }
  product_->set(leaves_, inputs, units);
}

}  // namespace nntrain::train

#include "nntrain/train/deferred_gradients.h"

#include <algorithm>

namespace nntrain::train {

std::vector<const nn::Variable*> DeferredGradients::kernels_of(const nn::Sequential& model) {
  std::vector<const nn::Variable*> kernels;
  for (const auto& layer : model.layers()) {
    if (const nn::Variable* kernel = layer->product_kernel()) kernels.push_back(kernel);
  }
  return kernels;
}

DeferredGradients::DeferredGradients(const std::vector<const nn::Variable*>& kernels, const SharedWorkspace& workspace,
                                     nn::GradientTree& gradients, comm::Exchange& exchange, int shards)
    : workspace_(workspace), gradients_(gradients), shards_(shards), leaves_(static_cast<std::size_t>(shards)) {
  std::vector<comm::Range> ranges;
  for (const nn::Variable* kernel : kernels) {
    gradients.defer(*kernel);
    ranges.push_back({kernel->offset, kernel->offset + kernel->size()});
  }
  exchange.leave_to_owners(ranges);
}

bool DeferredGradients::covers(const nn::Variable& variable) const {
  const auto& products = gradients_.deferred();
  return std::any_of(products.begin(), products.end(), [&](const auto& product) { return product.kernel == &variable; });
}

void DeferredGradients::begin(const nn::Variable& kernel, std::int64_t batch_rows) {
  const auto& products = gradients_.deferred();
  const auto product = std::find_if(products.begin(), products.end(), [&](const auto& one) { return one.kernel == &kernel; });
  const std::int64_t inputs = kernel.shape[0], units = kernel.shape[1], positions = product->positions;
  for (int r = 0; r < workspace_.ranks(); ++r) {
    const float *x = workspace_.of(r, product->x), *dz = workspace_.of(r, product->dz);
    const ShardRange shards = shards_of_rank(r, workspace_.ranks(), shards_);
    const std::int64_t first = shard_begin(shards.begin, shards_, batch_rows);
    for (int s = shards.begin; s < shards.end; ++s) {
      const std::int64_t begin = (shard_begin(s, shards_, batch_rows) - first) * positions;
      const std::int64_t end = (shard_begin(s + 1, shards_, batch_rows) - first) * positions;
      leaves_[static_cast<std::size_t>(s)] = {x + begin * inputs, dz + begin * units, end - begin};
    }
  }
  product_.set(leaves_, inputs, units);
}

}  // namespace nntrain::train

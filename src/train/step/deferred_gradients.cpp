#include "train/step/deferred_gradients.h"

#include <utility>

namespace nntrain::train {

DeferredGradients::DeferredGradients(nn::GradientTree& gradients, const Products& products, NodeRows rows)
    : gradients_(gradients),
      rows_(std::move(rows)),
      product_(products.kernel_gradient()),
      leaves_(static_cast<std::size_t>(rows_.shards().count())) {}

std::unique_ptr<DeferredGradients> DeferredGradients::make(comm::Session& session, comm::Exchange& exchange,
                                                           nn::Sequential& model, nn::GradientTree& gradients,
                                                           const Products& products, int shards,
                                                           std::int64_t most_rows, std::int64_t batch_rows) {
  const std::vector<const nn::Variable*> kernels =
      kernels_for_owners(model, work_of_node(session, shards, batch_rows));
  if (session.nodes() > 1 || exchange.private_values() || kernels.empty()) return nullptr;
  std::optional<NodeRows> rows = NodeRows::make(session, model, shards, most_rows);
  if (!rows) return nullptr;
  std::vector<comm::Range> ranges;
  for (const nn::Variable* kernel : kernels) {
    gradients.defer(*kernel);
    ranges.push_back({kernel->offset, kernel->offset + kernel->size()});
  }
  exchange.leave_to_owners(ranges);
  return std::unique_ptr<DeferredGradients>(new DeferredGradients(gradients, products, std::move(*rows)));
}

bool DeferredGradients::covers(const nn::Variable& variable) const {
  const auto& products = gradients_.deferred();
  return find_product(products, variable) != products.end();
}

void DeferredGradients::begin(const nn::Variable& kernel, std::int64_t batch_rows) {
  rows_.leaves(*find_product(gradients_.deferred(), kernel), rows_.shards(), batch_rows, leaves_);
  product_->set(leaves_, kernel.shape[0], kernel.shape[1]);
}

}  // namespace nntrain::train

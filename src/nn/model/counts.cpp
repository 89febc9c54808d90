// What a model adds up to.

#include "nn/model/sequential.h"

namespace nntrain::nn {

std::int64_t Sequential::parameter_count() const {
  std::int64_t count = 0;
  for (const Variable& variable : variables()) count += variable.size();
  return count;
}

std::int64_t Sequential::trainable_count() const {
  std::int64_t count = 0;
  for (const Variable& variable : variables()) count += variable.trainable ? variable.size() : 0;
  return count;
}

double Sequential::regularization_loss() const {
  double sum = 0;
  for (const Variable& variable : variables()) {
    if (!variable.regularizer || !variable.trainable) continue;
    sum += variable.regularizer->loss(variable.shape,
                                      {variable.values, static_cast<std::size_t>(variable.size())});
  }
  return sum;
}

double Sequential::forward_flops() const {
  double flops = 0;
  for (const auto& layer : layers()) flops += layer->forward_flops();
  return flops;
}

}  // namespace nntrain::nn

#pragma once
// activity_regularizer: a penalty on a layer's outputs, divided by the rows of the mini-batch
// (keras/src/layers/layer.py).

#include <memory>

#include "nn/variables/batch_context.h"
#include "nn/variables/regularizer.h"

namespace nntrain::nn {

/// What a regularizer hears of outputs: one row of values, as many as its span holds. Made once: a Shape
/// takes memory.
inline const Shape& shape_of_outputs() {
  static const Shape shape{1};
  return shape;
}

/// Adds each local shard's penalty of y (rows, size) to context.activity_loss.
inline void add_activity_loss(const BatchContext& context, Regularizer& regularizer, std::int64_t size,
                              const float* y) {
  if (context.activity_loss.empty()) return;
  for (int s = 0; s < context.local_shards(); ++s) {
    const std::int64_t begin = context.bounds[static_cast<std::size_t>(s)] * size;
    const std::int64_t count = context.shard_rows(s) * size;
    context.activity_loss[static_cast<std::size_t>(s)] +=
        regularizer.loss(shape_of_outputs(), {y + begin, static_cast<std::size_t>(count)}) /
        static_cast<double>(context.batch_rows);
  }
}

/// dy += d penalty / d y.
inline void add_activity_gradient(const BatchContext& context, Regularizer& regularizer, std::int64_t size,
                                  const float* y, float* dy) {
  const auto count = static_cast<std::size_t>(context.rows * size);
  regularizer.add_gradient(shape_of_outputs(), {y, count}, 1.0F / static_cast<float>(context.batch_rows),
                           {dy, count});
}

}  // namespace nntrain::nn

#pragma once
// Penalties on values (Keras: keras.regularizers).

#include <span>

#include "core/registry.h"
#include "core/shape.h"

namespace nntrain::nn {

class Regularizer : public Described {
 public:
  /// The penalty of `values` (shape), summed in a fixed order in float64.
  virtual double loss(const Shape& shape, std::span<const float> values) = 0;
  /// Adds scale * d loss / d values to `gradient`.
  virtual void add_gradient(const Shape& shape, std::span<const float> values, float scale,
                            std::span<float> gradient) = 0;
  /// Does it mix the rows of the matrix it is given? Then it cannot be applied shard by shard to outputs.
  virtual bool mixes_rows() const { return false; }
};

Registry<Regularizer>& regularizers();

}  // namespace nntrain::nn

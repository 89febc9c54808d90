#pragma once
// Projections applied to a whole variable after the optimizer step (Keras: keras.constraints).

#include <span>

#include "core/registry.h"
#include "core/shape.h"

namespace nntrain::nn {

class Constraint : public Described {
 public:
  virtual void apply(const Shape& shape, std::span<float> values) = 0;
};

Registry<Constraint>& constraints();

}  // namespace nntrain::nn

#pragma once
// Initial values. A value is a pure function of (seed, variable index, element), never of ranks.

#include <cstdint>
#include <span>

#include "core/registry.h"
#include "core/shape.h"

namespace nntrain::nn {

class Initializer : public Described {
 public:
  /// Fills `values` (shape.size()). `variable_index` keeps the streams of equal shapes apart.
  /// Throws InputError when the shape does not suit (Identity, Orthogonal need rank >= 2).
  virtual void fill(const Shape& shape, std::uint64_t seed, std::uint32_t variable_index,
                    std::span<float> values) const = 0;
};

Registry<Initializer>& initializers();

}  // namespace nntrain::nn

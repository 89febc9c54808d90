#pragma once
// A model that cannot be built, and which of its layers is to blame.

#include <cstddef>
#include <string>

#include "core/error.h"

namespace nntrain::nn {

/// `index` counts the layers as they were given, Input among them.
class LayerError : public InputError {
 public:
  LayerError(std::size_t index, const std::string& message) : InputError(message), index_(index) {}
  std::size_t index() const noexcept { return index_; }

 private:
  std::size_t index_;
};

}  // namespace nntrain::nn

#pragma once
// Layers that take some values alone (Layer::value_demand), and who gives them.

#include <cstddef>
#include <memory>
#include <vector>

#include "nn/layers/layer.h"

namespace nntrain::nn {

/// Does layer `at`, with a demand on values, see the model's inputs as they are? Throws InputError when a
/// layer before it may give it others than it takes. After build.
bool asks_the_inputs(const std::vector<std::unique_ptr<Layer>>& layers, std::size_t at);

}  // namespace nntrain::nn

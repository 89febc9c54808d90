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

/// Before build. Is layer `at` the one that takes the model's inputs as text? It is told so. `sees_inputs`:
/// the layers before pass them on; `text`: Input says that they are text. Throws InputError when the layer
/// takes text and is given numbers, or the other way round.
bool takes_text(const std::vector<std::unique_ptr<Layer>>& layers, std::size_t at, bool sees_inputs,
                bool text);

}  // namespace nntrain::nn

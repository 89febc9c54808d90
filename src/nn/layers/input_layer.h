#pragma once
// Where a model's input shape stands: Input(...) of a configuration, or the first layer of a Keras file.

#include <optional>

#include "core/json.h"
#include "core/shape.h"

namespace nntrain::nn {

/// Is it Input(...), InputLayer(...) or their {class_name, config}?
bool is_input(const Json& layer);

/// The sample's shape in a layer's config: batch_input_shape (Keras 2), batch_shape (Keras 3), shape,
/// input_shape or input_dim. Throws InputError for open extents other than the batch.
std::optional<Shape> declared_input_shape(const Json& config);

/// The sample's shape of Input(...) as a user writes it, with the arguments of keras.Input. Throws
/// InputError.
Shape input_layer_shape(const Json& spec);

/// Input(..., dtype="string"): the samples are text. Throws InputError.
bool is_text_input(const Json& spec);

}  // namespace nntrain::nn

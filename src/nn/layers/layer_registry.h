#pragma once
// One line for each layer, and the parameters that many layers share.

#include "nn/activations/activation.h"
#include "nn/layers/layer.h"
#include "nn/variables/parameters.h"

namespace nntrain::nn {

void add_input(Registry<Layer>& registry);
void add_dense(Registry<Layer>& registry);
void add_shape_layers(Registry<Layer>& registry);       // Flatten, Reshape, Permute, RepeatVector, Identity
void add_activation_layers(Registry<Layer>& registry);  // Activation, ReLU, LeakyReLU, ELU, Softmax
void add_prelu(Registry<Layer>& registry);
void add_rescaling(Registry<Layer>& registry);
void add_random_layers(Registry<Layer>& registry);  // Dropout, AlphaDropout, GaussianNoise, GaussianDropout
void add_batch_normalization(Registry<Layer>& registry);
void add_layer_normalization(
    Registry<Layer>& registry);  // LayerNormalization, RMSNormalization, UnitNormalization
void add_normalization(Registry<Layer>& registry);
void add_activity_regularization(Registry<Layer>& registry);
void add_group_normalization(Registry<Layer>& registry);
void add_embedding(Registry<Layer>& registry);
void add_category_layers(Registry<Layer>& registry);  // CategoryEncoding, Discretization, Hashing
void add_integer_lookup(Registry<Layer>& registry);
void add_string_lookup(Registry<Layer>& registry);

/// What Keras has beyond the registry (refusals.cpp).
void refuse_layers(Registry<Layer>& registry);

/// Adds the layer with Keras' trailing arguments: name, trainable, dtype.
void add_layer(Registry<Layer>& registry, Signature signature,
               std::function<std::unique_ptr<Layer>(const Json&)> make);

/// The same for layers of Keras that give integers there: any dtype is taken, for all numbers are float32
/// here.
void add_preprocessing_layer(Registry<Layer>& registry, Signature signature,
                             std::function<std::unique_ptr<Layer>(const Json&)> make);

/// A name, or {class_name, config} where it has arguments: LeakyReLU(0.1).
Parameter activation_parameter();
/// float32 alone, or a policy of that name.
Parameter dtype_parameter();
}  // namespace nntrain::nn

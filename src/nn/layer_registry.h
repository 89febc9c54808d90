#pragma once
// One line for each layer, and the parameters that many layers share.

#include "nntrain/nn/activation.h"
#include "nntrain/nn/constraint.h"
#include "nntrain/nn/initializer.h"
#include "nntrain/nn/layer.h"
#include "nntrain/nn/regularizer.h"

namespace nntrain::nn {

void add_input(Registry<Layer>& registry);
void add_dense(Registry<Layer>& registry);
void add_shape_layers(Registry<Layer>& registry);       // Flatten, Reshape, Permute, RepeatVector, Identity
void add_activation_layers(Registry<Layer>& registry);  // Activation, ReLU, LeakyReLU, ELU, Softmax
void add_prelu(Registry<Layer>& registry);
void add_rescaling(Registry<Layer>& registry);
void add_random_layers(Registry<Layer>& registry);  // Dropout, AlphaDropout, GaussianNoise, GaussianDropout
void add_batch_normalization(Registry<Layer>& registry);
void add_layer_normalization(Registry<Layer>& registry);  // LayerNormalization, RMSNormalization, UnitNormalization
void add_normalization(Registry<Layer>& registry);
void add_activity_regularization(Registry<Layer>& registry);
void add_group_normalization(Registry<Layer>& registry);

// What Keras has beyond the registries (refusals.cpp).
void refuse_layers(Registry<Layer>& registry);
void refuse_activations(Registry<Activation>& registry);
void refuse_initializers(Registry<Initializer>& registry);

/// Adds the layer with Keras' trailing arguments: name, trainable, dtype.
void add_layer(Registry<Layer>& registry, Signature signature, std::function<std::unique_ptr<Layer>(const Json&)> make);

Parameter initializer_parameter(const std::string& name, const std::string& default_value);
Parameter regularizer_parameter(const std::string& name);
Parameter constraint_parameter(const std::string& name);
/// A name, or {class_name, config} where it has arguments: LeakyReLU(0.1).
Parameter activation_parameter();
/// float32 alone, or a policy of that name.
Parameter dtype_parameter();
/// An argument of Keras that has no meaning here: only its default is taken.
Parameter unsupported_parameter(const std::string& name, const Json& only_value = nullptr);

/// Null is what Keras' add_weight makes of None: glorot_uniform.
std::shared_ptr<Initializer> make_initializer(const Json& spec);
std::shared_ptr<Regularizer> make_regularizer(const Json& spec);  ///< null for null
/// For outputs: as make_regularizer, but only penalties that are sums over the elements.
std::shared_ptr<Regularizer> make_activity_regularizer(const Json& spec);
std::shared_ptr<Constraint> make_constraint(const Json& spec);

/// Keras' axis of a layer's input of `rank` axes without the batch: axis counts the batch; negative from the end.
/// Returns 0-based without the batch. Throws InputError.
std::int64_t sample_axis(std::int64_t axis, std::int64_t rank, const std::string& layer);
/// The axis argument, an integer or a list, as sorted sample axes.
std::vector<std::int64_t> sample_axes(const Json& axis, std::int64_t rank, const std::string& layer);

}  // namespace nntrain::nn

#pragma once
// Arguments that many classes of the vocabulary share, and the objects made from them.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nn/variables/constraint.h"
#include "nn/variables/initializer.h"
#include "nn/variables/regularizer.h"

namespace nntrain::nn {

Parameter initializer_parameter(const std::string& name, const std::string& default_value);
Parameter regularizer_parameter(const std::string& name);
Parameter constraint_parameter(const std::string& name);
/// An argument of Keras that has no meaning here: only its default is taken.
Parameter unsupported_parameter(const std::string& name, const Json& only_value = nullptr);

/// Null is what Keras' add_weight makes of None: glorot_uniform.
std::shared_ptr<Initializer> make_initializer(const Json& spec);
std::shared_ptr<Regularizer> make_regularizer(const Json& spec);  ///< null for null
/// For outputs: as make_regularizer, but only penalties that are sums over the elements.
std::shared_ptr<Regularizer> make_activity_regularizer(const Json& spec);
std::shared_ptr<Constraint> make_constraint(const Json& spec);

/// Keras' axis of a layer's input of `rank` axes without the batch: axis counts the batch; negative from the
/// end. Returns 0-based without the batch. Throws InputError.
std::int64_t sample_axis(std::int64_t axis, std::int64_t rank, const std::string& layer);
/// The axis argument, an integer or a list, as sorted sample axes.
std::vector<std::int64_t> sample_axes(const Json& axis, std::int64_t rank, const std::string& layer);

}  // namespace nntrain::nn

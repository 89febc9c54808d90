#pragma once
// Optimizer state in Keras' files: a plain list of arrays, whose order the optimizer's class and arguments
// tell.

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "core/json.h"

namespace nntrain::checkpoint {

/// One variable of a Keras optimizer. `name` as in legacy files ("adam/dense_kernel_momentum"), or "".
struct OptimizerArray {
  std::string name;
  Shape shape;
  std::vector<double> values;
};

/// Takes state out of `arrays`, in Keras' order, for the optimizer {class_name, config} of a file: iteration,
/// slots by our names, scalars. What does not fit leaves the state as new and says why in contents.notes.
/// `contents.weights` must be there, with the trainable ones marked.
void take_optimizer_state(const Json& optimizer, std::vector<OptimizerArray> arrays, Contents& contents);

/// The other way: the variables of the Keras optimizer for the state in `contents`. Empty when Keras has no
/// such optimizer or other state for it.
std::vector<OptimizerArray> keras_optimizer_arrays(const Json& optimizer, const Contents& contents);

}  // namespace nntrain::checkpoint

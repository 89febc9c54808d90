#pragma once
// Between our canonical specs and Keras' training_config (keras/src/legacy/saving/saving_utils.py).

#include <vector>

#include "core/json.h"

namespace nntrain::checkpoint {

/// Keras' training_config, which load_model() compiles the model from. Null when Keras cannot know a name in
/// it (LARS, LAMB, the perceptron loss, our aliases of its hinge forms): the file then loads uncompiled.
Json keras_training_config(const Json& loss, const Json& optimizer, const std::vector<Json>& metrics,
                           const std::vector<Json>& weighted_metrics);

/// The same without arguments that say what goes without saying, some of which older versions of Keras do not
/// know: for files on their way out that were written with them.
Json without_what_goes_without_saying(Json training_config);

/// What a Keras training_config names, as specs for our registries.
struct KerasCompile {
  Json loss;          ///< null: none
  Json loss_weights;  ///< null: none
  Json optimizer;     ///< null: none
  std::vector<Json> metrics, weighted_metrics;
};
KerasCompile compile_from_keras(const Json& training_config);

}  // namespace nntrain::checkpoint

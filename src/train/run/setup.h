#pragma once
// What training, evaluating and predicting have in common: the model from a configuration or a file, the loss
// and the metrics that fit it.

#include <memory>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "comm/session/session.h"
#include "nn/losses/loss.h"
#include "nn/model/sequential.h"
#include "train/config/settings.h"
#include "train/step/scoreboard.h"

namespace nntrain::train {

/// Architecture and, when it comes from a file, weights.
struct ModelSource {
  std::string name;
  std::vector<Json> layers;
  std::vector<std::string> origins;  ///< parallel to layers; may be empty
  Shape input;
  bool has_input = false;
  std::vector<checkpoint::WeightArray> weights;  ///< empty: initial values; filled on rank 0 only
  Json training_config;                          ///< of a Keras file; null: none
};

/// From model.layer or model.from. Collective: rank 0 reads files, all throw or none.
ModelSource read_model_source(comm::Session& session, const ModelSettings& settings);
/// From the contents of a checkpoint or Keras file. Pure.
ModelSource model_source_of(const checkpoint::Contents& contents);
/// Builds it for samples of shape `data_shape`. Throws InputError naming layer and origin.
std::unique_ptr<nn::Sequential> build_model(const ModelSource& source, const Shape& data_shape);

/// Copies weights into the bound variables; throws InputError with Keras' words when they do not fit. Local.
void assign_weights(nn::Sequential& model, const std::vector<checkpoint::WeightArray>& weights,
                    const std::string& where);
/// The variables' values as arrays, in Keras' order. Local.
std::vector<checkpoint::WeightArray> weights_of(const nn::Sequential& model);

/// Loss and metrics compiled for a model.
struct Compiled {
  std::unique_ptr<nn::Loss> loss;
  std::vector<NamedMetric> metrics;
  std::vector<Json> metric_specs, weighted_specs;  ///< canonical, as make_metric resolved them
};
/// Keras' "crossentropy": binary for one output, else categorical, for which class indices become one-hot
/// targets.
void choose_loss(CompileSettings& settings, const Shape& output);
/// Throws InputError when no loss is given.
std::unique_ptr<nn::Loss> make_loss(const CompileSettings& settings);
void make_metrics(const CompileSettings& settings, const Shape& target, const Shape& output,
                  Compiled& compiled);

/// Releases the model's output activation when the loss computes from logits.
void fuse_head(nn::Sequential& model, const nn::Loss& loss);

/// Contents read on rank 0 and given to all ranks, without the weights' values (rank 0 keeps those).
checkpoint::Contents read_contents(comm::Session& session, const std::string& path);

}  // namespace nntrain::train

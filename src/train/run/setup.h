#pragma once
// What training, evaluating and predicting have in common: the model from a configuration or a file, the loss
// and the metrics that fit it.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "comm/session/session.h"
#include "core/text_codes.h"
#include "nn/losses/loss.h"
#include "nn/model/sequential.h"
#include "optim/optimizer.h"
#include "train/config/settings.h"
#include "train/data/target_scale.h"
#include "train/step/scoreboard.h"
#include "train/step/updater.h"

namespace nntrain::train {

/// Where a file's optimizer stands. Slots are filled on rank 0 only.
struct OptimizerState {
  std::string class_name;  ///< "": the file has none
  std::vector<checkpoint::Slot> slots;
  std::vector<double> scalars;  ///< the optimizer's own, then the learning rate
  std::int64_t iteration = 0;
};

/// Architecture and, when it comes from a file, weights.
struct ModelSource {
  std::string name;
  std::vector<Json> layers;
  std::vector<std::string> origins;  ///< parallel to layers; may be empty
  Shape input;
  bool has_input = false;
  std::vector<checkpoint::WeightArray> weights;  ///< filled on rank 0 only
  bool has_weights = false;                      ///< false: initial values
  Json training_config;                          ///< of a Keras file; null: none
  OptimizerState optimizer;
  std::vector<std::string> notes;  ///< what could not be taken from the file
  TargetScale target_scale;        ///< of the training that made the weights
  Json data;                       ///< checkpoint::Contents::data of that training; null: not known
};

/// From model.layer or model.from. Collective: rank 0 reads files, all throw or none.
ModelSource read_model_source(comm::Session& session, const ModelSettings& settings);
/// From the contents of a checkpoint or Keras file. Pure.
ModelSource model_source_of(const checkpoint::Contents& contents);
/// What the model wants of text, see nn::text_demand. Throws InputError naming layer and origin.
std::optional<TextCodes> text_demand(const ModelSource& source);
/// Builds it for samples of shape `data_shape`. Throws InputError naming layer and origin.
std::unique_ptr<nn::Sequential> build_model(const ModelSource& source, const Shape& data_shape);

/// Copies weights into the bound variables; throws InputError with Keras' words when they do not fit. Local.
void assign_weights(nn::Sequential& model, const std::vector<checkpoint::WeightArray>& weights,
                    const std::string& where);
/// The variables' values as arrays, in Keras' order; says in `all_finite`, if given, whether none of them is
/// NaN or infinite. `old`: arrays of this model that are spent, whose memory is taken. Local.
std::vector<checkpoint::WeightArray> weights_of(const nn::Sequential& model, bool* all_finite = nullptr,
                                                std::vector<checkpoint::WeightArray> old = {});

/// Loss and metrics compiled for a model.
struct Compiled {
  std::unique_ptr<nn::Loss> loss;
  std::vector<NamedMetric> metrics;
  std::vector<Json> metric_specs, weighted_specs;  ///< canonical, as make_metric resolved them
};
/// Keras' "crossentropy": binary for one output, else categorical, for which class indices become one-hot
/// targets.
void choose_loss(CompileSettings& settings, const Shape& output);
/// Fills the loss and the metrics that the configuration leaves out with what a file was compiled with.
/// `where` names the file in messages. Throws InputError for what has no counterpart here.
void take_compile(CompileSettings& settings, const Configuration& configuration, const Json& training_config,
                  const std::string& where);
/// The same for the optimizer.
void take_optimizer(CompileSettings& compile, const Configuration& configuration, const Json& training_config,
                    const std::string& where);
/// Gives a fresh optimizer the state of the file that it comes from: slots, scalars, learning rate. Returns
/// the steps that it has done. Collective.
std::int64_t take_optimizer_state(comm::Session& session, const nn::Sequential& model,
                                  const OptimizerState& state, Updater& updater, optim::Optimizer& optimizer);
/// Is the loss of a data set another one when it is cut into other batches? Keras reports the mean of the
/// batches' losses, weighted by rows; a loss that sums, divides by weights of its own or does not split into
/// rows needs the run's own batch size.
bool depends_on_batch(const nn::Loss& loss);
/// Throws InputError when no loss is given.
std::unique_ptr<nn::Loss> make_loss(const CompileSettings& settings);
void make_metrics(const CompileSettings& settings, const Shape& target, const Shape& output,
                  Compiled& compiled);

/// Releases the model's output activation when the loss computes from logits.
void fuse_head(nn::Sequential& model, const nn::Loss& loss);

/// Contents read on rank 0 and given to all ranks, without the weights' values (rank 0 keeps those).
checkpoint::Contents read_contents(comm::Session& session, const std::string& path);
/// The second half of it: rank 0 has read them. Collective.
checkpoint::Contents share_contents(comm::Session& session, checkpoint::Contents contents);

}  // namespace nntrain::train

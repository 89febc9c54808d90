#pragma once
// Keras' Sequential: layers in order, their variables in one flat array, activations in one workspace.

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/shape.h"
#include "nn/layers/layer.h"
#include "nn/variables/gradient_tree.h"
#include "nn/variables/variable.h"

namespace nntrain::nn {

class Sequential {
 public:
  /// `layers`: what Layer registry's make() takes, in order; `Input(shape)` may stand first. `input`: shape
  /// of one sample. Builds every layer; throws InputError naming the layer, with Keras' words.
  Sequential(std::string name, const std::vector<Json>& layers, const Shape& input);
  ~Sequential();
  Sequential(const Sequential&) = delete;
  Sequential& operator=(const Sequential&) = delete;

  const std::string& name() const;
  const Shape& input_shape() const;
  const Shape& output_shape() const;
  const std::vector<std::unique_ptr<Layer>>& layers() const;  ///< without Input
  const Shape& layer_output_shape(int layer) const;

  /// Throws InputError with Keras' words when samples of shape `sample` do not fit; the same number of values
  /// in other axes does. `rows` is what the message shows as the batch; < 0 prints None.
  void check_input(const Shape& sample, std::int64_t rows = -1) const;

  /// The layers that take some values alone (Layer::value_demand) and see the inputs as they are.
  const std::vector<const Layer*>& input_demands() const;

  /// Are the inputs codes of words (core/text_codes.h)?
  bool takes_text() const;

  /// Keras' order: layer by layer, as declared. Trainable ones lie first in the flat array.
  const std::deque<Variable>& variables() const;
  std::deque<Variable>& variables();
  std::int64_t trainable_floats() const;  ///< extent of the gradients and of the optimizer's slots
  std::int64_t total_floats() const;      ///< extent of the values, padding included
  std::int64_t parameter_count() const;   ///< Keras' count_params, trainable and not
  std::int64_t trainable_count() const;

  /// Points every variable into `values` (total_floats()), which outlives the model.
  void bind(std::span<float> values);
  /// Writes initial values; needs bind(). Local; equal on every rank.
  void initialize(std::uint64_t seed);

  /// Takes the output activation off the last layer (see Layer::release_activation).
  Head release_head();
  /// The head taken off, kNone before.
  Head head() const;

  /// What backward leaves in the workspace: with kGradients every layer's dy keeps memory of its own, so that
  /// products with it can be deferred.
  enum class Keep { kNothing, kGradients };
  /// Plans the workspace (input, activations, gradients) for up to `rows` rows of this replica and takes
  /// memory for it; again with more rows grows it.
  void prepare(std::int64_t rows, Mode mode, Keep keep = Keep::kNothing);
  std::int64_t workspace_floats() const;
  /// Moves the workspace into memory of the caller's (workspace_floats(), 64-byte aligned), which outlives
  /// the model or the next prepare(). Places of arrays in it depend on the model and on prepare()'s arguments
  /// only.
  void place_workspace(std::span<float> memory);
  std::span<float> workspace();

  float* input();            ///< (rows, input.size()): the place of x
  float* output_gradient();  ///< (rows, output.size()): the place of d_logits; training only

  /// x (context.rows, input.size()), input() or the caller's, unchanged until backward is done. Returns the
  /// logits (rows, output.size()), valid until the next call.
  float* forward(const BatchContext& context, const float* x);
  /// d_logits (rows, output.size()) is overwritten. After forward in training mode.
  void backward(const BatchContext& context, float* d_logits, GradientTree& gradients);

  /// Called around each layer when set: (layer index, phase 'F' or 'B', start or end).
  std::function<void(int layer, char phase, bool begins)> on_layer;

  /// Inside on_layer(layer, 'F', false): what the layer has just written (rows, its output.size()).
  const float* layer_output(int layer) const;

  /// Called by forward() before a layer that has trainable variables, when set: trainable values below `end`
  /// of the flat array are about to be read. When forward() returns it has been called for all of them.
  std::function<void(std::int64_t end)> on_values_needed;

  /// Sum of the penalties of all trainable variables, in a fixed order.
  double regularization_loss() const;

  /// Multiply-adds x 2 of one sample: forward, and forward + backward.
  double forward_flops() const;
  double training_flops() const;

  /// Keras' get_config(): {"class_name":"Sequential","config":{...}} as keras_facts 2b, so that Keras 2 and
  /// 3 both read it.
  Json config() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
};

/// kAll: also each layer's activation and whether it is trained.
enum class SummaryColumns { kKeras, kAll };
/// Keras' table: `Model: "sequential"`, columns "Layer (type)", "Output Shape", "Param #", totals with sizes.
std::string summary_table(const Sequential& model, SummaryColumns columns = SummaryColumns::kKeras);

/// Keras' count_params() of one layer.
std::int64_t layer_parameters(const Sequential& model, int layer);

/// What is allowed and hardly meant, in Keras' words: a softmax over one value.
std::vector<std::string> model_notes(const Sequential& model);

/// Layer specs and input shape from Keras' model_config JSON (any of the spellings of keras_facts 2b).
struct Architecture {
  std::string name;
  std::vector<Json> layers;
  Shape input;
  bool has_input = false;
};
/// Throws InputError with what is not supported and where.
Architecture architecture_from_keras(const Json& model_config);

}  // namespace nntrain::nn

#include "nn/model/sequential.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "core/error.h"
#include "nn/layers/input_layer.h"
#include "nn/layers/layer_error.h"
#include "nn/model/value_check.h"

namespace nntrain::nn {

namespace {

constexpr std::int64_t kAlignFloats = 16;  // 64 bytes, a cache line
// A configuration is untrusted: beyond these no machine of ours could go on.
constexpr std::int64_t kMostSampleFloats = std::int64_t{1} << 28;  // 1 GiB a row
constexpr std::int64_t kMostModelFloats = std::int64_t{1} << 42;

/// Keras' to_snake_case: "BatchNormalization" -> "batch_normalization", "ReLU" -> "re_lu".
std::string snake_case(const std::string& name) {
  const auto upper = [](char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; };
  std::string snake;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool starts_word =
        i > 0 && upper(name[i]) &&
        (!upper(name[i - 1]) ||
         (i + 1 < name.size() && std::islower(static_cast<unsigned char>(name[i + 1])) != 0));
    if (starts_word) snake += '_';
    snake += static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
  }
  return snake;
}

}  // namespace

struct Sequential::Implementation : VariableBuilder {
  std::string name;
  Shape input;
  std::vector<std::unique_ptr<Layer>> layers;
  std::vector<Shape> outputs;
  std::vector<const Layer*> input_demands;
  std::deque<Variable> variables;
  std::vector<int> layer_of;  ///< the layer of each variable
  std::int64_t trainable_floats = 0, total_floats = 0;
  std::vector<std::int64_t>
      values_end;  ///< per layer: where its trainable variables end in the flat array; 0: none
  bool text_input = false, takes_text = false;
  Head head = Head::kNone;
  Layer* building = nullptr;

  // The workspace: one piece of memory, arrays by their offsets. Layer i reads inputs[i] and writes
  // outputs_at[i]; both are set by each forward pass.
  std::vector<float> own_memory;
  std::span<float> memory;
  std::int64_t workspace_floats = 0;
  std::int64_t output_gradient = 0;
  std::vector<std::int64_t> output_of;    // of layer i; -1: works in place or is a view
  std::vector<std::int64_t> gradient_of;  // where layer i writes dx; -1: in place, a view, or not wanted
  std::vector<float*> inputs, outputs_at;
  Keep keep = Keep::kNothing;
  int first_with_variables = 0;  ///< layers before it need no backward pass
  bool prepared = false;
  std::int64_t rows = 0;
  Mode mode = Mode::kInference;

  Variable* add(const std::string& variable, Shape shape, bool trainable,
                std::shared_ptr<Initializer> initializer, std::shared_ptr<Regularizer> regularizer,
                std::shared_ptr<Constraint> constraint) override {
    const std::string where = "layer \"" + building->name() + "\", " + variable + ": ";
    check_rank(where, shape, regularizer.get(), constraint.get());
    if (shape.size() > kMostModelFloats)
      throw InputError(where + "the shape " + shape.to_string() + " is too large");
    variables.push_back({});
    Variable& made = variables.back();
    made.layer = building->name();
    made.name = variable;
    made.shape = std::move(shape);
    made.trainable = trainable && building->trainable();
    made.initializer = std::move(initializer);
    made.regularizer = std::move(regularizer);
    made.constraint = std::move(constraint);
    made.index = static_cast<int>(variables.size()) - 1;
    layer_of.push_back(building->index());
    return &made;
  }

  static void check_rank(const std::string& where, const Shape& shape, Regularizer* regularizer,
                         Constraint* constraint);
  void check_sample(const std::string& what, const Shape& shape) const;
  /// `first`: place of layers[0] among the layers as given.
  void name_layers(std::size_t first);
  void add(const Json& spec, std::size_t place);
  void lay_out();
  std::int64_t take(std::int64_t floats);
  void place_outputs();
  void place_gradients();
};

/// Some suit matrices alone; tried here on one element, so that no step meets the error.
void Sequential::Implementation::check_rank(const std::string& where, const Shape& shape,
                                            Regularizer* regularizer, Constraint* constraint) {
  const Shape one(std::vector<std::int64_t>(static_cast<std::size_t>(shape.rank()), 1));
  float value = 1;
  try {
    if (regularizer != nullptr) (void)regularizer->loss(one, {&value, 1});
    if (constraint != nullptr) constraint->apply(one, {&value, 1});
  } catch (const InputError& error) {
    throw InputError(where + error.what());
  }
}

void Sequential::Implementation::check_sample(const std::string& what, const Shape& shape) const {
  for (const std::int64_t extent : shape.extents()) {
    if (extent < 1)
      throw InputError(what + " has shape " + shape.with_batch() + ", with an extent that is not positive");
  }
  if (shape.size() > kMostSampleFloats) {
    throw InputError(what + " has shape " + shape.with_batch() + ": more than " +
                     std::to_string(kMostSampleFloats) + " values a row");
  }
}

/// work(), with its InputError blamed on layer `index`.
template <class Work>
void blame_layer(std::size_t index, Work&& work) {
  try {
    work();
  } catch (const InputError& error) {
    throw LayerError(index, error.what());
  }
}

void Sequential::Implementation::add(const Json& spec, std::size_t place) {
  if (is_input(spec)) {
    if (place != 0)
      throw InputError("Input must be the first layer, here it is number " + std::to_string(place + 1));
    input = input_layer_shape(spec);
    text_input = is_text_input(spec);
    return;
  }
  layers.push_back(nn::layers().make(spec));
  layers.back()->set_index(static_cast<int>(layers.size()) - 1);
}

void Sequential::Implementation::name_layers(std::size_t first) {
  std::map<std::string, int> taken;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto& layer = layers[i];
    if (!layer->name().empty() && ++taken[layer->name()] > 1) {
      throw LayerError(
          first + i,
          "All layers added to a Sequential model should have unique names. Name '" + layer->name() +
              "' is already the name of a layer in this model. Update the `name` argument to pass a "
              "unique name.");
    }
    if (layer->name().find('/') != std::string::npos)
      throw LayerError(first + i, "the layer name \"" + layer->name() + "\" contains a \"/\"");
  }
  std::map<std::string, int> counts;
  for (const auto& layer : layers) {
    if (!layer->name().empty()) continue;
    const std::string base = snake_case(layer->spec()["class_name"].get<std::string>());
    std::string candidate;
    do {
      const int k = counts[base]++;
      candidate = k == 0 ? base : base + "_" + std::to_string(k);
    } while (taken.count(candidate) != 0);
    taken[candidate] = 1;
    layer->set_name(candidate);
  }
}

/// Trainable variables first: gradients and slots are as long as they are.
void Sequential::Implementation::lay_out() {
  std::int64_t offset = 0;
  for (const bool trainable : {true, false}) {
    for (Variable& variable : variables) {
      if (variable.trainable != trainable) continue;
      variable.offset = offset;
      offset += (variable.size() + kAlignFloats - 1) / kAlignFloats * kAlignFloats;
      if (offset > kMostModelFloats) throw InputError("the model \"" + name + "\" has too many parameters");
    }
    if (trainable) trainable_floats = offset;
  }
  total_floats = offset;
  values_end.assign(layers.size(), 0);
  first_with_variables = static_cast<int>(layers.size());
  for (const Variable& variable : variables) {
    if (!variable.trainable) continue;
    const auto layer = static_cast<std::size_t>(layer_of[static_cast<std::size_t>(variable.index)]);
    values_end[layer] = std::max(values_end[layer], variable.offset + variable.size());
    first_with_variables = std::min(first_with_variables, static_cast<int>(layer));
  }
}

Sequential::Sequential(std::string name, const std::vector<Json>& specs, const Shape& input)
    : impl_(std::make_unique<Implementation>()) {
  impl_->name = std::move(name);
  impl_->input = input;
  for (std::size_t i = 0; i < specs.size(); ++i) blame_layer(i, [&] { impl_->add(specs[i], i); });
  if (impl_->layers.empty()) throw InputError("the model \"" + impl_->name + "\" has no layers");
  const std::size_t first = specs.size() - impl_->layers.size();  // 1 behind an Input
  impl_->name_layers(first);
  Shape shape = impl_->input;
  bool sees_inputs = true;
  blame_layer(0, [&] { impl_->check_sample("the input", shape); });
  for (std::size_t i = 0; i < impl_->layers.size(); ++i) {
    Layer& layer = *impl_->layers[i];
    blame_layer(first + i, [&] {
      impl_->building = &layer;
      impl_->takes_text |= nn::takes_text(impl_->layers, i, sees_inputs, impl_->text_input);
      sees_inputs = sees_inputs && layer.keeps_values();
      shape = layer.build(shape, *impl_);
      impl_->check_sample("the output of layer \"" + layer.name() + "\"", shape);
      impl_->outputs.push_back(shape);
      if (asks_the_inputs(impl_->layers, i)) impl_->input_demands.push_back(&layer);
    });
  }
  impl_->lay_out();
}

Sequential::~Sequential() = default;

const std::string& Sequential::name() const { return impl_->name; }
const Shape& Sequential::input_shape() const { return impl_->input; }
bool Sequential::takes_text() const { return impl_->takes_text; }
const Shape& Sequential::output_shape() const { return impl_->outputs.back(); }
const std::vector<std::unique_ptr<Layer>>& Sequential::layers() const { return impl_->layers; }
const Shape& Sequential::layer_output_shape(int layer) const {
  return impl_->outputs[static_cast<std::size_t>(layer)];
}
const std::deque<Variable>& Sequential::variables() const { return impl_->variables; }
std::deque<Variable>& Sequential::variables() { return impl_->variables; }
const std::vector<const Layer*>& Sequential::input_demands() const { return impl_->input_demands; }
std::int64_t Sequential::trainable_floats() const { return impl_->trainable_floats; }
std::int64_t Sequential::total_floats() const { return impl_->total_floats; }
Head Sequential::head() const { return impl_->head; }

void Sequential::bind(std::span<float> values) {
  for (Variable& variable : impl_->variables) variable.values = values.data() + variable.offset;
}

void Sequential::initialize(std::uint64_t seed) {
  for (Variable& variable : impl_->variables) {
    try {
      variable.initializer->fill(variable.shape, seed, static_cast<std::uint32_t>(variable.index),
                                 {variable.values, static_cast<std::size_t>(variable.size())});
    } catch (const InputError& error) {
      throw InputError("layer \"" + variable.layer + "\", " + variable.name + ": " + error.what());
    }
  }
}

Head Sequential::release_head() {
  impl_->head = impl_->layers.back()->release_activation();
  return impl_->head;
}

/// Room for an array in the workspace.
std::int64_t Sequential::Implementation::take(std::int64_t floats) {
  const std::int64_t offset = workspace_floats;
  workspace_floats += (floats + kAlignFloats - 1) / kAlignFloats * kAlignFloats;
  return offset;
}

/// A layer may overwrite its input unless the layer that wrote it reads its output in backward, or the input
/// is the caller's.
void Sequential::Implementation::place_outputs() {
  output_of.assign(layers.size(), -1);
  std::int64_t widest = 0;
  for (const Shape& output : outputs) widest = std::max(widest, output.size());
  const bool training = mode == Mode::kTraining;
  std::int64_t spare[2] = {0, 0};  // inference: two arrays in turn
  if (!training) {
    for (std::int64_t& offset : spare) offset = take(rows * widest);
  }
  int turn = 0;
  bool input_is_free = false;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i]->is_view()) continue;
    if (!(layers[i]->in_place() && input_is_free)) {
      output_of[i] = training ? take(rows * outputs[i].size()) : spare[turn];
      turn = 1 - turn;
    }
    input_is_free = !training || !layers[i]->backward_reads_output();
  }
}

void Sequential::Implementation::place_gradients() {
  gradient_of.assign(layers.size(), -1);
  output_gradient = take(rows * outputs.back().size());
  std::int64_t widest = 0;
  for (const Shape& output : outputs) widest = std::max(widest, output.size());
  const bool keeps = keep == Keep::kGradients;
  std::int64_t spare[2] = {0, 0};
  if (!keeps) {
    for (std::int64_t& offset : spare) offset = take(rows * widest);
  }
  int turn = 0;
  for (auto i = static_cast<int>(layers.size()) - 1; i > first_with_variables; --i) {
    const auto at = static_cast<std::size_t>(i);
    if (layers[at]->is_view() || layers[at]->in_place()) continue;
    gradient_of[at] = keeps ? take(rows * outputs[at - 1].size()) : spare[turn];
    turn = 1 - turn;
  }
}

void Sequential::prepare(std::int64_t rows, Mode mode, Keep keep) {
  Implementation& my = *impl_;
  // What serves training serves inference too.
  const bool training = mode == Mode::kTraining || my.mode == Mode::kTraining;
  mode = training ? Mode::kTraining : Mode::kInference;
  if (my.prepared && rows <= my.rows && mode == my.mode && keep == my.keep) return;
  // Others read the workspace where it was placed: it cannot move or grow any more.
  if (my.prepared && my.own_memory.empty() && !my.memory.empty())
    throw RuntimeError("internal: the workspace of " + std::to_string(my.rows) + " rows was placed, " +
                       std::to_string(rows) + " are asked for");
  my.prepared = true;
  my.rows = std::max(rows, my.rows);
  my.mode = mode;
  my.keep = keep;
  for (const auto& layer : my.layers) layer->prepare(my.rows, mode);
  my.inputs.assign(my.layers.size(), nullptr);
  my.outputs_at.assign(my.layers.size(), nullptr);
  my.workspace_floats = 0;
  my.take(my.rows * my.input.size());
  my.place_outputs();
  if (training) my.place_gradients();
  my.own_memory.assign(static_cast<std::size_t>(my.workspace_floats), 0.0F);
  my.memory = my.own_memory;
}

std::int64_t Sequential::workspace_floats() const { return impl_->workspace_floats; }

void Sequential::place_workspace(std::span<float> memory) {
  impl_->memory = memory.first(static_cast<std::size_t>(impl_->workspace_floats));
  impl_->own_memory = {};
}

std::span<float> Sequential::workspace() { return impl_->memory; }
float* Sequential::input() { return impl_->memory.data(); }
float* Sequential::output_gradient() { return impl_->memory.data() + impl_->output_gradient; }

const float* Sequential::layer_output(int layer) const {
  return impl_->outputs_at[static_cast<std::size_t>(layer)];
}

float* Sequential::forward(const BatchContext& context, const float* x) {
  Implementation& my = *impl_;
  auto* current = const_cast<float*>(x);  // never written: the first in-place layer has a buffer of its own
  for (std::size_t i = 0; i < my.layers.size(); ++i) {
    Layer& layer = *my.layers[i];
    my.inputs[i] = current;
    if (!layer.is_view()) {
      float* output = my.output_of[i] < 0 ? current : my.memory.data() + my.output_of[i];
      if (on_values_needed && my.values_end[i] > 0) on_values_needed(my.values_end[i]);
      if (on_layer) on_layer(static_cast<int>(i), 'F', true);
      layer.forward(context, current, output);
      my.outputs_at[i] = output;
      if (on_layer) on_layer(static_cast<int>(i), 'F', false);
      current = output;
    }
    my.outputs_at[i] = current;
  }
  return current;
}

void Sequential::backward(const BatchContext& context, float* d_logits, GradientTree& gradients) {
  Implementation& my = *impl_;
  float* dy = d_logits;
  for (auto i = static_cast<int>(my.layers.size()) - 1; i >= my.first_with_variables; --i) {
    const auto at = static_cast<std::size_t>(i);
    Layer& layer = *my.layers[at];
    if (layer.is_view()) continue;
    float* dx = nullptr;
    if (i > my.first_with_variables) {
      dx = layer.in_place() ? dy : my.memory.data() + my.gradient_of[at];
    }
    if (on_layer) on_layer(i, 'B', true);
    layer.backward(context, my.inputs[at], my.outputs_at[at], dy, dx, gradients);
    if (on_layer) on_layer(i, 'B', false);
    dy = dx;
  }
}

double Sequential::training_flops() const {
  double flops = 0;
  for (std::size_t i = 0; i < impl_->layers.size(); ++i) {
    const int passes = static_cast<int>(i) > impl_->first_with_variables ? 3 : 2;  // the first has no dx
    flops += passes * impl_->layers[i]->forward_flops();
  }
  return flops;
}

}  // namespace nntrain::nn

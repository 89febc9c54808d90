#include "nntrain/nn/sequential.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "nn/input_layer.h"
#include "nntrain/core/error.h"

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
    const bool starts_word = i > 0 && upper(name[i]) &&
                             (!upper(name[i - 1]) || (i + 1 < name.size() && std::islower(static_cast<unsigned char>(name[i + 1])) != 0));
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
  std::deque<Variable> variables;
  std::int64_t trainable_floats = 0, total_floats = 0;
  Head head = Head::kNone;
  Layer* building = nullptr;

  // The workspace. Layer i reads inputs[i] and writes outputs_at[i]; both are set by each forward pass.
  std::vector<std::vector<float>> buffers;   // one for each layer that needs its own output array
  std::vector<int> buffer_of;                // of layer i; -1: works in place or is a view
  std::vector<float*> inputs, outputs_at;
  std::vector<float> gradients[2];
  int first_with_variables = 0;  ///< layers before it need no backward pass
  bool prepared = false;
  std::int64_t rows = 0;
  Mode mode = Mode::kInference;

  Variable* add(const std::string& variable, Shape shape, bool trainable, std::shared_ptr<Initializer> initializer,
                std::shared_ptr<Regularizer> regularizer, std::shared_ptr<Constraint> constraint) override {
    const std::string where = "layer \"" + building->name() + "\", " + variable + ": ";
    check_rank(where, shape, regularizer.get(), constraint.get());
    if (shape.size() > kMostModelFloats) throw InputError(where + "the shape " + shape.to_string() + " is too large");
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
    return &made;
  }

  static void check_rank(const std::string& where, const Shape& shape, const Regularizer* regularizer, const Constraint* constraint);
  void check_sample(const std::string& what, const Shape& shape) const;
  void name_layers();
  void lay_out();
};

/// Some suit matrices alone; tried here on one element, so that no step meets the error.
void Sequential::Implementation::check_rank(const std::string& where, const Shape& shape, const Regularizer* regularizer,
                                            const Constraint* constraint) {
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
    if (extent < 1) throw InputError(what + " has shape " + shape.with_batch() + ", with an extent that is not positive");
  }
  if (shape.size() > kMostSampleFloats) {
    throw InputError(what + " has shape " + shape.with_batch() + ": more than " + std::to_string(kMostSampleFloats) + " values a row");
  }
}

void Sequential::Implementation::name_layers() {
  std::map<std::string, int> taken;
  for (const auto& layer : layers) {
    if (!layer->name().empty() && ++taken[layer->name()] > 1) {
      throw InputError("All layers added to a Sequential model should have unique names. Name '" + layer->name() +
                       "' is already the name of a layer in this model. Update the `name` argument to pass a unique name.");
    }
    if (layer->name().find('/') != std::string::npos) throw InputError("the layer name \"" + layer->name() + "\" contains a \"/\"");
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
  first_with_variables = static_cast<int>(layers.size());
  for (std::size_t i = layers.size(); i-- > 0;) {
    for (const Variable& variable : variables) {
      if (variable.trainable && variable.layer == layers[i]->name()) first_with_variables = static_cast<int>(i);
    }
  }
}

Sequential::Sequential(std::string name, const std::vector<Json>& specs, const Shape& input)
    : impl_(std::make_unique<Implementation>()) {
  impl_->name = std::move(name);
  impl_->input = input;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (is_input(specs[i])) {
      if (i != 0) throw InputError("Input must be the first layer, here it is number " + std::to_string(i + 1));
      impl_->input = input_layer_shape(specs[i]);
      continue;
    }
    impl_->layers.push_back(nn::layers().make(specs[i]));
    impl_->layers.back()->set_index(static_cast<int>(impl_->layers.size()) - 1);
  }
  if (impl_->layers.empty()) throw InputError("the model \"" + impl_->name + "\" has no layers");
  impl_->name_layers();
  Shape shape = impl_->input;
  impl_->check_sample("the input", shape);
  for (const auto& layer : impl_->layers) {
    impl_->building = layer.get();
    shape = layer->build(shape, *impl_);
    impl_->check_sample("the output of layer \"" + layer->name() + "\"", shape);
    impl_->outputs.push_back(shape);
  }
  impl_->lay_out();
}

Sequential::~Sequential() = default;

const std::string& Sequential::name() const { return impl_->name; }
const Shape& Sequential::input_shape() const { return impl_->input; }
const Shape& Sequential::output_shape() const { return impl_->outputs.back(); }
const std::vector<std::unique_ptr<Layer>>& Sequential::layers() const { return impl_->layers; }
const Shape& Sequential::layer_output_shape(int layer) const { return impl_->outputs[static_cast<std::size_t>(layer)]; }
const std::deque<Variable>& Sequential::variables() const { return impl_->variables; }
std::deque<Variable>& Sequential::variables() { return impl_->variables; }
std::int64_t Sequential::trainable_floats() const { return impl_->trainable_floats; }
std::int64_t Sequential::total_floats() const { return impl_->total_floats; }
Head Sequential::head() const { return impl_->head; }

std::int64_t Sequential::parameter_count() const {
  std::int64_t count = 0;
  for (const Variable& variable : impl_->variables) count += variable.size();
  return count;
}

std::int64_t Sequential::trainable_count() const {
  std::int64_t count = 0;
  for (const Variable& variable : impl_->variables) count += variable.trainable ? variable.size() : 0;
  return count;
}

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

void Sequential::prepare(std::int64_t rows, Mode mode) {
  Implementation& my = *impl_;
  // What serves training serves inference too.
  const bool training = mode == Mode::kTraining || my.mode == Mode::kTraining;
  mode = training ? Mode::kTraining : Mode::kInference;
  if (my.prepared && rows <= my.rows && mode == my.mode) return;
  my.prepared = true;
  my.rows = std::max(rows, my.rows);
  my.mode = mode;
  my.buffers.clear();
  my.buffer_of.assign(my.layers.size(), -1);
  my.inputs.assign(my.layers.size(), nullptr);
  my.outputs_at.assign(my.layers.size(), nullptr);
  std::int64_t widest = my.input.size();
  int spare[2] = {-1, -1};  // inference: two buffers in turn
  int turn = 0;
  // A layer may overwrite its input unless the layer that wrote it reads its output in backward, or the input is
  // the caller's.
  bool input_is_free = false;
  for (std::size_t i = 0; i < my.layers.size(); ++i) {
    Layer& layer = *my.layers[i];
    layer.prepare(my.rows, mode);
    widest = std::max(widest, my.outputs[i].size());
    if (layer.is_view()) continue;
    const bool in_place = layer.in_place() && input_is_free;
    if (!in_place) {
      const auto floats = static_cast<std::size_t>(my.rows * my.outputs[i].size());
      if (training || spare[turn] < 0) {
        my.buffers.emplace_back(floats);
        my.buffer_of[i] = static_cast<int>(my.buffers.size()) - 1;
        if (!training) spare[turn] = my.buffer_of[i];
      } else {
        my.buffer_of[i] = spare[turn];
        std::vector<float>& reused = my.buffers[static_cast<std::size_t>(spare[turn])];
        if (reused.size() < floats) reused.resize(floats);
      }
      turn = 1 - turn;
    }
    input_is_free = !training || !layer.backward_reads_output();
  }
  if (training) {
    for (auto& buffer : my.gradients) buffer.resize(static_cast<std::size_t>(my.rows * widest));
  }
}

std::int64_t Sequential::workspace_bytes() const {
  std::size_t floats = impl_->gradients[0].size() + impl_->gradients[1].size();
  for (const auto& buffer : impl_->buffers) floats += buffer.size();
  return static_cast<std::int64_t>(floats * sizeof(float));
}

float* Sequential::forward(const BatchContext& context, const float* x) {
  Implementation& my = *impl_;
  auto* current = const_cast<float*>(x);  // never written: the first in-place layer has a buffer of its own
  for (std::size_t i = 0; i < my.layers.size(); ++i) {
    Layer& layer = *my.layers[i];
    my.inputs[i] = current;
    if (!layer.is_view()) {
      float* output = my.buffer_of[i] < 0 ? current : my.buffers[static_cast<std::size_t>(my.buffer_of[i])].data();
      if (on_layer) on_layer(static_cast<int>(i), 'F', true);
      layer.forward(context, current, output);
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
  int turn = 0;
  for (auto i = static_cast<int>(my.layers.size()) - 1; i >= my.first_with_variables; --i) {
    const auto at = static_cast<std::size_t>(i);
    Layer& layer = *my.layers[at];
    if (layer.is_view()) continue;
    float* dx = nullptr;
    if (i > my.first_with_variables) {
      dx = layer.in_place() ? dy : my.gradients[turn].data();
      if (!layer.in_place()) turn = 1 - turn;
    }
    if (on_layer) on_layer(i, 'B', true);
    layer.backward(context, my.inputs[at], my.outputs_at[at], dy, dx, gradients);
    if (on_layer) on_layer(i, 'B', false);
    dy = dx;
  }
}

double Sequential::regularization_loss() const {
  double sum = 0;
  for (const Variable& variable : impl_->variables) {
    if (!variable.regularizer || !variable.trainable) continue;
    sum += variable.regularizer->loss(variable.shape, {variable.values, static_cast<std::size_t>(variable.size())});
  }
  return sum;
}

double Sequential::forward_flops() const {
  double flops = 0;
  for (const auto& layer : impl_->layers) flops += layer->forward_flops();
  return flops;
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

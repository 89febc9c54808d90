// Activation, ReLU, LeakyReLU, ELU and Softmax as layers (keras/src/layers/activations).

#include <algorithm>

#include "nn/activations/activation.h"
#include "nn/activations/row_activations.h"
#include "nn/layers/layer_registry.h"
#include "nn/variables/axis_groups.h"

namespace nntrain::nn {

namespace {

class ActivationLayer : public Layer {
 public:
  explicit ActivationLayer(const Json& activation)
      : head_(head_of(activation)), activation_(activations().make(activation)) {}

  Shape build(const Shape& input, VariableBuilder&) override {
    columns_ = input.last();
    rows_per_sample_ = input.leading();
    std::vector<std::int64_t> extents = input.extents();
    if (!extents.empty()) extents.back() = activation_->output_columns(columns_);
    return Shape(extents);
  }
  bool backward_reads_input() const override { return activation_->needs() == Activation::Needs::kInput; }
  bool in_place() const override { return !backward_reads_input(); }

  void forward(const BatchContext& context, const float* x, float* y) override {
    // The input is not written: no bias is given.
    activation_->forward(context.rows * rows_per_sample_, columns_, const_cast<float*>(x), nullptr, y);
  }
  void backward(const BatchContext& context, const float* x, const float* y, float* dy, float* dx,
                GradientTree&) override {
    if (dx != nullptr) activation_->backward(context.rows * rows_per_sample_, columns_, x, y, dy, dx);
  }
  Head release_activation() override {
    if (head_ != Head::kNone) activation_ = activations().make("linear");
    return head_;
  }
  Head output_head() const override { return head_; }

 private:
  Head head_;
  std::unique_ptr<Activation> activation_;
  std::int64_t columns_ = 0, rows_per_sample_ = 1;
};

class SoftmaxLayer : public Layer {
 public:
  explicit SoftmaxLayer(const Json& config) : axis_(config["axis"]) {}

  Shape build(const Shape& input, VariableBuilder&) override {
    size_ = input.size();
    groups_ = AxisGroups(input, sample_axes(axis_, input.rank(), name()));
    if (!groups_.contiguous) {
      for (auto* row : {&first_, &second_}) row->resize(static_cast<std::size_t>(groups_.width));
    }
    return input;
  }
  bool backward_reads_input() const override { return false; }
  bool in_place() const override { return true; }
  Head output_head() const override { return axis_ == -1 ? Head::kSoftmax : Head::kNone; }

  void forward(const BatchContext& context, const float* x, float* y) override {
    if (groups_.contiguous) {
      softmax_rows(context.rows * groups_.count, groups_.width, x, y);
      return;
    }
    for (std::int64_t base = 0; base < context.rows * size_; base += size_) {
      for (std::int64_t g = 0; g < groups_.count; ++g) {
        groups_.gather(x + base, g, first_.data());
        softmax_rows(1, groups_.width, first_.data(), first_.data());
        groups_.scatter(first_.data(), g, y + base);
      }
    }
  }
  void backward(const BatchContext& context, const float*, const float* y, float* dy, float* dx,
                GradientTree&) override {
    if (dx == nullptr) return;
    if (groups_.contiguous) {
      softmax_rows_backward(context.rows * groups_.count, groups_.width, y, dy, dx);
      return;
    }
    for (std::int64_t base = 0; base < context.rows * size_; base += size_) {
      for (std::int64_t g = 0; g < groups_.count; ++g) {
        groups_.gather(y + base, g, first_.data());
        groups_.gather(dy + base, g, second_.data());
        softmax_rows_backward(1, groups_.width, first_.data(), second_.data(), second_.data());
        groups_.scatter(second_.data(), g, dx + base);
      }
    }
  }

 private:
  Json axis_;
  AxisGroups groups_;
  std::int64_t size_ = 0;
  std::vector<float> first_, second_;  // (width) of one group, when it is scattered
};

/// A layer that is an activation of the same name and arguments.
void add_function_layer(Registry<Layer>& registry, const std::string& class_name, const std::string& alias) {
  for (const Signature* activation : activations().signatures()) {
    if (activation->class_name != class_name) continue;
    Signature signature = *activation;
    signature.aliases = {alias};
    add_layer(registry, std::move(signature), [class_name](const Json& config) {
      Json own = config;
      for (const char* key : {"name", "trainable", "dtype"}) own.erase(key);
      return std::make_unique<ActivationLayer>(Json{{"class_name", class_name}, {"config", own}});
    });
  }
}

}  // namespace

void add_activation_layers(Registry<Layer>& registry) {
  Parameter activation = activation_parameter();
  activation.required = true;
  add_layer(registry, {"Activation", {}, {activation}, "an activation as a layer (keras.layers.Activation)"},
            [](const Json& config) { return std::make_unique<ActivationLayer>(config["activation"]); });
  add_function_layer(registry, "ReLU", "re_lu");
  add_function_layer(registry, "LeakyReLU", "leaky_re_lu");
  add_function_layer(registry, "ELU", "elu");
  add_layer(registry,
            {"Softmax",
             {"softmax"},
             {{"axis", Kind::kAny, -1}},
             "e^x / sum e^x along one axis or a list of axes (keras.layers.Softmax)"},
            [](const Json& config) { return std::make_unique<SoftmaxLayer>(config); });
}

}  // namespace nntrain::nn

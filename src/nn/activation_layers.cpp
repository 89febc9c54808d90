// Activation, ReLU, LeakyReLU, ELU and Softmax as layers (keras/src/layers/activations).

#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/layer_registry.h"
#include "nn/row_activations.h"
#include "nn/vector_math.h"
#include "nntrain/nn/activation.h"

namespace nntrain::nn {

namespace {

class ActivationLayer : public Layer {
 public:
  explicit ActivationLayer(const Json& config)
      : name_of_(config["activation"].is_string() ? config["activation"].get<std::string>() : "linear"),
        activation_(activations().make(name_of_)) {}

  Shape build(const Shape& input, VariableBuilder&) override {
    columns_ = input.last();
    rows_per_sample_ = input.leading();
    return input;
  }
  bool backward_reads_input() const override { return activation_->needs() == Activation::Needs::kInput; }

  void forward(const BatchContext& context, const float* x, float* y) override {
    // The input is not written: no bias is given.
    activation_->forward(context.rows * rows_per_sample_, columns_, const_cast<float*>(x), nullptr, y);
  }
  void backward(const BatchContext& context, const float* x, const float* y, float* dy, float* dx, GradientTree&) override {
    if (dx != nullptr) activation_->backward(context.rows * rows_per_sample_, columns_, x, y, dy, dx);
  }
  Head release_activation() override {
    const Head head = name_of_ == "softmax" ? Head::kSoftmax : name_of_ == "sigmoid" ? Head::kSigmoid : Head::kNone;
    if (head != Head::kNone) activation_ = activations().make("linear");
    return head;
  }

 private:
  std::string name_of_;
  std::unique_ptr<Activation> activation_;
  std::int64_t columns_ = 0, rows_per_sample_ = 1;
};

/// max_value and threshold as keras.activations.relu; LeakyReLU is the one without them.
class ReluLayer : public Layer {
 public:
  ReluLayer(float slope, float max_value, float threshold) : slope_(slope), max_(max_value), threshold_(threshold) {}

  Shape build(const Shape& input, VariableBuilder&) override {
    size_ = input.size();
    return input;
  }
  bool backward_reads_output() const override { return false; }
  void forward(const BatchContext& context, const float* x, float* y) override {
    for (std::int64_t i = 0; i < context.rows * size_; ++i) {
      const float v = x[i];
      y[i] = v >= max_ ? max_ : (v >= threshold_ ? v : slope_ * (v - threshold_));
    }
  }
  void backward(const BatchContext& context, const float* x, const float*, float* dy, float* dx, GradientTree&) override {
    if (dx == nullptr) return;
    for (std::int64_t i = 0; i < context.rows * size_; ++i) {
      const float v = x[i];
      dx[i] = dy[i] * (v >= max_ ? 0.0F : (v > threshold_ ? 1.0F : slope_));
    }
  }

 private:
  float slope_, max_, threshold_;
  std::int64_t size_ = 0;
};

class EluLayer : public Layer {
 public:
  explicit EluLayer(float alpha) : alpha_(alpha) {}
  Shape build(const Shape& input, VariableBuilder&) override {
    size_ = input.size();
    return input;
  }
  void forward(const BatchContext& context, const float* x, float* y) override {
    for (std::int64_t i = 0; i < context.rows * size_; ++i) y[i] = x[i] > 0 ? x[i] : alpha_ * std::expm1(x[i]);
  }
  void backward(const BatchContext& context, const float* x, const float* y, float* dy, float* dx, GradientTree&) override {
    if (dx == nullptr) return;
    for (std::int64_t i = 0; i < context.rows * size_; ++i) dx[i] = dy[i] * (x[i] > 0 ? 1.0F : y[i] + alpha_);
  }

 private:
  float alpha_;
  std::int64_t size_ = 0;
};

class SoftmaxLayer : public Layer {
 public:
  explicit SoftmaxLayer(const Json& config) : axis_(config["axis"]) {}
  Shape build(const Shape& input, VariableBuilder&) override {
    const std::vector<std::int64_t> axes = sample_axes(axis_, input.rank(), name());
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (axes[i] != input.rank() - static_cast<std::int64_t>(axes.size() - i)) {
        throw InputError("layer \"" + name() + "\": Softmax is supported along the last axes only");
      }
    }
    for (const std::int64_t axis : axes) columns_ *= input[axis];
    rows_per_sample_ = input.size() / columns_;
    return input;
  }
  bool backward_reads_input() const override { return false; }
  void forward(const BatchContext& context, const float* x, float* y) override {
    softmax_rows(context.rows * rows_per_sample_, columns_, x, y);
  }
  void backward(const BatchContext& context, const float*, const float* y, float* dy, float* dx, GradientTree&) override {
    if (dx != nullptr) softmax_rows_backward(context.rows * rows_per_sample_, columns_, y, dy, dx);
  }

 private:
  Json axis_;
  std::int64_t columns_ = 1, rows_per_sample_ = 1;
};

std::unique_ptr<Layer> make_relu(const Json& config) {
  const float slope = config["negative_slope"].get<float>(), threshold = config["threshold"].get<float>();
  const float max_value = config["max_value"].is_null() ? std::numeric_limits<float>::infinity() : config["max_value"].get<float>();
  if (max_value < 0) throw InputError("max_value of a ReLU layer cannot be a negative value. Received: max_value=" + std::to_string(max_value));
  if (slope < 0) throw InputError("negative_slope of a ReLU layer cannot be a negative value. Received: negative_slope=" + std::to_string(slope));
  if (threshold < 0) throw InputError("threshold of a ReLU layer cannot be a negative value. Received: threshold=" + std::to_string(threshold));
  return std::make_unique<ReluLayer>(slope, max_value, threshold);
}

}  // namespace

void add_activation_layers(Registry<Layer>& registry) {
  Parameter activation = activation_parameter();
  activation.required = true;
  add_layer(registry, {"Activation", {}, {activation}, "an activation as a layer (keras.layers.Activation)"},
            [](const Json& config) { return std::make_unique<ActivationLayer>(config); });
  add_layer(registry,
            {"ReLU",
             {"re_lu"},
             {{"max_value", Kind::kNumber, nullptr, false, true}, {"negative_slope", Kind::kNumber, 0.0}, {"threshold", Kind::kNumber, 0.0}},
             "max_value above it, negative_slope (x - threshold) below the threshold (keras.layers.ReLU)"},
            make_relu);
  add_layer(registry, {"LeakyReLU", {"leaky_re_lu"}, {{"negative_slope", Kind::kNumber, 0.3}}, "x, or negative_slope x below 0 (keras.layers.LeakyReLU)"},
            [](const Json& config) {
              return std::make_unique<ReluLayer>(config["negative_slope"].get<float>(), std::numeric_limits<float>::infinity(), 0.0F);
            });
  add_layer(registry, {"ELU", {"elu"}, {{"alpha", Kind::kNumber, 1.0}}, "x, or alpha (e^x - 1) below 0 (keras.layers.ELU)"},
            [](const Json& config) { return std::make_unique<EluLayer>(config["alpha"].get<float>()); });
  add_layer(registry, {"Softmax", {"softmax"}, {{"axis", Kind::kAny, -1}}, "softmax along the last axes (keras.layers.Softmax)"},
            [](const Json& config) { return std::make_unique<SoftmaxLayer>(config); });
}

}  // namespace nntrain::nn

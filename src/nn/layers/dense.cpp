// Dense: y = f(x W + b) on the last axis (keras/src/layers/core/dense.py).

#include <algorithm>
#include <cmath>
#include <vector>

#include "nn/activations/activation.h"
#include "nn/layers/activity_penalty.h"
#include "nn/layers/layer_registry.h"

namespace nntrain::nn {

namespace {

/// Rows that are multiplied and then activated while they are in the second-level cache.
constexpr std::int64_t kBlockRows = 256;

class Dense : public Layer {
 public:
  explicit Dense(const Json& config)
      : config_(config),
        units_(config["units"].get<std::int64_t>()),
        activation_(
            activations().make(config["activation"].is_null() ? Json("linear") : config["activation"])),
        activity_(make_activity_regularizer(config["activity_regularizer"])) {
    if (units_ <= 0) {
      throw InputError(
          "Received an invalid value for `units`, expected a positive integer. Received: units=" +
          std::to_string(units_));
    }
  }

  Shape build(const Shape& input, VariableBuilder& variables) override {
    if (input.rank() < 1) {
      throw InputError(
          "Input 0 of layer \"" + name() +
          "\" is incompatible with the layer: expected min_ndim=2, found ndim=1. Full shape received: " +
          input.with_batch());
    }
    inputs_ = input.last();
    positions_ = input.leading();
    outputs_ = activation_->output_columns(units_);
    kernel_ = variables.add(
        "kernel", Shape{inputs_, units_}, true, make_initializer(config_["kernel_initializer"]),
        make_regularizer(config_["kernel_regularizer"]), make_constraint(config_["kernel_constraint"]));
    if (config_["use_bias"].get<bool>()) {
      bias_ = variables.add("bias", Shape{units_}, true, make_initializer(config_["bias_initializer"]),
                            make_regularizer(config_["bias_regularizer"]),
                            make_constraint(config_["bias_constraint"]));
    }
    std::vector<std::int64_t> extents = input.extents();
    extents.back() = outputs_;
    return Shape(extents);
  }

  InputDemand input_demand() const override { return InputDemand::kLastExtent; }
  Head output_head() const override { return head_of(config_["activation"]); }

  bool backward_reads_output() const override { return activity_ != nullptr || !activation_->is_linear(); }

  void prepare(std::int64_t rows, Mode) override {
    const auto floats = static_cast<std::size_t>(rows * positions_ * units_);
    // The pre-activation is kept only where backward needs it: in an array of its own.
    if (activation_->needs() == Activation::Needs::kInput) pre_activation_.resize(floats);
    if (outputs_ != units_) d_pre_activation_.resize(floats);
  }

  Head release_activation() override {
    if (activity_) return Head::kNone;  // its penalty is on the activated output
    const Head head = output_head();
    if (head != Head::kNone) activation_ = activations().make("linear");
    return head;
  }

  const Variable* product_kernel() const override {
    const bool in_workspace = outputs_ == units_;  // dz lies where dy was
    return kernel_->trainable && !kernel_->regularizer && in_workspace ? kernel_ : nullptr;
  }

  void forward(const BatchContext& context, const float* x, float* y) override {
    float* z = pre_activation_.empty() ? y : pre_activation_.data();
    const bool done = z == y && activation_->is_linear() && bias_ == nullptr;
    context.for_product_rows(positions_, kBlockRows, [&](std::int64_t row, std::int64_t count) {
      float* z_block = z + row * units_;
      context.products->multiply(count, units_, inputs_, x + row * inputs_, kernel_->values, z_block);
      if (row == 0) look_for_non_finite(context, z_block);
      if (!done)
        activation_->forward(count, units_, z_block, bias_ == nullptr ? nullptr : bias_->values,
                             y + row * outputs_);
    });
    if (activity_) add_activity_loss(context, *activity_, positions_ * outputs_, y);
  }

  void backward(const BatchContext& context, const float* x, const float* y, float* dy, float* dx,
                GradientTree& gradients) override {
    if (activity_) add_activity_gradient(context, *activity_, positions_ * outputs_, y, dy);
    const float* z = pre_activation_.empty() ? nullptr : pre_activation_.data();
    float* dz = d_pre_activation_.empty() ? dy : d_pre_activation_.data();  // (rows * positions, units)
    if (!activation_->is_linear()) activation_->backward(context.rows * positions_, units_, z, y, dy, dz);
    if (kernel_->trainable) gradients.add_product({kernel_, x, dz, positions_}, context);
    if (bias_ != nullptr && bias_->trainable) {
      gradients.add(*bias_, [&](int s, float* destination) {
        column_sums(context.shard_rows(s) * positions_, units_,
                    dz + context.bounds[static_cast<std::size_t>(s)] * positions_ * units_, destination);
      });
    }
    if (dx == nullptr) return;
    const std::int64_t all = std::max<std::int64_t>(1, context.rows * positions_);
    context.for_product_rows(positions_, all, [&](std::int64_t row, std::int64_t count) {
      context.products->multiply_transposed(count, inputs_, units_, dz + row * units_, kernel_->values,
                                            dx + row * inputs_);
    });
  }

  double forward_flops() const override { return 2.0 * static_cast<double>(positions_ * inputs_ * units_); }

 private:
  /// A weight that is NaN or Inf makes its column of every row so; activations may hide it (a sigmoid, -Inf
  /// under a ReLU). One row of the mini-batch tells, always its first, whoever has it.
  void look_for_non_finite(const BatchContext& context, const float* z) const {
    if (context.finite == nullptr || context.first_row != 0) return;
    bool finite = true;
    for (std::int64_t c = 0; c < units_; ++c)
      finite = finite && std::isfinite(z[c] + (bias_ == nullptr ? 0.0F : bias_->values[c]));
    if (!finite) *context.finite = false;
  }

  Json config_;
  std::int64_t units_;
  std::unique_ptr<Activation> activation_;
  std::shared_ptr<Regularizer> activity_;
  std::int64_t inputs_ = 0;
  std::int64_t outputs_ = 0;    ///< units, or half of them for glu
  std::int64_t positions_ = 1;  ///< vectors along the last axis in a sample
  Variable* kernel_ = nullptr;
  Variable* bias_ = nullptr;
  std::vector<float> pre_activation_;    // (rows * positions, units), when the activation needs it
  std::vector<float> d_pre_activation_;  // (rows * positions, units), when y is narrower
};

}  // namespace

void add_dense(Registry<Layer>& registry) {
  add_layer(registry,
            {"Dense",
             {"dense"},
             {{"units", Kind::kInteger, nullptr, true},
              activation_parameter(),
              {"use_bias", Kind::kBoolean, true},
              initializer_parameter("kernel_initializer", "glorot_uniform"),
              initializer_parameter("bias_initializer", "zeros"),
              regularizer_parameter("kernel_regularizer"),
              regularizer_parameter("bias_regularizer"),
              regularizer_parameter("activity_regularizer"),
              constraint_parameter("kernel_constraint"),
              constraint_parameter("bias_constraint"),
              unsupported_parameter("lora_rank"),
              unsupported_parameter("lora_alpha"),
              unsupported_parameter("quantization_config")},
             "y = activation(x kernel + bias) on the last axis (keras.layers.Dense)"},
            [](const Json& config) { return std::make_unique<Dense>(config); });
}

}  // namespace nntrain::nn

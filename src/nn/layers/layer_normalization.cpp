// LayerNormalization (Ba et al. 2016), RMSNormalization (Zhang and Sennrich 2019), UnitNormalization: each
// sample by itself, along `axis` (keras/src/layers/normalization).

#include <algorithm>
#include <cmath>
#include <vector>

#include "nn/layers/layer_registry.h"
#include "nn/variables/axis_groups.h"

namespace nntrain::nn {

namespace {

/// Elements along `axis` are normalized together. A group that is scattered in the sample is gathered first.
class GroupedLayer : public Layer {
 public:
  explicit GroupedLayer(const Json& config) : config_(config) {}
  InputDemand input_demand() const override { return InputDemand::kShape; }
  bool backward_reads_output() const override { return false; }

 protected:
  void group(const Shape& input) {
    size_ = input.size();
    groups_ = AxisGroups(input, sample_axes(config_["axis"], input.rank(), name()));
    if (groups_.contiguous) return;
    for (auto* scratch : {&x_, &d_, &out_}) scratch->resize(static_cast<std::size_t>(groups_.width));
  }

  /// Group `group` (of the rows in order) of an array as `width` neighbours.
  const float* take(const float* array, std::int64_t group, std::vector<float>& scratch) const {
    if (groups_.contiguous) return array + group * groups_.width;
    groups_.gather(array + group / groups_.count * size_, group % groups_.count, scratch.data());
    return scratch.data();
  }
  /// Where the results of a group go; put() brings them to their places.
  float* place(float* array, std::int64_t group) {
    return groups_.contiguous ? array + group * groups_.width : out_.data();
  }
  void put(float* array, std::int64_t group) const {
    if (groups_.contiguous) return;
    groups_.scatter(out_.data(), group % groups_.count, array + group / groups_.count * size_);
  }

  Json config_;
  AxisGroups groups_;
  std::int64_t size_ = 0;
  std::vector<float> x_, d_, out_;  // (width) of one group, when it is scattered
};

/// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta; without the mean for RMSNormalization.
class LayerNormalization : public GroupedLayer {
 public:
  enum class Centered : bool { kNo, kYes };
  LayerNormalization(const Json& config, Centered centered)
      : GroupedLayer(config),
        centered_(centered == Centered::kYes),
        epsilon_(config["epsilon"].get<double>()) {}

  Shape build(const Shape& input, VariableBuilder& variables) override {
    group(input);
    if (!centered_) {
      gamma_ = variables.add("scale", groups_.shape, true, make_initializer("ones"));
      return input;
    }
    const auto add = [&](const std::string& variable) {
      return variables.add(variable, groups_.shape, true,
                           make_initializer(config_[variable + "_initializer"]),
                           make_regularizer(config_[variable + "_regularizer"]),
                           make_constraint(config_[variable + "_constraint"]));
    };
    if (config_["scale"].get<bool>()) gamma_ = add("gamma");
    if (config_["center"].get<bool>()) beta_ = add("beta");
    return input;
  }

  void prepare(std::int64_t rows, Mode) override {
    moments_.resize(static_cast<std::size_t>(rows * groups_.count));
  }

  void forward(const BatchContext& context, const float* x, float* y) override {
    const float* gamma = gamma_ == nullptr ? nullptr : gamma_->values;
    const float* beta = beta_ == nullptr ? nullptr : beta_->values;
    const std::int64_t width = groups_.width;
    for (std::int64_t g = 0; g < context.rows * groups_.count; ++g) {
      const float* in = take(x, g, x_);
      const Moments m = moments_[static_cast<std::size_t>(g)] = moments(in);
      float* out = place(y, g);
      for (std::int64_t k = 0; k < width; ++k) out[k] = (in[k] - m.mean) * m.inverse;
      if (gamma != nullptr) {
        for (std::int64_t k = 0; k < width; ++k) out[k] *= gamma[k];
      }
      if (beta != nullptr) {
        for (std::int64_t k = 0; k < width; ++k) out[k] += beta[k];
      }
      put(y, g);
    }
  }

  void backward(const BatchContext& context, const float* x, const float*, float* dy, float* dx,
                GradientTree& gradients) override {
    add_gradient(context, gamma_, x, dy, gradients);
    add_gradient(context, beta_, nullptr, dy, gradients);
    if (dx == nullptr) return;
    const std::int64_t width = groups_.width;
    for (std::int64_t g = 0; g < context.rows * groups_.count; ++g) {
      const float *in = take(x, g, x_), *d = take(dy, g, d_);
      float* out = place(dx, g);
      const Moments m = moments_[static_cast<std::size_t>(g)];
      if (gamma_ != nullptr) {
        for (std::int64_t k = 0; k < width; ++k) out[k] = d[k] * gamma_->values[k];
      } else {
        std::copy_n(d, width, out);
      }
      const double count = static_cast<double>(width);
      const auto mean_d = static_cast<float>(
          centered_ ? lane_sum(width, [=](std::int64_t k) { return static_cast<double>(out[k]); }) / count
                    : 0.0);
      const auto mean_dx =
          static_cast<float>(lane_sum(width,
                                      [=](std::int64_t k) {
                                        return static_cast<double>(out[k] * ((in[k] - m.mean) * m.inverse));
                                      }) /
                             count);
      for (std::int64_t k = 0; k < width; ++k) {
        out[k] = m.inverse * (out[k] - mean_d - (in[k] - m.mean) * m.inverse * mean_dx);
      }
      put(dx, g);
    }
  }

 private:
  struct Moments {
    float mean, inverse;
  };

  Moments moments(const float* x) const {
    const std::int64_t width = groups_.width;
    const double count = static_cast<double>(width);
    const double mean =
        centered_ ? lane_sum(width, [=](std::int64_t k) { return static_cast<double>(x[k]); }) / count : 0.0;
    const double squares = lane_sum(width, [=](std::int64_t k) {
      const double distance = static_cast<double>(x[k]) - mean;
      return distance * distance;
    });
    return {static_cast<float>(mean), static_cast<float>(1.0 / std::sqrt(squares / count + epsilon_))};
  }

  /// Sums of dy (x null) or of dy * normalized x over a shard's groups.
  void add_gradient(const BatchContext& context, const Variable* variable, const float* x, const float* dy,
                    GradientTree& gradients) {
    if (variable == nullptr || !variable->trainable) return;
    gradients.add(*variable, [&](int s, float* destination) {
      const std::int64_t width = groups_.width;
      std::fill_n(destination, width, 0.0F);
      const std::int64_t end = context.bounds[static_cast<std::size_t>(s) + 1] * groups_.count;
      for (std::int64_t g = context.bounds[static_cast<std::size_t>(s)] * groups_.count; g < end; ++g) {
        const float* d = take(dy, g, d_);
        if (x == nullptr) {
          for (std::int64_t k = 0; k < width; ++k) destination[k] += d[k];
          continue;
        }
        const float* in = take(x, g, x_);
        const Moments m = moments_[static_cast<std::size_t>(g)];
        for (std::int64_t k = 0; k < width; ++k) destination[k] += d[k] * ((in[k] - m.mean) * m.inverse);
      }
    });
  }

  bool centered_;
  double epsilon_;
  Variable *gamma_ = nullptr, *beta_ = nullptr;
  std::vector<Moments> moments_;  // (rows, groups) of the last forward pass
};

/// x / max(norm of x, 1e-12) (keras.ops.normalize with epsilon 1e-12).
class UnitNormalization : public GroupedLayer {
 public:
  using GroupedLayer::GroupedLayer;
  Shape build(const Shape& input, VariableBuilder&) override {
    group(input);
    return input;
  }
  void prepare(std::int64_t rows, Mode) override {
    norms_.resize(static_cast<std::size_t>(rows * groups_.count));
  }

  void forward(const BatchContext& context, const float* x, float* y) override {
    const std::int64_t width = groups_.width;
    for (std::int64_t g = 0; g < context.rows * groups_.count; ++g) {
      const float* in = take(x, g, x_);
      const double squares =
          lane_sum(width, [=](std::int64_t k) { return static_cast<double>(in[k]) * in[k]; });
      const double norm = norms_[static_cast<std::size_t>(g)] = std::max(std::sqrt(squares), kSmallest);
      float* out = place(y, g);
      for (std::int64_t k = 0; k < width; ++k) out[k] = static_cast<float>(in[k] / norm);
      put(y, g);
    }
  }

  void backward(const BatchContext& context, const float* x, const float*, float* dy, float* dx,
                GradientTree&) override {
    if (dx == nullptr) return;
    const std::int64_t width = groups_.width;
    for (std::int64_t g = 0; g < context.rows * groups_.count; ++g) {
      const float *in = take(x, g, x_), *d = take(dy, g, d_);
      const double norm = norms_[static_cast<std::size_t>(g)];
      const double along = lane_sum(width, [=](std::int64_t k) { return static_cast<double>(d[k]) * in[k]; });
      const double pull = norm > kSmallest ? along / norm / norm : 0.0;
      float* out = place(dx, g);
      for (std::int64_t k = 0; k < width; ++k) out[k] = static_cast<float>((d[k] - in[k] * pull) / norm);
      put(dx, g);
    }
  }

 private:
  static constexpr double kSmallest = 1e-12;
  std::vector<double> norms_;  // (rows, groups) of the last forward pass
};

}  // namespace

void add_layer_normalization(Registry<Layer>& registry) {
  const Parameter axis{"axis", Kind::kAny, -1};
  add_layer(registry,
            {"LayerNormalization",
             {"layer_normalization"},
             {axis,
              {"epsilon", Kind::kNumber, 1e-3},
              {"center", Kind::kBoolean, true},
              {"scale", Kind::kBoolean, true},
              initializer_parameter("beta_initializer", "zeros"),
              initializer_parameter("gamma_initializer", "ones"),
              regularizer_parameter("beta_regularizer"),
              regularizer_parameter("gamma_regularizer"),
              constraint_parameter("beta_constraint"),
              constraint_parameter("gamma_constraint")},
             "(x - mean) / sqrt(variance + epsilon) gamma + beta of each sample along axis, Ba et al. 2016 "
             "(keras.layers.LayerNormalization)"},
            [](const Json& config) {
              return std::make_unique<LayerNormalization>(config, LayerNormalization::Centered::kYes);
            });
  add_layer(registry,
            {"RMSNormalization",
             {"rms_normalization"},
             {axis, {"epsilon", Kind::kNumber, 1e-6}},
             "x / sqrt(mean x^2 + epsilon) scale, Zhang and Sennrich 2019 (keras.layers.RMSNormalization)"},
            [](const Json& config) {
              return std::make_unique<LayerNormalization>(config, LayerNormalization::Centered::kNo);
            });
  add_layer(registry,
            {"UnitNormalization",
             {"unit_normalization"},
             {axis},
             "x / norm(x) along axis (keras.layers.UnitNormalization)"},
            [](const Json& config) { return std::make_unique<UnitNormalization>(config); });
}

}  // namespace nntrain::nn

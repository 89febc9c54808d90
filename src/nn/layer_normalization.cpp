// LayerNormalization (Ba et al. 2016), RMSNormalization (Zhang and Sennrich 2019), UnitNormalization: each sample by
// itself, along `axis` (keras/src/layers/normalization).

#include <algorithm>
#include <cmath>
#include <vector>

#include "nn/layer_registry.h"

namespace nntrain::nn {

namespace {

/// A sample as groups of `width` elements, which are normalized together.
class GroupedLayer : public Layer {
 public:
  explicit GroupedLayer(const Json& config) : config_(config) {}
  bool backward_reads_output() const override { return false; }

 protected:
  /// Fills index_: element k of group g is x[index_[g * width_ + k]]. Returns the extents along the axes.
  Shape group(const Shape& input) {
    const std::vector<std::int64_t> axes = sample_axes(config_["axis"], input.rank(), name());
    std::vector<std::int64_t> extents;
    for (const std::int64_t axis : axes) extents.push_back(input[axis]);
    const Shape grouped(extents);
    width_ = grouped.size();
    size_ = input.size();
    index_.resize(static_cast<std::size_t>(size_));
    for (std::int64_t i = 0; i < size_; ++i) {
      std::int64_t rest = i, outside = 0, inside = 0, outer_stride = 1, inner_stride = 1;
      for (std::int64_t axis = input.rank() - 1; axis >= 0; --axis) {
        const std::int64_t coordinate = rest % input[axis];
        rest /= input[axis];
        const bool grouped_axis = std::find(axes.begin(), axes.end(), axis) != axes.end();
        (grouped_axis ? inside : outside) += coordinate * (grouped_axis ? inner_stride : outer_stride);
        (grouped_axis ? inner_stride : outer_stride) *= input[axis];
      }
      index_[static_cast<std::size_t>(outside * width_ + inside)] = i;
    }
    return grouped;
  }
  std::int64_t groups() const { return size_ / width_; }
  std::int64_t element(std::int64_t group, std::int64_t k) const { return index_[static_cast<std::size_t>(group * width_ + k)]; }

  Json config_;
  std::int64_t width_ = 1, size_ = 0;

 private:
  std::vector<std::int64_t> index_;
};

/// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta; without the mean for RMSNormalization.
class LayerNormalization : public GroupedLayer {
 public:
  enum class Centered : bool { kNo, kYes };
  LayerNormalization(const Json& config, Centered centered)
      : GroupedLayer(config), centered_(centered == Centered::kYes), epsilon_(config["epsilon"].get<double>()) {}

  Shape build(const Shape& input, VariableBuilder& variables) override {
    const Shape shape = group(input);
    if (!centered_) {
      gamma_ = variables.add("scale", shape, true, make_initializer("ones"));
      return input;
    }
    const auto add = [&](const std::string& variable) {
      return variables.add(variable, shape, true, make_initializer(config_[variable + "_initializer"]),
                           make_regularizer(config_[variable + "_regularizer"]), make_constraint(config_[variable + "_constraint"]));
    };
    if (config_["scale"].get<bool>()) gamma_ = add("gamma");
    if (config_["center"].get<bool>()) beta_ = add("beta");
    return input;
  }

  void forward(const BatchContext& context, const float* x, float* y) override {
    for_groups(context.rows, 0, [&](std::int64_t base, std::int64_t g) {
      const Moments m = moments(x + base, g);
      for (std::int64_t k = 0; k < width_; ++k) {
        const std::int64_t i = base + element(g, k);
        y[i] = (x[i] - m.mean) * m.inverse * gamma(k) + (beta_ == nullptr ? 0.0F : beta_->values[k]);
      }
    });
  }

  void backward(const BatchContext& context, const float* x, const float*, float* dy, float* dx, GradientTree& gradients) override {
    const auto parameter_gradient = [&](Variable* variable, bool scales) {
      if (variable == nullptr || !variable->trainable) return;
      gradients.add_stored(*variable, context, [&](int s, float* destination) {
        std::fill_n(destination, width_, 0.0F);
        for_groups(context.shard_rows(s), context.bounds[static_cast<std::size_t>(s)], [&](std::int64_t base, std::int64_t g) {
          const Moments m = moments(x + base, g);
          for (std::int64_t k = 0; k < width_; ++k) {
            const std::int64_t i = base + element(g, k);
            destination[k] += scales ? dy[i] * ((x[i] - m.mean) * m.inverse) : dy[i];
          }
        });
      });
    };
    parameter_gradient(gamma_, true);
    parameter_gradient(beta_, false);
    if (dx == nullptr) return;
    for_groups(context.rows, 0, [&](std::int64_t base, std::int64_t g) {
      const Moments m = moments(x + base, g);
      double sum = 0, sum_x = 0;
      for (std::int64_t k = 0; k < width_; ++k) {
        const std::int64_t i = base + element(g, k);
        const double d = static_cast<double>(dy[i]) * gamma(k);
        sum += d;
        sum_x += d * ((x[i] - m.mean) * m.inverse);
      }
      const double width = static_cast<double>(width_);
      const auto mean_d = static_cast<float>(centered_ ? sum / width : 0.0), mean_dx = static_cast<float>(sum_x / width);
      for (std::int64_t k = 0; k < width_; ++k) {
        const std::int64_t i = base + element(g, k);
        dx[i] = m.inverse * (dy[i] * gamma(k) - mean_d - (x[i] - m.mean) * m.inverse * mean_dx);
      }
    });
  }

 private:
  struct Moments {
    float mean, inverse;
  };
  float gamma(std::int64_t k) const { return gamma_ == nullptr ? 1.0F : gamma_->values[k]; }

  Moments moments(const float* sample, std::int64_t g) const {
    const double width = static_cast<double>(width_);
    double mean = 0, variance = 0;
    for (std::int64_t k = 0; centered_ && k < width_; ++k) mean += sample[element(g, k)];
    mean /= width;
    for (std::int64_t k = 0; k < width_; ++k) {
      const double distance = sample[element(g, k)] - mean;
      variance += distance * distance;
    }
    return {static_cast<float>(mean), static_cast<float>(1.0 / std::sqrt(variance / width + epsilon_))};
  }

  template <class Use>
  void for_groups(std::int64_t rows, std::int64_t first, Use use) const {
    for (std::int64_t r = first; r < first + rows; ++r) {
      for (std::int64_t g = 0; g < groups(); ++g) use(r * size_, g);
    }
  }

  bool centered_;
  double epsilon_;
  Variable *gamma_ = nullptr, *beta_ = nullptr;
};

/// x / max(|x|_2, 1e-6) (keras.ops.normalize with epsilon = 1e-12).
class UnitNormalization : public GroupedLayer {
 public:
  using GroupedLayer::GroupedLayer;
  Shape build(const Shape& input, VariableBuilder&) override {
    group(input);
    return input;
  }
  void forward(const BatchContext& context, const float* x, float* y) override {
    for (std::int64_t base = 0; base < context.rows * size_; base += size_) {
      for (std::int64_t g = 0; g < groups(); ++g) {
        const auto inverse = static_cast<float>(1.0 / norm(x + base, g));
        for (std::int64_t k = 0; k < width_; ++k) y[base + element(g, k)] = x[base + element(g, k)] * inverse;
      }
    }
  }
  void backward(const BatchContext& context, const float* x, const float*, float* dy, float* dx, GradientTree&) override {
    if (dx == nullptr) return;
    for (std::int64_t base = 0; base < context.rows * size_; base += size_) {
      for (std::int64_t g = 0; g < groups(); ++g) {
        const double length = norm(x + base, g);
        double along = 0;
        for (std::int64_t k = 0; k < width_; ++k) along += static_cast<double>(dy[base + element(g, k)]) * x[base + element(g, k)];
        const double pull = length > kSmallest ? along / (length * length) : 0.0;
        for (std::int64_t k = 0; k < width_; ++k) {
          const std::int64_t i = base + element(g, k);
          dx[i] = static_cast<float>((dy[i] - x[i] * pull) / length);
        }
      }
    }
  }

 private:
  static constexpr double kSmallest = 1e-6;
  double norm(const float* sample, std::int64_t g) const {
    double sum = 0;
    for (std::int64_t k = 0; k < width_; ++k) sum += static_cast<double>(sample[element(g, k)]) * sample[element(g, k)];
    return std::max(std::sqrt(sum), kSmallest);
  }
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
             "normalizes each sample along axis, Ba et al. 2016 (keras.layers.LayerNormalization)"},
            [](const Json& config) { return std::make_unique<LayerNormalization>(config, LayerNormalization::Centered::kYes); });
  add_layer(registry, {"RMSNormalization", {"rms_normalization"}, {axis, {"epsilon", Kind::kNumber, 1e-6}},
                       "x / sqrt(mean x^2 + epsilon) scale, Zhang and Sennrich 2019 (keras.layers.RMSNormalization)"},
            [](const Json& config) { return std::make_unique<LayerNormalization>(config, LayerNormalization::Centered::kNo); });
  add_layer(registry, {"UnitNormalization", {"unit_normalization"}, {axis}, "x / |x| along axis (keras.layers.UnitNormalization)"},
            [](const Json& config) { return std::make_unique<UnitNormalization>(config); });
}

}  // namespace nntrain::nn

// Rescaling, PReLU and ActivityRegularization.

#include <algorithm>
#include <vector>

#include "core/call.h"
#include "nn/layers/activity_penalty.h"
#include "nn/layers/layer_registry.h"
#include "nn/variables/axis_groups.h"

namespace nntrain::nn {

namespace {

std::vector<float> numbers(const Json& value, const std::string& what) {
  std::vector<float> all;
  for (const Json& item : value.is_array() ? value : Json::array({value})) {
    if (!item.is_number())
      throw InputError("Rescaling: " + what + " must be a number or a list, got " + format_call(value));
    all.push_back(item.get<float>());
  }
  return all;
}

class Rescaling : public Layer {
 public:
  explicit Rescaling(const Json& config)
      : scale_(numbers(config["scale"], "scale")), offset_(numbers(config["offset"], "offset")) {
    if (config["scale"].is_number() && config["offset"].is_number())
      map_ = AffineMap{config["scale"].get<double>(), config["offset"].get<double>()};
  }
  Shape build(const Shape& input, VariableBuilder&) override {
    size_ = input.size();
    columns_ = input.last();
    for (std::vector<float>* values : {&scale_, &offset_}) {
      if (values->size() == 1) values->resize(static_cast<std::size_t>(columns_), values->front());
      if (static_cast<std::int64_t>(values->size()) != columns_) {
        throw InputError("layer \"" + name() + "\": Rescaling has " + std::to_string(values->size()) +
                         " values for " + std::to_string(columns_) + " features");
      }
    }
    return input;
  }
  std::optional<AffineMap> affine_map() const override { return map_; }
  bool in_place() const override { return true; }
  bool backward_reads_input() const override { return false; }
  bool backward_reads_output() const override { return false; }
  void forward(const BatchContext& context, const float* x, float* y) override {
    const float *scale = scale_.data(), *offset = offset_.data();
    for (std::int64_t r = 0; r < context.rows * size_; r += columns_) {
      for (std::int64_t c = 0; c < columns_; ++c) y[r + c] = x[r + c] * scale[c] + offset[c];
    }
  }
  void backward(const BatchContext& context, const float*, const float*, float* dy, float* dx,
                GradientTree&) override {
    if (dx == nullptr) return;
    for (std::int64_t r = 0; r < context.rows * size_; r += columns_) {
      for (std::int64_t c = 0; c < columns_; ++c) dx[r + c] = dy[r + c] * scale_.data()[c];
    }
  }

 private:
  std::vector<float> scale_, offset_;
  std::optional<AffineMap> map_;
  std::int64_t size_ = 0, columns_ = 1;
};

/// He et al. 2015: x, or alpha x below 0, with one alpha per element of a sample, shared along shared_axes.
class PRelu : public Layer {
 public:
  explicit PRelu(const Json& config) : config_(config) {}
  InputDemand input_demand() const override { return InputDemand::kShape; }
  Shape build(const Shape& input, VariableBuilder& variables) override {
    std::vector<std::int64_t> extents = input.extents();
    std::vector<std::int64_t> shared;
    if (!config_["shared_axes"].is_null()) shared = sample_axes(config_["shared_axes"], input.rank(), name());
    for (const std::int64_t axis : shared) extents[static_cast<std::size_t>(axis)] = 1;
    alpha_ = variables.add("alpha", Shape(extents), true, make_initializer(config_["alpha_initializer"]),
                           make_regularizer(config_["alpha_regularizer"]),
                           make_constraint(config_["alpha_constraint"]));
    std::vector<std::int64_t> own;  // axes that are not shared
    for (std::int64_t axis = 0; axis < input.rank(); ++axis) {
      if (std::find(shared.begin(), shared.end(), axis) == shared.end()) own.push_back(axis);
    }
    index_ = kept_places(input, own);
    if (!shared.empty()) spread_.resize(index_.size());
    return input;
  }
  bool backward_reads_output() const override { return false; }
  void forward(const BatchContext& context, const float* x, float* y) override {
    const auto size = static_cast<std::int64_t>(index_.size());
    const float* alpha = alpha_of_elements();
    for (std::int64_t r = 0; r < context.rows; ++r) activate(size, alpha, x + r * size, y + r * size);
  }
  void backward(const BatchContext& context, const float* x, const float*, float* dy, float* dx,
                GradientTree& gradients) override {
    const auto size = static_cast<std::int64_t>(index_.size());
    if (alpha_->trainable) {
      gradients.add(*alpha_, [&](int s, float* destination) {
        std::fill_n(destination, alpha_->size(), 0.0F);
        const auto* bound = context.bounds.data() + s;
        for (std::int64_t at = bound[0] * size; at < bound[1] * size; at += size) {
          if (spread_.empty()) {
            add_own(size, x + at, dy + at, destination);
          } else {
            for (std::int64_t i = 0; i < size; ++i) {
              const float v = x[at + i];
              destination[index_[static_cast<std::size_t>(i)]] += v > 0 ? 0.0F : v * dy[at + i];
            }
          }
        }
      });
    }
    if (dx == nullptr) return;
    const float* alpha = alpha_of_elements();
    for (std::int64_t at = 0; at < context.rows * size; at += size)
      pass_back(size, alpha, x + at, dy + at, dx + at);
  }

 private:
  // Loops of vectors: nothing overlaps.
  static void activate(std::int64_t size, const float* __restrict alpha, const float* __restrict x,
                       float* __restrict y) {
    for (std::int64_t i = 0; i < size; ++i) {
      const float below = alpha[i] * x[i];
      y[i] = x[i] > 0 ? x[i] : below;
    }
  }
  static void add_own(std::int64_t size, const float* __restrict x, const float* __restrict dy,
                      float* __restrict sums) {
    for (std::int64_t i = 0; i < size; ++i) {
      const float term = x[i] * dy[i];
      sums[i] += x[i] > 0 ? 0.0F : term;
    }
  }
  static void pass_back(std::int64_t size, const float* __restrict alpha, const float* __restrict x,
                        const float* __restrict dy, float* __restrict dx) {
    for (std::int64_t i = 0; i < size; ++i) {
      const float slope = x[i] > 0 ? 1.0F : alpha[i];
      dx[i] = dy[i] * slope;
    }
  }

  /// One alpha for each element of a sample, also where elements share it.
  const float* alpha_of_elements() {
    if (spread_.empty()) return alpha_->values;
    for (std::size_t i = 0; i < index_.size(); ++i) spread_[i] = alpha_->values[index_[i]];
    return spread_.data();
  }

  Json config_;
  Variable* alpha_ = nullptr;
  std::vector<std::int64_t> index_;  // (input.size()): which alpha an element uses
  std::vector<float> spread_;        // (input.size()): alpha_of_elements(), where axes are shared
};

class ActivityRegularization : public Layer {
 public:
  explicit ActivityRegularization(const Json& config)
      : penalty_(make_regularizer(
            {{"class_name", "L1L2"}, {"config", {{"l1", config["l1"]}, {"l2", config["l2"]}}}})) {}
  Shape build(const Shape& input, VariableBuilder&) override {
    size_ = input.size();
    return input;
  }
  bool in_place() const override { return true; }
  bool backward_reads_input() const override { return false; }
  void forward(const BatchContext& context, const float* x, float* y) override {
    if (x != y) std::copy_n(x, context.rows * size_, y);
    add_activity_loss(context, *penalty_, size_, y);
  }
  void backward(const BatchContext& context, const float*, const float* y, float* dy, float* dx,
                GradientTree&) override {
    if (dx == nullptr) return;
    if (dx != dy) std::copy_n(dy, context.rows * size_, dx);
    add_activity_gradient(context, *penalty_, size_, y, dx);
  }

 private:
  std::shared_ptr<Regularizer> penalty_;
  std::int64_t size_ = 0;
};

}  // namespace

void add_rescaling(Registry<Layer>& registry) {
  add_layer(registry,
            {"Rescaling",
             {"rescaling"},
             {{"scale", Kind::kAny, nullptr, true}, {"offset", Kind::kAny, 0.0}},
             "x scale + offset (keras.layers.Rescaling)"},
            [](const Json& config) { return std::make_unique<Rescaling>(config); });
}

void add_prelu(Registry<Layer>& registry) {
  add_layer(registry,
            {"PReLU",
             {"p_re_lu"},
             {initializer_parameter("alpha_initializer", "zeros"),
              regularizer_parameter("alpha_regularizer"),
              constraint_parameter("alpha_constraint"),
              {"shared_axes", Kind::kAny, nullptr, false, true}},
             "x, or alpha x below 0, He et al. 2015 (keras.layers.PReLU)"},
            [](const Json& config) { return std::make_unique<PRelu>(config); });
}

void add_activity_regularization(Registry<Layer>& registry) {
  add_layer(registry,
            {"ActivityRegularization",
             {"activity_regularization"},
             {{"l1", Kind::kNumber, 0.0}, {"l2", Kind::kNumber, 0.0}},
             "adds (l1 sum abs(x) + l2 sum x^2) / rows to the loss (keras.layers.ActivityRegularization)"},
            [](const Json& config) { return std::make_unique<ActivityRegularization>(config); });
}

}  // namespace nntrain::nn

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
    return input;
  }
  bool backward_reads_output() const override { return false; }
  void forward(const BatchContext& context, const float* x, float* y) override {
    for (std::size_t r = 0; r < static_cast<std::size_t>(context.rows); ++r) {
      for (std::size_t i = 0; i < index_.size(); ++i) {
        const float v = x[r * index_.size() + i];
        y[r * index_.size() + i] = v > 0 ? v : alpha_->values[index_[i]] * v;
      }
    }
  }
  void backward(const BatchContext& context, const float* x, const float*, float* dy, float* dx,
                GradientTree& gradients) override {
    const std::size_t size = index_.size();
    if (alpha_->trainable) {
      gradients.add(*alpha_, [&](int s, float* destination) {
        std::fill_n(destination, alpha_->size(), 0.0F);
        for (auto r = static_cast<std::size_t>(context.bounds[static_cast<std::size_t>(s)]);
             r < static_cast<std::size_t>(context.bounds[static_cast<std::size_t>(s) + 1]); ++r) {
          for (std::size_t i = 0; i < size; ++i) {
            const float v = x[r * size + i];
            destination[index_[i]] += v > 0 ? 0.0F : v * dy[r * size + i];
          }
        }
      });
    }
    if (dx == nullptr) return;
    for (std::size_t r = 0; r < static_cast<std::size_t>(context.rows); ++r) {
      for (std::size_t i = 0; i < size; ++i) {
        const std::size_t at = r * size + i;
        dx[at] = dy[at] * (x[at] > 0 ? 1.0F : alpha_->values[index_[i]]);
      }
    }
  }

 private:
  Json config_;
  Variable* alpha_ = nullptr;
  std::vector<std::int64_t> index_;  // (input.size()): which alpha an element uses
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

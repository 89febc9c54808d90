// Normalization: (x - mean) / max(sqrt(variance), 1e-7), with given statistics or those of the training rows
// (keras/src/layers/preprocessing/normalization.py, adapt).

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "core/call.h"
#include "nn/layers/layer_registry.h"
#include "nn/variables/axis_groups.h"

namespace nntrain::nn {

namespace {

class Normalization : public Layer {
 public:
  explicit Normalization(const Json& config) : config_(config), invert_(config["invert"].get<bool>()) {
    if (config["mean"].is_null() != config["variance"].is_null()) {
      throw InputError(
          "When setting values directly, both `mean` and `variance` must be set. Received: mean=" +
          format_call(config["mean"]) + " and variance=" + format_call(config["variance"]));
    }
  }

  InputDemand input_demand() const override { return InputDemand::kShape; }
  Shape build(const Shape& input, VariableBuilder& variables) override {
    std::vector<std::int64_t> kept;
    if (!config_["axis"].is_null()) kept = sample_axes(config_["axis"], input.rank(), name());
    std::vector<std::int64_t> extents;
    for (const std::int64_t axis : kept) extents.push_back(input[axis]);
    const Shape shape(extents);
    statistics_ = shape.size();
    places_ = kept_places(input, kept);
    for (auto* values : {&centers_, &deviations_}) values->resize(places_.size());
    if (config_["mean"].is_null()) {
      mean_ = variables.add("mean", shape, false, make_initializer("zeros"));
      variance_ = variables.add("variance", shape, false, make_initializer("ones"));
      variables.add("count", Shape{}, false, make_initializer("zeros"));  // Keras has it, always 0
    } else {
      given_mean_ = given("mean");
      given_variance_ = given("variance");
    }
    return input;
  }

  bool wants_adaptation() const override { return mean_ != nullptr && !adapted_; }

  void adapt(Adaptation& data) override {
    std::vector<double> mean(places_.size()), variance(places_.size());
    std::int64_t rows = 0;
    data.moments(mean, variance, rows);
    // Elements that share a statistic: the mean of means, and the law of total variance.
    std::vector<double> joint(static_cast<std::size_t>(statistics_), 0.0), spread(joint);
    const double share = static_cast<double>(static_cast<std::int64_t>(places_.size()) / statistics_);
    for (std::size_t i = 0; i < places_.size(); ++i) joint[at(i)] += mean[i] / share;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const double distance = mean[i] - joint[at(i)];
      spread[at(i)] += (variance[i] + distance * distance) / share;
    }
    for (std::size_t k = 0; k < joint.size(); ++k) {
      mean_->values[k] = static_cast<float>(joint[k]);
      variance_->values[k] = static_cast<float>(spread[k]);
    }
    adapted_ = true;
  }

  bool backward_reads_input() const override { return false; }
  bool backward_reads_output() const override { return false; }
  bool in_place() const override { return true; }

  void forward(const BatchContext& context, const float* x, float* y) override {
    spread_statistics();
    const std::size_t size = places_.size();
    const float *center = centers_.data(), *deviation = deviations_.data();
    for (std::size_t r = 0; r < static_cast<std::size_t>(context.rows) * size; r += size) {
      if (invert_) {
        for (std::size_t i = 0; i < size; ++i) y[r + i] = center[i] + x[r + i] * deviation[i];
      } else {
        for (std::size_t i = 0; i < size; ++i) y[r + i] = (x[r + i] - center[i]) / deviation[i];
      }
    }
  }

  void backward(const BatchContext& context, const float*, const float*, float* dy, float* dx,
                GradientTree&) override {
    if (dx == nullptr) return;
    const std::size_t size = places_.size();
    const float* deviation = deviations_.data();
    for (std::size_t r = 0; r < static_cast<std::size_t>(context.rows) * size; r += size) {
      for (std::size_t i = 0; i < size; ++i) {
        dx[r + i] = invert_ ? dy[r + i] * deviation[i] : dy[r + i] / deviation[i];
      }
    }
  }

 private:
  std::size_t at(std::size_t i) const { return static_cast<std::size_t>(places_[i]); }

  /// Statistics of each element of a sample: the values may have been loaded or adapted since the last call.
  void spread_statistics() {
    const float* mean = mean_ != nullptr ? mean_->values : given_mean_.data();
    const float* variance = variance_ != nullptr ? variance_->values : given_variance_.data();
    for (std::size_t i = 0; i < places_.size(); ++i) {
      centers_[i] = mean[at(i)];
      deviations_[i] = std::max(std::sqrt(variance[at(i)]), 1e-7F);
    }
  }

  /// A given statistic: one number for all, or one for each along axis, nested or flat.
  std::vector<float> given(const char* key) const {
    std::vector<float> values;
    const std::function<void(const Json&)> collect = [&](const Json& value) {
      if (value.is_array()) {
        for (const Json& item : value) collect(item);
      } else if (value.is_number()) {
        values.push_back(value.get<float>());
      } else {
        throw InputError("layer \"" + name() + "\": " + key + " must be numbers, got " + format_call(value));
      }
    };
    collect(config_[key]);
    if (values.size() == 1) values.resize(static_cast<std::size_t>(statistics_), values.front());
    if (static_cast<std::int64_t>(values.size()) != statistics_) {
      throw InputError("layer \"" + name() + "\": " + key + " has " + std::to_string(values.size()) +
                       " values, the input has " + std::to_string(statistics_) + " along axis");
    }
    if (std::string(key) == "variance" &&
        std::any_of(values.begin(), values.end(), [](float v) { return v < 0; })) {
      throw InputError("layer \"" + name() + "\": a variance cannot be negative, got " +
                       format_call(config_[key]));
    }
    return values;
  }

  Json config_;
  bool invert_;
  bool adapted_ = false;
  std::int64_t statistics_ = 1;
  std::vector<std::int64_t> places_;  // (input.size()): which statistic an element uses
  Variable *mean_ = nullptr, *variance_ = nullptr;
  std::vector<float> given_mean_, given_variance_;  // (statistics)
  std::vector<float> centers_, deviations_;         // (input.size()) of the last forward pass
};

}  // namespace

void add_normalization(Registry<Layer>& registry) {
  add_layer(registry,
            {"Normalization",
             {"normalization"},
             {{"axis", Kind::kAny, -1, false, true},
              {"mean", Kind::kAny, nullptr, false, true},
              {"variance", Kind::kAny, nullptr, false, true},
              {"invert", Kind::kBoolean, false}},
             "(x - mean) / sqrt(variance); without given statistics it learns those of the training rows "
             "(keras.layers.Normalization, adapt)"},
            [](const Json& config) { return std::make_unique<Normalization>(config); });
}

}  // namespace nntrain::nn

// Normalization: (x - mean) / max(sqrt(variance), 1e-7), with given statistics or those of the training rows
// (keras/src/layers/preprocessing/normalization.py, adapt).

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "nn/layer_registry.h"

namespace nntrain::nn {

namespace {

class Normalization : public Layer {
 public:
  explicit Normalization(const Json& config) : config_(config), invert_(config["invert"].get<bool>()) {
    if (config["mean"].is_null() != config["variance"].is_null()) {
      throw InputError("When setting values directly, both `mean` and `variance` must be set. Received: mean=" + config["mean"].dump() +
                       " and variance=" + config["variance"].dump());
    }
  }

  Shape build(const Shape& input, VariableBuilder& variables) override {
    size_ = input.size();
    std::vector<std::int64_t> kept;
    if (!config_["axis"].is_null()) kept = sample_axes(config_["axis"], input.rank(), name());
    std::vector<std::int64_t> extents;
    for (const std::int64_t axis : kept) extents.push_back(input[axis]);
    const Shape shape(extents);
    statistics_ = shape.size();
    index_.resize(static_cast<std::size_t>(size_));
    for (std::int64_t i = 0; i < size_; ++i) {
      std::int64_t rest = i, at = 0, stride = 1;
      for (std::int64_t axis = input.rank() - 1; axis >= 0; --axis) {
        const std::int64_t coordinate = rest % input[axis];
        rest /= input[axis];
        if (std::find(kept.begin(), kept.end(), axis) == kept.end()) continue;
        at += coordinate * stride;
        stride *= input[axis];
      }
      index_[static_cast<std::size_t>(i)] = at;
    }
    if (config_["mean"].is_null()) {
      mean_ = variables.add("mean", shape, false, make_initializer("zeros"));
      variance_ = variables.add("variance", shape, false, make_initializer("ones"));
      count_ = variables.add("count", Shape{}, false, make_initializer("zeros"));
    } else {
      given_mean_ = given("mean");
      given_variance_ = given("variance");
    }
    return input;
  }

  bool wants_adaptation() const override { return mean_ != nullptr; }

  void adapt(Adaptation& data) override {
    std::vector<double> mean(static_cast<std::size_t>(size_)), variance(mean.size());
    std::int64_t rows = 0;
    data.moments(mean, variance, rows);
    // Elements that share a statistic: the mean of means, and the law of total variance.
    const auto statistics = static_cast<std::size_t>(statistics_);
    std::vector<double> joint(statistics, 0.0), spread(statistics, 0.0);
    const double share = static_cast<double>(size_ / statistics_);
    for (std::size_t i = 0; i < index_.size(); ++i) joint[at(i)] += mean[i] / share;
    for (std::size_t i = 0; i < index_.size(); ++i) {
      const double distance = mean[i] - joint[at(i)];
      spread[at(i)] += (variance[i] + distance * distance) / share;
    }
    for (std::size_t k = 0; k < statistics; ++k) {
      mean_->values[k] = static_cast<float>(joint[k]);
      variance_->values[k] = static_cast<float>(spread[k]);
    }
  }

  bool backward_reads_input() const override { return false; }
  bool backward_reads_output() const override { return false; }
  bool in_place() const override { return true; }

  void forward(const BatchContext& context, const float* x, float* y) override {
    for (std::size_t r = 0; r < static_cast<std::size_t>(context.rows); ++r) {
      for (std::size_t i = 0; i < index_.size(); ++i) {
        const float value = x[r * index_.size() + i];
        y[r * index_.size() + i] = invert_ ? mean(i) + value * deviation(i) : (value - mean(i)) / deviation(i);
      }
    }
  }

  void backward(const BatchContext& context, const float*, const float*, float* dy, float* dx, GradientTree&) override {
    if (dx == nullptr) return;
    for (std::size_t r = 0; r < static_cast<std::size_t>(context.rows); ++r) {
      for (std::size_t i = 0; i < index_.size(); ++i) {
        const float d = dy[r * index_.size() + i];
        dx[r * index_.size() + i] = invert_ ? d * deviation(i) : d / deviation(i);
      }
    }
  }

 private:
  std::size_t at(std::size_t i) const { return static_cast<std::size_t>(index_[i]); }
  float mean(std::size_t i) const { return mean_ != nullptr ? mean_->values[index_[i]] : given_mean_[at(i)]; }
  float deviation(std::size_t i) const {
    const float variance = variance_ != nullptr ? variance_->values[index_[i]] : given_variance_[at(i)];
    return std::max(std::sqrt(variance), 1e-7F);
  }

  std::vector<float> given(const char* key) const {
    std::vector<float> values;
    const std::function<void(const Json&)> collect = [&](const Json& value) {
      if (value.is_array()) {
        for (const Json& item : value) collect(item);
      } else if (value.is_number()) {
        values.push_back(value.get<float>());
      } else {
        throw InputError("layer \"" + name() + "\": " + key + " must be numbers, got " + value.dump());
      }
    };
    collect(config_[key]);
    if (values.size() == 1) values.resize(static_cast<std::size_t>(statistics_), values.front());
    if (static_cast<std::int64_t>(values.size()) != statistics_) {
      throw InputError("layer \"" + name() + "\": " + key + " has " + std::to_string(values.size()) + " values, the input has " +
                       std::to_string(statistics_) + " along axis");
    }
    return values;
  }

  Json config_;
  bool invert_;
  std::int64_t size_ = 0, statistics_ = 1;
  std::vector<std::int64_t> index_;  // (input.size()): which statistic an element uses
  Variable *mean_ = nullptr, *variance_ = nullptr, *count_ = nullptr;
  std::vector<float> given_mean_, given_variance_;
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
             "(x - mean) / sqrt(variance); without given statistics it learns those of the training rows (keras.layers.Normalization, adapt)"},
            [](const Json& config) { return std::make_unique<Normalization>(config); });
}

}  // namespace nntrain::nn

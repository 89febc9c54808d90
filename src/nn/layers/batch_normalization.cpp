// BatchNormalization with the statistics of the whole mini-batch over all ranks: Ioffe and Szegedy 2015;
// keras/src/layers/normalization/batch_normalization.py.

#include <algorithm>
#include <cmath>
#include <vector>

#include "nn/layers/layer_registry.h"

namespace nntrain::nn {

namespace {

class BatchNormalization : public Layer {
 public:
  explicit BatchNormalization(const Json& config)
      : config_(config),
        momentum_(config["momentum"].get<double>()),
        epsilon_(config["epsilon"].get<double>()) {}

  InputDemand input_demand() const override { return InputDemand::kShape; }
  Shape build(const Shape& input, VariableBuilder& variables) override {
    Json axis = config_["axis"];
    if (axis.is_array() && axis.size() == 1) axis = Json(axis[0]);
    if (!axis.is_number_integer())
      throw InputError("layer \"" + name() + "\": axis must be one whole number");
    const std::int64_t at = sample_axis(axis.get<std::int64_t>(), input.rank(), name());
    channels_ = input[at];
    size_ = input.size();
    inner_ = 1;
    for (std::int64_t a = at + 1; a < input.rank(); ++a) inner_ *= input[a];
    const auto add = [&](const std::string& variable, bool trainable) {
      const auto option = [&](const std::string& key) { return config_.value(variable + key, Json()); };
      return variables.add(variable, Shape{channels_}, trainable, make_initializer(option("_initializer")),
                           make_regularizer(option("_regularizer")), make_constraint(option("_constraint")));
    };
    if (config_["scale"].get<bool>()) gamma_ = add("gamma", true);
    if (config_["center"].get<bool>()) beta_ = add("beta", true);
    moving_mean_ = add("moving_mean", false);
    moving_variance_ = add("moving_variance", false);
    return input;
  }

  bool backward_reads_output() const override { return false; }

  void prepare(std::int64_t, Mode) override {
    const auto channels = static_cast<std::size_t>(channels_);
    for (auto* values : {&mean_, &inverse_, &factor_, &offset_, &mean_dy_, &mean_dy_x_})
      values->resize(channels);
    batch_mean_.resize(channels);
    total_.resize(2 * channels);
  }

  void forward(const BatchContext& context, const float* x, float* y) override {
    if (uses_batch(context)) {
      take_batch_statistics(context, x);
    } else {
      for (std::int64_t c = 0; c < channels_; ++c)
        set_channel(c, moving_mean_->values[c], moving_variance_->values[c]);
    }
    const float *mean = mean_.data(), *factor = factor_.data(), *offset = offset_.data();
    for_rows(context.rows,
             [=](std::int64_t i, std::int64_t c) { y[i] = (x[i] - mean[c]) * factor[c] + offset[c]; });
  }

  void backward(const BatchContext& context, const float* x, const float*, float* dy, float* dx,
                GradientTree& gradients) override {
    const float *mean = mean_.data(), *inverse = inverse_.data(), *factor = factor_.data();
    // Per shard: sums of dy, which are beta's gradient, and of dy * normalized x, which are gamma's.
    const std::int64_t channels = channels_, width = 2 * channels_;
    shard_sums(context, width, [=](std::int64_t i, std::int64_t c, double* sums) {
      sums[c] += static_cast<double>(dy[i]);
      sums[channels + c] += static_cast<double>(dy[i] * ((x[i] - mean[c]) * inverse[c]));
    });
    const auto add_gradient = [&](const Variable* variable, std::int64_t first) {
      if (variable == nullptr || !variable->trainable) return;
      gradients.add(*variable, [&](int s, float* destination) {
        const double* sums = sums_.data() + s * width + first;
        for (std::int64_t c = 0; c < channels; ++c) destination[c] = static_cast<float>(sums[c]);
      });
    };
    add_gradient(gamma_, channels_);
    add_gradient(beta_, 0);
    if (!uses_batch(context)) {  // the statistics are constants
      if (dx != nullptr)
        for_rows(context.rows, [=](std::int64_t i, std::int64_t c) { dx[i] = dy[i] * factor[c]; });
      return;
    }
    if (dx == nullptr) return;  // on all ranks or on none
    total_.resize(static_cast<std::size_t>(width));
    context.sums->sum({sums_.data(), static_cast<std::size_t>(width * context.local_shards())}, total_);
    const double count = elements_per_channel(context);
    for (std::int64_t c = 0; c < channels; ++c) {
      mean_dy_[at(c)] = static_cast<float>(total_[at(c)] / count);
      mean_dy_x_[at(c)] = static_cast<float>(total_[at(channels + c)] / count);
    }
    const float *mean_dy = mean_dy_.data(), *mean_dy_x = mean_dy_x_.data();
    for_rows(context.rows, [=](std::int64_t i, std::int64_t c) {
      dx[i] = factor[c] * (dy[i] - mean_dy[c] - (x[i] - mean[c]) * inverse[c] * mean_dy_x[c]);
    });
  }

 private:
  static std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }
  bool uses_batch(const BatchContext& context) const {
    return context.mode == Mode::kTraining && trainable();
  }
  double elements_per_channel(const BatchContext& context) const {
    return static_cast<double>(context.batch_rows * (size_ / channels_));
  }

  /// Calls use(element, channel) for `rows` rows from row `first`.
  template <class Use>
  void for_rows(std::int64_t rows, Use use, std::int64_t first = 0) const {
    const std::int64_t channels = channels_, inner = inner_, end = (first + rows) * size_;
    if (inner == 1) {  // a loop over the channels, which the compiler makes a vector loop
      for (std::int64_t r = first * size_; r < end; r += channels) {
        for (std::int64_t c = 0; c < channels; ++c) use(r + c, c);
      }
      return;
    }
    for (std::int64_t r = first * size_; r < end; r += channels * inner) {
      for (std::int64_t c = 0; c < channels; ++c) {
        for (std::int64_t k = 0; k < inner; ++k) use(r + c * inner + k, c);
      }
    }
  }

  /// sums_ (local shards, width) = what `add` puts into each shard's sums.
  template <class Add>
  void shard_sums(const BatchContext& context, std::int64_t width, Add add) {
    const std::size_t all = at(width * context.local_shards());
    if (sums_.size() < all) sums_.resize(all);
    std::fill_n(sums_.begin(), all, 0.0);
    for (int s = 0; s < context.local_shards(); ++s) {
      double* sums = sums_.data() + s * width;
      for_rows(
          context.shard_rows(s), [=](std::int64_t i, std::int64_t c) { add(i, c, sums); },
          context.bounds[static_cast<std::size_t>(s)]);
    }
  }

  /// Two passes: the mean first, because sums of squares cancel.
  void take_batch_statistics(const BatchContext& context, const float* x) {
    const double count = elements_per_channel(context);
    const auto sum_all = [&] {
      total_.resize(at(channels_));
      context.sums->sum({sums_.data(), at(channels_ * context.local_shards())}, total_);
    };
    shard_sums(context, channels_,
               [=](std::int64_t i, std::int64_t c, double* sums) { sums[c] += static_cast<double>(x[i]); });
    sum_all();
    for (std::int64_t c = 0; c < channels_; ++c) batch_mean_[at(c)] = total_[at(c)] / count;
    const double* mean = batch_mean_.data();
    shard_sums(context, channels_, [=](std::int64_t i, std::int64_t c, double* sums) {
      const double distance = static_cast<double>(x[i]) - mean[c];
      sums[c] += distance * distance;
    });
    sum_all();
    for (std::int64_t c = 0; c < channels_; ++c) {
      set_channel(c, static_cast<float>(mean[c]), static_cast<float>(total_[at(c)] / count));
    }
    if (context.writes_state) move_statistics(count);
  }

  /// As Keras: moving = moving * momentum + batch * (1 - momentum), with the biased variance.
  void move_statistics(double count) {
    const auto keep = static_cast<float>(momentum_), take = static_cast<float>(1.0 - momentum_);
    for (std::int64_t c = 0; c < channels_; ++c) {
      const auto variance = static_cast<float>(total_[at(c)] / count);
      moving_mean_->values[c] =
          moving_mean_->values[c] * keep + static_cast<float>(batch_mean_[at(c)]) * take;
      moving_variance_->values[c] = moving_variance_->values[c] * keep + variance * take;
    }
  }

  void set_channel(std::int64_t c, float mean, float variance) {
    mean_[at(c)] = mean;
    inverse_[at(c)] = 1.0F / std::sqrt(variance + static_cast<float>(epsilon_));
    factor_[at(c)] = gamma_ == nullptr ? inverse_[at(c)] : inverse_[at(c)] * gamma_->values[c];
    offset_[at(c)] = beta_ == nullptr ? 0.0F : beta_->values[c];
  }

  Json config_;
  double momentum_, epsilon_;
  std::int64_t channels_ = 0, inner_ = 1, size_ = 0;
  Variable *gamma_ = nullptr, *beta_ = nullptr, *moving_mean_ = nullptr, *moving_variance_ = nullptr;
  std::vector<float> mean_, inverse_, factor_, offset_;  // (channels) of the last forward pass
  std::vector<float> mean_dy_, mean_dy_x_;               // (channels) over the mini-batch
  std::vector<double> batch_mean_;                       // (channels)
  std::vector<double> sums_;                             // (local shards, width)
  std::vector<double> total_;                            // (width)
};

}  // namespace

void add_batch_normalization(Registry<Layer>& registry) {
  add_layer(registry,
            {"BatchNormalization",
             {"batch_normalization"},
             {{"axis", Kind::kAny, -1},
              {"momentum", Kind::kNumber, 0.99},
              {"epsilon", Kind::kNumber, 1e-3},
              {"center", Kind::kBoolean, true},
              {"scale", Kind::kBoolean, true},
              initializer_parameter("beta_initializer", "zeros"),
              initializer_parameter("gamma_initializer", "ones"),
              initializer_parameter("moving_mean_initializer", "zeros"),
              initializer_parameter("moving_variance_initializer", "ones"),
              regularizer_parameter("beta_regularizer"),
              regularizer_parameter("gamma_regularizer"),
              constraint_parameter("beta_constraint"),
              constraint_parameter("gamma_constraint"),
              unsupported_parameter("renorm", false),
              unsupported_parameter("renorm_clipping"),
              unsupported_parameter("renorm_momentum", 0.99),
              {"synchronized", Kind::kBoolean, false}},
             "normalizes by the statistics of the whole mini-batch, whatever `synchronized` says, Ioffe and "
             "Szegedy 2015 "
             "(keras.layers.BatchNormalization); no renorm"},
            [](const Json& config) { return std::make_unique<BatchNormalization>(config); });
}

}  // namespace nntrain::nn

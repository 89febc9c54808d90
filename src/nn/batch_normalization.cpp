// BatchNormalization with the statistics of the whole mini-batch over all ranks: Ioffe and Szegedy 2015;
// keras/src/layers/normalization/batch_normalization.py.

#include <algorithm>
#include <cmath>
#include <vector>

#include "nn/layer_registry.h"

namespace nntrain::nn {

namespace {

class BatchNormalization : public Layer {
 public:
  explicit BatchNormalization(const Json& config)
      : config_(config), momentum_(config["momentum"].get<double>()), epsilon_(config["epsilon"].get<double>()) {}

  Shape build(const Shape& input, VariableBuilder& variables) override {
    Json axis = config_["axis"];
    if (axis.is_array() && axis.size() == 1) axis = Json(axis[0]);
    if (!axis.is_number_integer()) throw InputError("layer \"" + name() + "\": axis must be one whole number");
    const std::int64_t at = sample_axis(axis.get<std::int64_t>(), input.rank(), name());
    channels_ = input[at];
    size_ = input.size();
    inner_ = 1;
    for (std::int64_t a = at + 1; a < input.rank(); ++a) inner_ *= input[a];
    const auto add = [&](const char* variable, bool trainable, const char* stem) {
      const std::string prefix(stem);
      const auto option = [&](const std::string& key) { return config_.contains(key) ? config_[key] : Json(); };
      return variables.add(variable, Shape{channels_}, trainable, make_initializer(config_[prefix + "_initializer"]),
                           make_regularizer(option(prefix + "_regularizer")), make_constraint(option(prefix + "_constraint")));
    };
    if (config_["scale"].get<bool>()) gamma_ = add("gamma", true, "gamma");
    if (config_["center"].get<bool>()) beta_ = add("beta", true, "beta");
    moving_mean_ = add("moving_mean", false, "moving_mean");
    moving_variance_ = add("moving_variance", false, "moving_variance");
    return input;
  }

  bool backward_reads_output() const override { return false; }

  void prepare(std::int64_t, Mode) override {
    const auto channels = static_cast<std::size_t>(channels_);
    for (auto* values : {&mean_, &inverse_, &factor_, &offset_}) values->resize(channels);
    total_.resize(2 * channels);
  }

  void forward(const BatchContext& context, const float* x, float* y) override {
    if (uses_batch(context)) {
      take_batch_statistics(context, x);
    } else {
      for (std::int64_t c = 0; c < channels_; ++c) {
        set_channel(c, moving_mean_->values[c], moving_variance_->values[c]);
      }
    }
    for_rows(context.rows, [&](std::int64_t i, std::int64_t c) { y[i] = (x[i] - mean_[at(c)]) * factor_[at(c)] + offset_[at(c)]; });
  }

  void backward(const BatchContext& context, const float* x, const float*, float* dy, float* dx, GradientTree& gradients) override {
    if (gamma_ != nullptr && gamma_->trainable) {
      gradients.add_stored(*gamma_, context, [&](int s, float* destination) {
        std::fill_n(destination, channels_, 0.0F);
        for_shard(context, s, [&](std::int64_t i, std::int64_t c) { destination[c] += dy[i] * normalized(x[i], c); });
      });
    }
    if (beta_ != nullptr && beta_->trainable) {
      gradients.add_stored(*beta_, context, [&](int s, float* destination) {
        std::fill_n(destination, channels_, 0.0F);
        for_shard(context, s, [&](std::int64_t i, std::int64_t c) { destination[c] += dy[i]; });
      });
    }
    if (!uses_batch(context)) {
      if (dx != nullptr) for_rows(context.rows, [&](std::int64_t i, std::int64_t c) { dx[i] = dy[i] * factor_[at(c)]; });
      return;
    }
    // Collective even where dx is not wanted on some rank: the answer is the same on all.
    if (dx == nullptr) return;
    const auto width = static_cast<std::size_t>(2 * channels_);
    shard_sums(context, width, [&](std::int64_t i, std::int64_t c, double* sums) {
      sums[c] += dy[i];
      sums[channels_ + c] += static_cast<double>(dy[i]) * normalized(x[i], c);
    });
    const double count = static_cast<double>(context.batch_rows * (size_ / channels_));
    for (double& sum : total_) sum /= count;
    for_rows(context.rows, [&](std::int64_t i, std::int64_t c) {
      const auto mean_dy = static_cast<float>(total_[at(c)]);
      const auto mean_dy_x = static_cast<float>(total_[at(channels_ + c)]);
      dx[i] = factor_[at(c)] * (dy[i] - mean_dy - normalized(x[i], c) * mean_dy_x);
    });
  }

 private:
  static std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }
  bool uses_batch(const BatchContext& context) const { return context.mode == Mode::kTraining && trainable(); }
  float normalized(float x, std::int64_t c) const { return (x - mean_[at(c)]) * inverse_[at(c)]; }

  /// Calls use(element, channel) for `rows` rows from row `first`.
  template <class Use>
  void for_rows(std::int64_t rows, Use use, std::int64_t first = 0) const {
    for (std::int64_t r = first * size_; r < (first + rows) * size_; r += channels_ * inner_) {
      for (std::int64_t c = 0; c < channels_; ++c) {
        for (std::int64_t k = 0; k < inner_; ++k) use(r + c * inner_ + k, c);
      }
    }
  }
  template <class Use>
  void for_shard(const BatchContext& context, int s, Use use) const {
    for_rows(context.shard_rows(s), use, context.bounds[static_cast<std::size_t>(s)]);
  }

  /// total_ = tree sum over all shards of what `add` puts into a shard's `width` sums.
  template <class Add>
  void shard_sums(const BatchContext& context, std::size_t width, Add add) {
    const std::size_t all = width * static_cast<std::size_t>(context.local_shards());
    if (sums_.size() < all) sums_.resize(all);
    std::fill_n(sums_.begin(), all, 0.0);
    for (int s = 0; s < context.local_shards(); ++s) {
      double* sums = sums_.data() + static_cast<std::size_t>(s) * width;
      for_shard(context, s, [&](std::int64_t i, std::int64_t c) { add(i, c, sums); });
    }
    total_.resize(width);
    context.sums->sum({sums_.data(), all}, total_);
  }

  void take_batch_statistics(const BatchContext& context, const float* x) {
    const double count = static_cast<double>(context.batch_rows * (size_ / channels_));
    const auto width = static_cast<std::size_t>(channels_);
    shard_sums(context, width, [&](std::int64_t i, std::int64_t c, double* sums) { sums[c] += x[i]; });
    batch_mean_ = total_;
    for (double& mean : batch_mean_) mean /= count;
    shard_sums(context, width, [&](std::int64_t i, std::int64_t c, double* sums) {
      const double distance = x[i] - batch_mean_[at(c)];
      sums[c] += distance * distance;
    });
    for (std::int64_t c = 0; c < channels_; ++c) {
      const auto mean = static_cast<float>(batch_mean_[at(c)]);
      const auto variance = static_cast<float>(total_[at(c)] / count);
      set_channel(c, mean, variance);
      if (!context.writes_state) continue;
      // As Keras: moving = moving * momentum + batch * (1 - momentum), with the biased variance.
      const auto keep = static_cast<float>(momentum_), take = static_cast<float>(1.0 - momentum_);
      moving_mean_->values[c] = moving_mean_->values[c] * keep + mean * take;
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
              {"renorm", Kind::kAny, nullptr, false, true},
              {"renorm_clipping", Kind::kAny, nullptr, false, true},
              {"renorm_momentum", Kind::kAny, nullptr, false, true},
              {"synchronized", Kind::kAny, nullptr, false, true}},
             "normalizes by the statistics of the global mini-batch, Ioffe and Szegedy 2015 (keras.layers.BatchNormalization); "
             "always synchronized, no renorm"},
            [](const Json& config) {
              if (config["renorm"] == true) throw InputError("BatchNormalization: renorm=True is not supported");
              return std::make_unique<BatchNormalization>(config);
            });
}

}  // namespace nntrain::nn

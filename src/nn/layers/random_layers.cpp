// Dropout, AlphaDropout, GaussianNoise and GaussianDropout (keras/src/layers/regularization). What is drawn
// is a function of (seed, layer, step, row of the mini-batch, element): no rank count changes it, no state is
// kept.

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include "core/random.h"
#include "nn/layers/layer_registry.h"
#include "nn/variables/seed.h"

namespace nntrain::nn {

namespace {

/// y = x * factor + shift, elementwise, with drawn factors and shifts; backward multiplies by the factors.
class RandomLayer : public Layer {
 public:
  RandomLayer(const Json& config, Purpose purpose) : purpose_(purpose), seed_(seed_of(config)) {}
  Shape build(const Shape& input, VariableBuilder&) override {
    size_ = input.size();
    if (purpose_ == Purpose::kNoise) normals_.resize(static_cast<std::size_t>(size_));
    return input;
  }
  bool in_place() const override { return true; }
  bool backward_reads_input() const override { return false; }
  bool backward_reads_output() const override { return false; }
  void prepare(std::int64_t rows, Mode mode) override {
    if (mode == Mode::kTraining && multiplies()) factors_.resize(static_cast<std::size_t>(rows * size_));
  }
  void forward(const BatchContext& context, const float* x, float* y) override {
    if (context.mode == Mode::kInference || is_off()) {
      if (x != y) std::copy_n(x, context.rows * size_, y);
      return;
    }
    const RandomStream stream(seed_.value_or(context.seed), purpose_, static_cast<std::uint32_t>(index()));
    for (std::int64_t r = 0; r < context.rows; ++r) {
      // Steps and rows share the 64-bit counter: 2^40 steps of 2^24 rows.
      const std::uint64_t major = (context.step << 24U) + static_cast<std::uint64_t>(context.first_row + r);
      float* factors = multiplies() ? factors_.data() + r * size_ : nullptr;
      draw_row(stream, major, x + r * size_, y + r * size_, factors);
    }
  }
  void backward(const BatchContext& context, const float*, const float*, float* dy, float* dx,
                GradientTree&) override {
    if (dx == nullptr) return;
    const std::int64_t count = context.rows * size_;
    if (is_off() || !multiplies()) {
      if (dx != dy) std::copy_n(dy, count, dx);
      return;
    }
    const float* factors = factors_.data();
    for (std::int64_t i = 0; i < count; ++i) dx[i] = dy[i] * factors[i];
  }

 protected:
  virtual bool is_off() const = 0;
  /// Else it only adds: there are no factors.
  virtual bool multiplies() const { return true; }
  virtual void draw_row(const RandomStream& stream, std::uint64_t major, const float* x, float* y,
                        float* factors) const = 0;
  std::int64_t size_ = 0;
  mutable std::vector<double> normals_;  // (size) of a row, for noise

 private:
  Purpose purpose_;
  std::optional<std::uint64_t> seed_;
  std::vector<float> factors_;  // (rows, size)
};

enum class Most { kOne, kBelowOne };

/// A number between 0 and 1, which some formulas cannot take at 1 (Keras divides by zero in the first step).
double rate_of(const Json& config, const std::string& argument, Most most) {
  const double rate = config[argument].get<double>();
  if (rate >= 0 && (rate < 1 || (rate == 1 && most == Most::kOne))) return rate;
  throw InputError("Invalid value received for argument `" + argument +
                   "`. Expected a float value between 0 and 1" + (most == Most::kBelowOne ? " (not 1)" : "") +
                   ". Received: " + argument + "=" + config[argument].dump());
}

/// Calls use(element, word) with 32 random bits for each of `size` elements.
template <class Use>
void for_words(const RandomStream& stream, std::uint64_t major, std::int64_t size, Use use) {
  std::array<std::uint32_t, 512> words;
  for (std::int64_t first = 0; first < size; first += static_cast<std::int64_t>(words.size())) {
    const std::int64_t count = std::min(size - first, static_cast<std::int64_t>(words.size()));
    stream.words(major, static_cast<std::uint64_t>(first),
                 std::span(words).first(static_cast<std::size_t>(count)));
    for (std::int64_t i = 0; i < count; ++i) use(first + i, words[static_cast<std::size_t>(i)]);
  }
}

class Dropout : public RandomLayer {
 public:
  explicit Dropout(const Json& config)
      : RandomLayer(config, Purpose::kDropout),
        rate_(static_cast<float>(rate_of(config, "rate", Most::kOne))) {}

 private:
  bool is_off() const override { return rate_ == 0; }
  void draw_row(const RandomStream& stream, std::uint64_t major, const float* x, float* y,
                float* factors) const override {
    const float keep = rate_ < 1 ? 1.0F / (1.0F - rate_) : 0.0F;
    for_words(stream, major, size_, [&](std::int64_t i, std::uint32_t word) {
      factors[i] = to_uniform(word) >= rate_ ? keep : 0.0F;
      y[i] = x[i] * factors[i];
    });
  }
  float rate_;
};

/// Klambauer et al. 2017: dropped values become -scale * alpha of selu, then mean and variance are restored.
class AlphaDropout : public RandomLayer {
 public:
  explicit AlphaDropout(const Json& config)
      : RandomLayer(config, Purpose::kDropout), rate_(rate_of(config, "rate", Most::kBelowOne)) {
    constexpr double kAlphaScale = 1.6732632423543772848170429916717 * 1.0507009873554804934193349852946;
    dropped_ = static_cast<float>(-kAlphaScale);
    const double a = 1.0 / std::sqrt((1.0 - rate_) * (1.0 + rate_ * kAlphaScale * kAlphaScale));
    a_ = static_cast<float>(a);
    b_ = static_cast<float>(a * kAlphaScale * rate_);
  }

 private:
  bool is_off() const override { return rate_ == 0; }
  void draw_row(const RandomStream& stream, std::uint64_t major, const float* x, float* y,
                float* factors) const override {
    for_words(stream, major, size_, [&](std::int64_t i, std::uint32_t word) {
      const bool kept = to_uniform(word) >= static_cast<float>(rate_);
      factors[i] = kept ? a_ : 0.0F;
      y[i] = a_ * (kept ? x[i] : dropped_) + b_;
    });
  }
  double rate_;
  float dropped_, a_, b_;
};

class GaussianNoise : public RandomLayer {
 public:
  explicit GaussianNoise(const Json& config)
      : RandomLayer(config, Purpose::kNoise), stddev_(rate_of(config, "stddev", Most::kOne)) {}

 private:
  bool is_off() const override { return stddev_ == 0; }
  bool multiplies() const override { return false; }
  void draw_row(const RandomStream& stream, std::uint64_t major, const float* x, float* y,
                float*) const override {
    stream.normals(major, normals_);
    for (std::int64_t i = 0; i < size_; ++i)
      y[i] = x[i] + static_cast<float>(stddev_ * normals_[static_cast<std::size_t>(i)]);
  }
  double stddev_;
};

/// Srivastava et al. 2014, section 10: multiplies by a normal of mean 1 and variance rate / (1 - rate).
class GaussianDropout : public RandomLayer {
 public:
  explicit GaussianDropout(const Json& config)
      : RandomLayer(config, Purpose::kNoise), rate_(rate_of(config, "rate", Most::kBelowOne)) {}

 private:
  bool is_off() const override { return rate_ == 0; }
  void draw_row(const RandomStream& stream, std::uint64_t major, const float* x, float* y,
                float* factors) const override {
    const double stddev = std::sqrt(rate_ / (1.0 - rate_));
    stream.normals(major, normals_);
    for (std::int64_t i = 0; i < size_; ++i) {
      factors[i] = static_cast<float>(1.0 + stddev * normals_[static_cast<std::size_t>(i)]);
      y[i] = x[i] * factors[i];
    }
  }
  double rate_;
};

}  // namespace

void add_random_layers(Registry<Layer>& registry) {
  const Parameter seed = seed_parameter();
  const Parameter rate{"rate", Kind::kNumber, nullptr, true};
  add_layer(registry,
            {"Dropout",
             {"dropout"},
             {rate, unsupported_parameter("noise_shape"), seed},
             "0 with probability rate, else x / (1 - rate), Srivastava et al. 2014 (keras.layers.Dropout)"},
            [](const Json& config) { return std::make_unique<Dropout>(config); });
  add_layer(
      registry,
      {"AlphaDropout",
       {"alpha_dropout"},
       {rate, unsupported_parameter("noise_shape"), seed},
       "dropout that keeps mean and variance after selu, Klambauer et al. 2017 (keras.layers.AlphaDropout)"},
      [](const Json& config) { return std::make_unique<AlphaDropout>(config); });
  add_layer(registry,
            {"GaussianNoise",
             {"gaussian_noise"},
             {{"stddev", Kind::kNumber, nullptr, true}, seed},
             "x + a normal number of deviation stddev (keras.layers.GaussianNoise)"},
            [](const Json& config) { return std::make_unique<GaussianNoise>(config); });
  add_layer(registry,
            {"GaussianDropout",
             {"gaussian_dropout"},
             {rate, seed},
             "x times a normal number of mean 1 and variance rate / (1 - rate), Srivastava et al. 2014 "
             "(keras.layers.GaussianDropout)"},
            [](const Json& config) { return std::make_unique<GaussianDropout>(config); });
}

}  // namespace nntrain::nn

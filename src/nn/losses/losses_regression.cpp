// Elementwise losses, averaged over the last axis (keras/src/losses/losses.py).

#include <algorithm>
#include <cmath>

#include "core/elementary.h"
#include "nn/activations/vector_math.h"
#include "nn/losses/loss_common.h"

namespace nntrain::nn {

namespace {

struct Term {
  float value, slope;  ///< of one element, slope by the prediction
};

struct SquaredError {
  explicit SquaredError(const Json&) {}
  Term operator()(float t, float p) const { return {(p - t) * (p - t), 2.0F * (p - t)}; }
};
struct AbsoluteError {
  explicit AbsoluteError(const Json&) {}
  Term operator()(float t, float p) const { return {std::abs(p - t), p > t ? 1.0F : (p < t ? -1.0F : 0.0F)}; }
};
struct PercentageError {
  static constexpr bool kDividesByTargets = true;
  explicit PercentageError(const Json&) {}
  Term operator()(float t, float p) const {
    const float scale = 100.0F / std::max(std::abs(t), kEpsilon);
    return {scale * std::abs(t - p), p > t ? scale : (p < t ? -scale : 0.0F)};
  }
};
struct SquaredLogarithmicError {
  static constexpr TargetMeaning kMeaning = TargetMeaning::kCounts;
  explicit SquaredLogarithmicError(const Json&) {}
  Term operator()(float t, float p) const {
    const float clipped = std::max(p, kEpsilon);
    const float distance = elementary::log(clipped + 1.0F) - elementary::log(std::max(t, kEpsilon) + 1.0F);
    return {distance * distance, p > kEpsilon ? 2.0F * distance / (clipped + 1.0F) : 0.0F};
  }
};
struct HuberError {
  explicit HuberError(const Json& config) : delta(config["delta"].get<float>()) {}
  Term operator()(float t, float p) const {
    const float e = p - t, size = std::abs(e);
    if (size <= delta) return {0.5F * e * e, e};
    return {delta * size - 0.5F * delta * delta, e > 0 ? delta : -delta};
  }
  float delta;
};
struct LogCoshError {
  explicit LogCoshError(const Json&) {}
  Term operator()(float t, float p) const {
    const float e = p - t;
    return {e + softplus(-2.0F * e) - 0.693147181F, fast_tanh(e)};
  }
};
struct PoissonError {
  static constexpr TargetMeaning kMeaning = TargetMeaning::kCounts;
  explicit PoissonError(const Json&) {}
  Term operator()(float t, float p) const {
    return {p - t * elementary::log(p + kEpsilon), 1.0F - t / (p + kEpsilon)};
  }
};
struct Divergence {  // summed, not averaged
  static constexpr TargetMeaning kMeaning = TargetMeaning::kDistribution;
  explicit Divergence(const Json&) {}
  Term operator()(float t, float p) const {
    const float tc = std::min(std::max(t, kEpsilon), 1.0F), pc = std::min(std::max(p, kEpsilon), 1.0F);
    const float inside =
        p > kEpsilon && p < 1.0F
            ? 1.0F
            : (p < kEpsilon || p > 1.0F ? 0.0F : 0.5F);  // the clip's slope, at its corners as JAX
    return {tc * elementary::log(tc / pc), -inside * tc / pc};
  }
};

template <class Error, bool kMean = true>
class ElementwiseLoss : public CommonLoss {
 public:
  explicit ElementwiseLoss(const Json& config)
      : CommonLoss(config, TargetForm::kValues, meaning()), error_(config) {}

  bool divides_by_targets() const override {
    return requires { Error::kDividesByTargets; };
  }

  void compute(const LossInputs& in, const float* scale, float* values, float* d_logits) const override {
    const float share = kMean ? 1.0F / static_cast<float>(in.classes) : 1.0F;
    for (std::int64_t i = 0; i < in.positions; ++i) {
      const float* t = in.targets + i * in.classes;
      const float* p = in.predictions + i * in.classes;
      float sum = 0;
      for (std::int64_t c = 0; c < in.classes; ++c) {
        const Term term = error_(t[c], p[c]);
        sum += term.value;
        if (d_logits != nullptr) d_logits[i * in.classes + c] = scale[i] * share * term.slope;
      }
      values[i] = sum * share;
    }
  }

 private:
  static constexpr TargetMeaning meaning() {
    if constexpr (requires { Error::kMeaning; }) return Error::kMeaning;
    return TargetMeaning::kNumbers;
  }
  Error error_;
};

template <class Error, bool kMean = true>
void add(Registry<Loss>& registry, const std::string& name, std::vector<std::string> aliases,
         const std::string& formula, std::vector<Parameter> own = {}) {
  registry.add(
      loss_signature(name, std::move(aliases), std::move(own), formula + " (keras.losses." + name + ")"),
      [](const Json& config) { return std::make_unique<ElementwiseLoss<Error, kMean>>(config); });
}

}  // namespace

void add_regression_losses(Registry<Loss>& registry) {
  add<SquaredError>(registry, "MeanSquaredError", {"mean_squared_error", "mse", "MSE"}, "mean (y - t)^2");
  add<AbsoluteError>(registry, "MeanAbsoluteError", {"mean_absolute_error", "mae", "MAE"}, "mean |y - t|");
  add<PercentageError>(registry, "MeanAbsolutePercentageError",
                       {"mean_absolute_percentage_error", "mape", "MAPE"}, "100 mean |y - t| / |t|");
  add<SquaredLogarithmicError>(registry, "MeanSquaredLogarithmicError",
                               {"mean_squared_logarithmic_error", "msle", "MSLE"},
                               "mean (log(1 + y) - log(1 + t))^2");
  add<HuberError>(registry, "Huber", {"huber"}, "quadratic up to delta, then linear, Huber 1964",
                  {{"delta", Kind::kNumber, 1.0}});
  add<LogCoshError>(registry, "LogCosh", {"log_cosh", "logcosh"}, "mean log cosh(y - t)");
  add<PoissonError>(registry, "Poisson", {"poisson"}, "mean y - t log y");
  add<Divergence, false>(registry, "KLDivergence", {"kl_divergence", "kld", "KLD"}, "sum t log(t / y)");
}

}  // namespace nntrain::nn

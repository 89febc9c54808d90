// Margins: the perceptron (Rosenblatt 1958; scikit-learn's Perceptron) and the hinges
// (keras/src/losses/losses.py).

#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/losses/loss_common.h"

namespace nntrain::nn {

namespace {

/// Targets 0 and 1 (or -1 and 1) as -1 and 1.
float sign_of(float t) { return t > 0 ? 1.0F : -1.0F; }

struct PerceptronMargin {
  static constexpr bool kMean = false;  // every output is a problem of its own: one class against the rest
  static void term(float t, float z, float& value, float& slope) {
    const bool wrong = t * z <= 0;
    value = wrong ? -t * z : 0.0F;
    slope = wrong ? -t : 0.0F;
  }
};
struct HingeMargin {
  static constexpr bool kMean = true;
  static void term(float t, float z, float& value, float& slope) {
    const float miss = 1.0F - t * z;
    value = miss > 0 ? miss : 0.0F;
    slope = miss > 0 ? -t : 0.0F;
  }
};
struct SquaredHingeMargin {
  static constexpr bool kMean = true;
  static void term(float t, float z, float& value, float& slope) {
    const float miss = std::max(1.0F - t * z, 0.0F);
    value = miss * miss;
    slope = -2.0F * t * miss;
  }
};

template <class Margin>
class MarginLoss : public CommonLoss {
 public:
  explicit MarginLoss(const Json& config) : CommonLoss(config, TargetForm::kOneHot, TargetMeaning::kSigns) {}
  OutputMeaning output_meaning() const override { return OutputMeaning::kSigns; }
  void compute(const LossInputs& in, const float* scale, float* values, float* d_logits) const override {
    const float share = Margin::kMean ? 1.0F / static_cast<float>(in.classes) : 1.0F;
    for (std::int64_t i = 0; i < in.positions; ++i) {
      float sum = 0;
      for (std::int64_t c = 0; c < in.classes; ++c) {
        const std::int64_t at = i * in.classes + c;
        float value = 0, slope = 0;
        Margin::term(sign_of(in.targets[at]), in.predictions[at], value, slope);
        sum += value;
        if (d_logits != nullptr) d_logits[at] = scale[i] * share * slope;
      }
      values[i] = sum * share;
    }
  }
};

/// max(max((1 - t) y) - sum(t y) + 1, 0).
class CategoricalHinge : public CommonLoss {
 public:
  explicit CategoricalHinge(const Json& config) : CommonLoss(config, TargetForm::kOneHot) {}
  void compute(const LossInputs& in, const float* scale, float* values, float* d_logits) const override {
    for (std::int64_t i = 0; i < in.positions; ++i) {
      const float* t = in.targets + i * in.classes;
      const float* p = in.predictions + i * in.classes;
      float right = 0, wrong = -std::numeric_limits<float>::infinity();
      std::int64_t worst = 0;
      for (std::int64_t c = 0; c < in.classes; ++c) {
        right += t[c] * p[c];
        if ((1.0F - t[c]) * p[c] > wrong) {
          wrong = (1.0F - t[c]) * p[c];
          worst = c;
        }
      }
      values[i] = std::max(wrong - right + 1.0F, 0.0F);
      if (d_logits == nullptr) continue;
      const float s = values[i] > 0 ? scale[i] : 0.0F;
      float* d = d_logits + i * in.classes;
      for (std::int64_t c = 0; c < in.classes; ++c) d[c] = -s * t[c];
      d[worst] += s * (1.0F - t[worst]);
    }
  }
};

}  // namespace

void add_margin_losses(Registry<Loss>& registry) {
  registry.add(loss_signature("Perceptron", {"perceptron"}, {},
                              "max(0, -t y) with t = +1 or -1 and the subgradient -t where t y <= 0; several "
                              "outputs: one class against the rest, "
                              "summed (scikit-learn's Perceptron)"),
               [](const Json& config) { return std::make_unique<MarginLoss<PerceptronMargin>>(config); });
  registry.add(loss_signature("Hinge", {"hinge"}, {},
                              "mean max(1 - t y, 0), targets 0 count as -1 (keras.losses.Hinge)"),
               [](const Json& config) { return std::make_unique<MarginLoss<HingeMargin>>(config); });
  registry.add(loss_signature("SquaredHinge", {"squared_hinge"}, {},
                              "mean max(1 - t y, 0)^2 (keras.losses.SquaredHinge)"),
               [](const Json& config) { return std::make_unique<MarginLoss<SquaredHingeMargin>>(config); });
  registry.add(loss_signature("CategoricalHinge", {"categorical_hinge"}, {},
                              "max(max((1 - t) y) - sum(t y) + 1, 0) (keras.losses.CategoricalHinge)"),
               [](const Json& config) { return std::make_unique<CategoricalHinge>(config); });
}

}  // namespace nntrain::nn

// Losses of whole rows: cosine similarity, Dice and Tversky along the last axis (keras/src/losses/losses.py).

#include <algorithm>
#include <cmath>

#include "nn/loss_common.h"
#include "nntrain/core/call.h"

namespace nntrain::nn {

namespace {

void require_last_axis(const Json& config, const std::string& loss) {
  if (config["axis"] != -1 && config["axis"] != Json::array({-1})) {
    throw InputError(loss + ": only axis=-1 is supported (got " + format_call(config["axis"]) + "): a loss along the batch would not be a sum over samples");
  }
}

/// -sum of the products of the normalized vectors.
class CosineSimilarity : public CommonLoss {
 public:
  explicit CosineSimilarity(const Json& config) : CommonLoss(config) { require_last_axis(config, "CosineSimilarity"); }
  void compute(const LossInputs& in, const float* scale, float* values, float* d_logits) const override {
    for (std::int64_t i = 0; i < in.positions; ++i) {
      const float* t = in.targets + i * in.classes;
      const float* p = in.predictions + i * in.classes;
      double tt = 0, pp = 0, tp = 0;
      for (std::int64_t c = 0; c < in.classes; ++c) {
        tt += static_cast<double>(t[c]) * t[c];
        pp += static_cast<double>(p[c]) * p[c];
        tp += static_cast<double>(t[c]) * p[c];
      }
      constexpr double kSmallest = 1e-6;  // keras.ops.normalize: the root of its epsilon 1e-12
      const double t_norm = std::max(std::sqrt(tt), kSmallest), p_norm = std::max(std::sqrt(pp), kSmallest);
      const double cosine = tp / (t_norm * p_norm);
      values[i] = static_cast<float>(-cosine);
      if (d_logits == nullptr) continue;
      const double pull = std::sqrt(pp) > kSmallest ? cosine / (p_norm * p_norm) : 0.0;
      for (std::int64_t c = 0; c < in.classes; ++c) {
        d_logits[i * in.classes + c] = static_cast<float>(-scale[i] * (t[c] / (t_norm * p_norm) - p[c] * pull));
      }
    }
  }
};

/// Tversky et al. 2017: 1 - (tp + e) / (tp + alpha fn + beta fp + e), alpha and beta as Keras applies them; Dice is alpha = beta = 1/2 in Keras' own form.
class OverlapLoss : public CommonLoss {
 public:
  OverlapLoss(const Json& config, const std::string& name, double alpha, double beta, bool dice)
      : CommonLoss(config), alpha_(alpha), beta_(beta), dice_(dice) {
    require_last_axis(config, name);
  }
  void compute(const LossInputs& in, const float* scale, float* values, float* d_logits) const override {
    for (std::int64_t i = 0; i < in.positions; ++i) {
      const float* t = in.targets + i * in.classes;
      const float* p = in.predictions + i * in.classes;
      double both = 0, only_p = 0, only_t = 0, sum_t = 0, sum_p = 0;
      for (std::int64_t c = 0; c < in.classes; ++c) {
        both += static_cast<double>(t[c]) * p[c];
        only_p += (1.0 - t[c]) * p[c];
        only_t += t[c] * (1.0 - p[c]);
        sum_t += t[c];
        sum_p += p[c];
      }
      const double e = kEpsilon;
      const double top = dice_ ? 2.0 * both : both;
      const double bottom = dice_ ? sum_t + sum_p + e : both + alpha_ * only_t + beta_ * only_p + e;
      values[i] = static_cast<float>(1.0 - top / bottom);
      if (d_logits == nullptr) continue;
      for (std::int64_t c = 0; c < in.classes; ++c) {
        const double top_slope = dice_ ? 2.0 * t[c] : t[c];
        const double bottom_slope = dice_ ? 1.0 : t[c] - alpha_ * t[c] + beta_ * (1.0 - t[c]);
        d_logits[i * in.classes + c] = static_cast<float>(-scale[i] * (top_slope * bottom - top * bottom_slope) / (bottom * bottom));
      }
    }
  }

 private:
  double alpha_, beta_;
  bool dice_;
};

}  // namespace

void add_row_losses(Registry<Loss>& registry) {
  const Parameter last{"axis", Kind::kAny, -1}, none{"axis", Kind::kAny, nullptr, false, true};
  registry.add(loss_signature("CosineSimilarity", {"cosine_similarity"}, {last}, "-cos of the angle between t and y (keras.losses.CosineSimilarity)"),
               [](const Json& config) { return std::make_unique<CosineSimilarity>(config); });
  Signature dice = loss_signature("Dice", {"dice"}, {}, "1 - 2 |t y| / (|t| + |y|) along axis=-1 (keras.losses.Dice)");
  dice.parameters = {dice.parameters[0], dice.parameters[1], none, dice.parameters[2]};  // reduction, name, axis, dtype
  registry.add(dice, [](const Json& config) { return std::make_unique<OverlapLoss>(config, "Dice", 0.5, 0.5, true); });
  Signature tversky = loss_signature("Tversky", {"tversky"}, {{"alpha", Kind::kNumber, 0.5}, {"beta", Kind::kNumber, 0.5}}, "Salehi et al. 2017, along axis=-1 (keras.losses.Tversky)");
  tversky.parameters = {tversky.parameters[0], tversky.parameters[1], tversky.parameters[2], tversky.parameters[3], none, tversky.parameters[4]};
  registry.add(tversky, [](const Json& config) {
    return std::make_unique<OverlapLoss>(config, "Tversky", config["alpha"].get<double>(), config["beta"].get<double>(), false);
  });
}

}  // namespace nntrain::nn

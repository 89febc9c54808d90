// Crossentropies and their focal forms (keras/src/losses/losses.py, keras/src/backend/jax/nn.py). Behind a
// softmax or sigmoid head they compute from logits; given probabilities they clip as Keras does.

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/call.h"
#include "core/elementary.h"
#include "nn/activations/row_activations.h"
#include "nn/activations/vector_math.h"
#include "nn/losses/loss_common.h"
#include "nn/variables/parameters.h"

namespace nntrain::nn {

namespace {

float clipped(float p) { return std::min(std::max(p, kEpsilon), 1.0F - kEpsilon); }
bool inside(float p) { return p >= kEpsilon && p <= 1.0F - kEpsilon; }

/// log(sum e^z) - z[k], stable.
float log_loss_from_logits(const float* z, std::int64_t classes, std::int64_t k) {
  const float largest = *std::max_element(z, z + classes);
  float sum = 0;
  for (std::int64_t c = 0; c < classes; ++c) sum += fast_exp(z[c] - largest);
  return elementary::log(sum) - (z[k] - largest);
}

OutputMeaning crossentropy_meaning(bool from_logits) {
  return from_logits ? OutputMeaning::kLogits : OutputMeaning::kProbabilities;
}

class SparseCategoricalCrossentropy : public CommonLoss {
 public:
  explicit SparseCategoricalCrossentropy(const Json& config)
      : CommonLoss(config, TargetForm::kClassIndex), from_logits_(config["from_logits"].get<bool>()) {
    if (!config["ignore_class"].is_null()) {
      ignores_ = true;
      ignored_ = config["ignore_class"].get<float>();
    }
  }
  bool fuses(Head head) const override {
    return head == Head::kNone || (head == Head::kSoftmax && !from_logits_);
  }
  OutputMeaning output_meaning() const override { return crossentropy_meaning(from_logits_); }
  bool has_mask() const override { return ignores_; }
  std::optional<std::int64_t> ignored_class() const override {
    return ignores_ ? std::optional(static_cast<std::int64_t>(ignored_)) : std::nullopt;
  }

  bool mask(const LossInputs& in, std::span<float> mask) const override {
    for (std::int64_t i = 0; i < in.positions; ++i)
      mask[static_cast<std::size_t>(i)] = in.targets[i] == ignored_ ? 0.0F : 1.0F;
    return ignores_;
  }

  void compute(const LossInputs& in, const float* scale, float* values, float* d_logits) const override {
    const bool from_logits = from_logits_ || in.head == Head::kSoftmax;
    for (std::int64_t i = 0; i < in.positions; ++i) {
      float* d = d_logits == nullptr ? nullptr : d_logits + i * in.classes;
      const auto k = static_cast<std::int64_t>(in.targets[i]);
      if (k < 0 || k >= in.classes) {  // an ignored class; labels were checked when they were loaded
        values[i] = 0;
        if (d != nullptr) std::fill_n(d, in.classes, 0.0F);
        continue;
      }
      const float* p = in.predictions + i * in.classes;
      from_logits ? logits_row(in, i, k, scale, values, d)
                  : probability_row(p, in.classes, k, scale == nullptr ? 0.0F : scale[i], values[i], d);
    }
  }

 private:
  void logits_row(const LossInputs& in, std::int64_t i, std::int64_t k, const float* scale, float* values,
                  float* d) const {
    const float* z = in.logits + i * in.classes;
    const float* p = in.predictions + i * in.classes;
    const bool has_softmax = in.head == Head::kSoftmax;
    // -log p is exact enough unless p has lost its digits.
    values[i] =
        has_softmax && p[k] > 1e-20F ? -elementary::log(p[k]) : log_loss_from_logits(z, in.classes, k);
    if (d == nullptr) return;
    if (!has_softmax) {
      softmax_rows(1, in.classes, z, d);
      p = d;
    }
    const float s = scale[i];
    for (std::int64_t c = 0; c < in.classes; ++c) d[c] = s * p[c];
    d[k] -= s;
  }

  static void probability_row(const float* p, std::int64_t classes, std::int64_t k, float scale, float& value,
                              float* d) {
    float sum = 0;
    for (std::int64_t c = 0; c < classes; ++c) sum += p[c];
    const float q = p[k] / sum;
    value = -elementary::log(clipped(q));
    if (d == nullptr) return;
    const float slope = inside(q) ? -scale / q : 0.0F;  // by q = p / sum
    for (std::int64_t c = 0; c < classes; ++c) d[c] = ((c == k ? slope : 0.0F) - slope * q) / sum;
  }

  bool from_logits_;
  bool ignores_ = false;
  float ignored_ = 0;
};

/// sum over classes of term(t, q), q the normalized and clipped probabilities.
class CategoricalCrossentropy : public CommonLoss {
 public:
  enum class Focal { kNo, kYes };
  CategoricalCrossentropy(const Json& config, Focal focal)
      : CommonLoss(config, TargetForm::kOneHot),
        focal_(focal == Focal::kYes),
        from_logits_(config["from_logits"].get<bool>()),
        smoothing_(config["label_smoothing"].get<float>()) {
    if (!focal_) return;
    gamma_ = config["gamma"].get<float>();
    for (const Json& alpha : config["alpha"].is_array() ? config["alpha"] : Json::array({config["alpha"]})) {
      if (!alpha.is_number())
        throw InputError("alpha must be a number or a list, got " + format_call(config["alpha"]));
      alpha_.push_back(alpha.get<float>());
    }
  }
  bool fuses(Head head) const override {
    return head == Head::kNone || (head == Head::kSoftmax && !from_logits_ && !focal_);
  }
  OutputMeaning output_meaning() const override { return crossentropy_meaning(from_logits_); }
  void check_shapes(const Shape& target, const Shape& output) const override {
    CommonLoss::check_shapes(target, output);
    if (focal_ && alpha_.size() > 1 && static_cast<std::int64_t>(alpha_.size()) != output.last()) {
      throw InputError("alpha has " + std::to_string(alpha_.size()) + " values for " +
                       std::to_string(output.last()) + " classes");
    }
  }

  void compute(const LossInputs& in, const float* scale, float* values, float* d_logits) const override {
    for (std::int64_t i = 0; i < in.positions; ++i) {
      float* d = d_logits == nullptr ? nullptr : d_logits + i * in.classes;
      const float s = scale == nullptr ? 0.0F : scale[i];
      if (!focal_ && (from_logits_ || in.head == Head::kSoftmax)) {
        logits_row(in, i, s, values[i], d);
      } else {
        probability_row(in, i, s, values[i], d);
      }
    }
  }

 private:
  float smoothed(float t, std::int64_t classes) const {
    return smoothing_ > 0 ? t * (1.0F - smoothing_) + smoothing_ / static_cast<float>(classes) : t;
  }
  float alpha(std::int64_t c) const {
    return alpha_.size() == 1 ? alpha_[0] : alpha_[static_cast<std::size_t>(c)];
  }

  void logits_row(const LossInputs& in, std::int64_t i, float scale, float& value, float* d) const {
    const float* z = in.logits + i * in.classes;
    const float* t = in.targets + i * in.classes;
    const float largest = *std::max_element(z, z + in.classes);
    float sum = 0;
    for (std::int64_t c = 0; c < in.classes; ++c) sum += fast_exp(z[c] - largest);
    const float log_sum = elementary::log(sum);
    float total = 0, mass = 0;
    for (std::int64_t c = 0; c < in.classes; ++c) {
      const float weight = smoothed(t[c], in.classes);
      total += weight == 0 ? 0.0F : weight * (log_sum - (z[c] - largest));
      mass += weight;
    }
    value = total;
    if (d == nullptr) return;
    for (std::int64_t c = 0; c < in.classes; ++c) {
      d[c] = scale * (fast_exp(z[c] - largest) / sum * mass - smoothed(t[c], in.classes));
    }
  }

  void probability_row(const LossInputs& in, std::int64_t i, float scale, float& value, float* d) const {
    const float* p = in.predictions + i * in.classes;
    const float* t = in.targets + i * in.classes;
    float largest = 0, sum = 0;
    if (from_logits_) largest = *std::max_element(p, p + in.classes);
    const auto raw = [&](std::int64_t c) { return from_logits_ ? fast_exp(p[c] - largest) : p[c]; };
    for (std::int64_t c = 0; c < in.classes; ++c) sum += raw(c);
    float total = 0, along = 0;
    for (std::int64_t c = 0; c < in.classes; ++c) {
      const float share = raw(c) / sum, q = clipped(share), weight = smoothed(t[c], in.classes);
      float slope = -weight / q;
      float term = -weight * elementary::log(q);
      if (focal_) {
        const float left = 1.0F - q, power = elementary::power(left, gamma_);
        slope = alpha(c) * (power * slope - gamma_ * elementary::power(left, gamma_ - 1.0F) * term);
        term *= alpha(c) * power;
      }
      total += term;
      slope = inside(share) ? slope : 0.0F;
      along += slope * share;
      if (d != nullptr) d[c] = slope;
    }
    value = total;
    if (d == nullptr) return;
    // Back through q = p / sum, or through the softmax.
    for (std::int64_t c = 0; c < in.classes; ++c)
      d[c] = scale * (d[c] - along) * (from_logits_ ? raw(c) : 1.0F) / sum;
  }

  bool focal_, from_logits_;
  float smoothing_, gamma_ = 0;
  std::vector<float> alpha_;
};

class BinaryCrossentropy : public CommonLoss {
 public:
  enum class Focal { kNo, kYes };
  BinaryCrossentropy(const Json& config, Focal focal)
      : CommonLoss(config,
                   TargetForm::kOneHot,  // class indices for several outputs: one class against the rest
                   TargetMeaning::kLabels),
        focal_(focal == Focal::kYes),
        from_logits_(config["from_logits"].get<bool>()),
        smoothing_(config["label_smoothing"].get<float>()) {
    if (!focal_) return;
    balances_ = config["apply_class_balancing"].get<bool>();
    alpha_ = config["alpha"].get<float>();
    gamma_ = config["gamma"].get<float>();
  }
  bool fuses(Head head) const override {
    return head == Head::kNone || (head == Head::kSigmoid && !from_logits_ && !focal_);
  }
  OutputMeaning output_meaning() const override { return crossentropy_meaning(from_logits_); }

  void compute(const LossInputs& in, const float* scale, float* values, float* d_logits) const override {
    const bool from_logits = from_logits_ || in.head == Head::kSigmoid;
    const float share = 1.0F / static_cast<float>(in.classes);
    for (std::int64_t i = 0; i < in.positions; ++i) {
      float sum = 0;
      for (std::int64_t c = 0; c < in.classes; ++c) {
        const std::int64_t at = i * in.classes + c;
        const float t = in.targets[at] * (1.0F - smoothing_) + 0.5F * smoothing_;
        float value = 0, slope = 0;
        if (focal_) {
          focal_term(t, in.predictions[at], value, slope);
        } else if (from_logits) {
          const float z = in.logits[at];
          value = (z > 0 ? z : 0.0F) - z * t + fast_log1p_unit(fast_exp(-std::abs(z)));
          slope = fast_sigmoid(z) - t;
        } else {
          const float p = in.predictions[at], q = clipped(p);
          value = -(t * elementary::log(q) + (1.0F - t) * elementary::log(1.0F - q));
          slope = inside(p) ? (1.0F - t) / (1.0F - q) - t / q : 0.0F;
        }
        sum += value;
        if (d_logits != nullptr) d_logits[at] = scale[i] * share * slope;
      }
      values[i] = sum * share;
    }
  }

 private:
  /// Lin et al. 2017. The factor is computed from the unclipped probability, the logarithms from the clipped
  /// one.
  void focal_term(float t, float x, float& value, float& slope) const {
    const float p = from_logits_ ? fast_sigmoid(x) : x, q = clipped(p);
    const float entropy = -(t * elementary::log(q) + (1.0F - t) * elementary::log(1.0F - q));
    const float entropy_slope = inside(p) ? (1.0F - t) / (1.0F - q) - t / q : 0.0F;
    const float left = 1.0F - (t * p + (1.0F - t) * (1.0F - p));
    const float factor = elementary::power(left, gamma_);
    const float factor_slope =
        gamma_ == 0 ? 0.0F : -gamma_ * elementary::power(left, gamma_ - 1.0F) * (2.0F * t - 1.0F);
    const float weight = balances_ ? t * alpha_ + (1.0F - t) * (1.0F - alpha_) : 1.0F;
    value = weight * factor * entropy;
    slope =
        weight * (factor_slope * entropy + factor * entropy_slope) * (from_logits_ ? p * (1.0F - p) : 1.0F);
  }

  bool focal_, from_logits_;
  float smoothing_;
  bool balances_ = false;
  float alpha_ = 0.25F, gamma_ = 2;
};

class GeneralizedCrossEntropy : public CommonLoss {
 public:
  explicit GeneralizedCrossEntropy(const Json& config)
      : CommonLoss(config, TargetForm::kClassIndex), q_(config["q"].get<float>()) {
    if (!(q_ > 0 && q_ < 1)) throw InputError("q must be in the interval (0, 1), got " + config["q"].dump());
  }
  OutputMeaning output_meaning() const override { return OutputMeaning::kProbabilities; }
  void compute(const LossInputs& in, const float* scale, float* values, float* d_logits) const override {
    for (std::int64_t i = 0; i < in.positions; ++i) {
      const auto k = static_cast<std::int64_t>(in.targets[i]);
      const float p = in.predictions[i * in.classes + k];
      values[i] = (1.0F - elementary::power(p, q_)) / q_;
      if (d_logits == nullptr) continue;
      std::fill_n(d_logits + i * in.classes, in.classes, 0.0F);
      d_logits[i * in.classes + k] = -scale[i] * elementary::power(p, q_ - 1.0F);
    }
  }

 private:
  float q_;
};

}  // namespace

void add_crossentropies(Registry<Loss>& registry) {
  const Parameter logits{"from_logits", Kind::kBoolean, false},
      smoothing{"label_smoothing", Kind::kNumber, 0.0}, axis = unsupported_parameter("axis", -1);
  const Parameter alpha{"alpha", Kind::kAny, 0.25}, gamma{"gamma", Kind::kNumber, 2.0};
  registry.add(
      loss_signature(
          "SparseCategoricalCrossentropy", {"sparse_categorical_crossentropy"},
          {logits, {"ignore_class", Kind::kInteger, nullptr, false, true}, reduction_parameter(), axis},
          "-log y[t], t a class index (keras.losses.SparseCategoricalCrossentropy)"),
      [](const Json& config) { return std::make_unique<SparseCategoricalCrossentropy>(config); });
  registry.add(
      loss_signature("CategoricalCrossentropy", {"categorical_crossentropy"}, {logits, smoothing, axis},
                     "-sum t log y (keras.losses.CategoricalCrossentropy)"),
      [](const Json& config) {
        return std::make_unique<CategoricalCrossentropy>(config, CategoricalCrossentropy::Focal::kNo);
      });
  registry.add(
      loss_signature(
          "CategoricalFocalCrossentropy", {"categorical_focal_crossentropy"},
          {alpha, gamma, logits, smoothing, axis},
          "-alpha (1 - y)^gamma t log y, Lin et al. 2017 (keras.losses.CategoricalFocalCrossentropy)"),
      [](const Json& config) {
        return std::make_unique<CategoricalCrossentropy>(config, CategoricalCrossentropy::Focal::kYes);
      });
  registry.add(
      loss_signature("BinaryCrossentropy", {"binary_crossentropy", "bce", "BCE"}, {logits, smoothing, axis},
                     "-mean t log y + (1 - t) log(1 - y) (keras.losses.BinaryCrossentropy)"),
      [](const Json& config) {
        return std::make_unique<BinaryCrossentropy>(config, BinaryCrossentropy::Focal::kNo);
      });
  registry.add(loss_signature("BinaryFocalCrossentropy", {"binary_focal_crossentropy"},
                              {{"apply_class_balancing", Kind::kBoolean, false},
                               {"alpha", Kind::kNumber, 0.25},
                               gamma,
                               logits,
                               smoothing,
                               axis},
                              "binary crossentropy times (1 - p_t)^gamma, Lin et al. 2017 "
                              "(keras.losses.BinaryFocalCrossentropy)"),
               [](const Json& config) {
                 return std::make_unique<BinaryCrossentropy>(config, BinaryCrossentropy::Focal::kYes);
               });
  registry.add(loss_signature("CategoricalGeneralizedCrossEntropy", {"categorical_generalized_cross_entropy"},
                              {{"q", Kind::kNumber, 0.5}},
                              "(1 - y[t]^q) / q, t a class index: bears wrong labels, Zhang and Sabuncu 2018 "
                              "(keras.losses.CategoricalGeneralizedCrossEntropy)"),
               [](const Json& config) { return std::make_unique<GeneralizedCrossEntropy>(config); });
}

}  // namespace nntrain::nn

// Losses that look at the whole mini-batch: Dice and Tversky with axis=None, Circle
// (keras/src/losses/losses.py). What they need of the other shards comes as sums over the mini-batch, so that
// no number of ranks changes a bit.

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "core/call.h"
#include "core/elementary.h"
#include "nn/losses/loss_common.h"

namespace nntrain::nn {

namespace {

/// 1 - top / bottom of an overlap of t and p. Dice: 2 tp / (|t| + |p| + e); Tversky (Salehi et al. 2017), as
/// Keras applies alpha and beta: tp / (tp + alpha sum t (1 - p) + beta sum p (1 - t) + e).
class OverlapLoss : public CommonLoss {
 public:
  OverlapLoss(const Json& config, bool dice)
      : CommonLoss(config, TargetForm::kValues, TargetMeaning::kLabels), dice_(dice) {
    const Json& axis = config["axis"];
    whole_batch_ = axis.is_null();
    if (!whole_batch_ && axis != -1 && axis != Json::array({-1}))
      throw InputError("axis must be None or -1, got " + format_call(axis));
    if (whole_batch_ && reduction() == Reduction::kSum) {
      throw InputError(
          "with axis=None the loss is one number for a mini-batch, which reduction=\"sum\" cannot sum; leave "
          "reduction out");
    }
    if (dice_) return;
    alpha_ = config["alpha"].get<double>();
    beta_ = config["beta"].get<double>();
  }

  std::int64_t batch_sums(std::int64_t, std::int64_t) const override { return whole_batch_ ? 4 : 0; }
  void add_batch_sums(const LossInputs& in, const float* scale, std::span<double> sums) const override {
    const Sums own = sums_of(in.targets, in.predictions, in.positions * in.classes);
    sums[0] += own.both;
    sums[1] += own.t;
    sums[2] += own.p;
    for (std::int64_t i = 0; scale != nullptr && i < in.positions; ++i) sums[3] += scale[i];
  }

  void compute(const LossInputs& in, const float* scale, float* values, float* d_logits) const override {
    if (whole_batch_) {
      const Sums all{in.batch_sums[0], in.batch_sums[1], in.batch_sums[2]};
      std::fill_n(values, in.positions, static_cast<float>(1.0 - top(all) / bottom(all)));
      if (d_logits != nullptr)
        add_slopes(all, in.targets, in.positions * in.classes, in.batch_sums[3], d_logits);
      return;
    }
    for (std::int64_t i = 0; i < in.positions; ++i) {
      const float* t = in.targets + i * in.classes;
      const Sums row = sums_of(t, in.predictions + i * in.classes, in.classes);
      values[i] = static_cast<float>(1.0 - top(row) / bottom(row));
      if (d_logits != nullptr) add_slopes(row, t, in.classes, scale[i], d_logits + i * in.classes);
    }
  }

 private:
  struct Sums {
    double both = 0, t = 0, p = 0;
  };
  static Sums sums_of(const float* t, const float* p, std::int64_t count) {
    Sums sums;
    for (std::int64_t k = 0; k < count; ++k) {
      sums.both += static_cast<double>(t[k]) * p[k];
      sums.t += t[k];
      sums.p += p[k];
    }
    return sums;
  }
  double top(const Sums& s) const { return dice_ ? 2.0 * s.both : s.both; }
  double bottom(const Sums& s) const {
    return static_cast<double>(kEpsilon) +
           (dice_ ? s.t + s.p : s.both + alpha_ * (s.t - s.both) + beta_ * (s.p - s.both));
  }
  void add_slopes(const Sums& s, const float* t, std::int64_t count, double scale, float* d) const {
    const double a = top(s), b = bottom(s);
    for (std::int64_t k = 0; k < count; ++k) {
      const double a_slope = dice_ ? 2.0 * t[k] : t[k];
      const double b_slope = dice_ ? 1.0 : t[k] - alpha_ * t[k] + beta_ * (1.0 - t[k]);
      d[k] = static_cast<float>(-scale * (a_slope * b - a * b_slope) / (b * b));
    }
  }

  bool dice_, whole_batch_ = false;
  double alpha_ = 0, beta_ = 0;
};

/// Sun et al. 2020: pairs of samples, their outputs taken as embeddings of length 1, targets as classes.
/// Every rank sees all outputs of the mini-batch and computes all pairs.
class Circle : public CommonLoss {
 public:
  explicit Circle(const Json& config)
      : CommonLoss(config, TargetForm::kValues, TargetMeaning::kGroups),
        gamma_(config["gamma"].get<double>()),
        margin_(config["margin"].get<double>()),
        remove_diagonal_(config["remove_diagonal"].get<bool>()) {}

  void check_shapes(const Shape& target, const Shape& output) const override {
    if (target.size() == 1 && output.rank() == 1) return;
    throw InputError(
        "Circle: one class per sample and outputs of one axis are expected. Received: target.shape=" +
        target.with_batch() + ", output.shape=" + output.with_batch());
  }

  // Of each position: the embedding, the label, the scale.
  std::int64_t batch_sums(std::int64_t batch_positions, std::int64_t classes) const override {
    return batch_positions * (classes + 2);
  }
  void add_batch_sums(const LossInputs& in, const float* scale, std::span<double> sums) const override {
    for (std::int64_t i = 0; i < in.positions; ++i) {
      double* row = sums.data() + (in.first_position + i) * (in.classes + 2);
      for (std::int64_t c = 0; c < in.classes; ++c) row[c] = in.predictions[i * in.classes + c];
      row[in.classes] = in.targets[i];
      row[in.classes + 1] = scale == nullptr ? 0.0 : scale[i];
    }
  }

  void compute(const LossInputs& in, const float*, float* values, float* d_logits) const override {
    const Scratch scratch = scratch_of(in);
    double counted = 0;
    for (std::int64_t i = 0; i < in.batch_positions; ++i) {
      const double value = query(in, i, scratch);
      if (value > 0) counted += 1;
      if (is_mine(in, i)) values[i - in.first_position] = static_cast<float>(value);
      if (d_logits == nullptr) continue;
      const double scale = row(in, i)[in.classes + 1];
      for (std::int64_t j = 0; j < in.batch_positions; ++j) {
        const double pull = -scale * scratch.slopes[j];  // the distance falls with the product
        if (pull == 0) continue;
        add(in, i, pull, row(in, j), scratch.gradient);
        add(in, j, pull, row(in, i), scratch.gradient);
      }
    }
    // Keras takes the mean over the samples that have a loss at all.
    const double factor = reduction() == Reduction::kSum ? 1.0
                                                         : static_cast<double>(in.batch_positions) /
                                                               (counted + static_cast<double>(kEpsilon));
    for (std::int64_t i = 0; i < in.positions; ++i) values[i] = static_cast<float>(values[i] * factor);
    if (d_logits == nullptr) return;
    for (std::int64_t k = 0; k < in.positions * in.classes; ++k)
      d_logits[k] = static_cast<float>(factor * scratch.gradient[k]);
  }

 private:
  static const double* row(const LossInputs& in, std::int64_t i) {
    return in.batch_sums.data() + i * (in.classes + 2);
  }
  static bool is_mine(const LossInputs& in, std::int64_t i) {
    return i >= in.first_position && i < in.first_position + in.positions;
  }
  static void add(const LossInputs& in, std::int64_t i, double factor, const double* __restrict embedding,
                  double* gradient) {
    if (!is_mine(in, i)) return;
    double* __restrict d = gradient + (i - in.first_position) * in.classes;
    for (std::int64_t c = 0; c < in.classes; ++c) d[c] += factor * embedding[c];
  }

  /// Parts of the caller's workspace.
  struct Scratch {
    double* components;         ///< (classes, batch positions): the embeddings, turned
    double* labels;             ///< (batch positions)
    double* distances;          ///< (batch positions) of a query, then the exponentials of its logits
    double* kinds;              ///< (batch positions): 0: of one class; 1: of two; -1: does not count
    double *logits, *d_logits;  ///< (batch positions), and with respect to the distance
    double* slopes;             ///< (batch positions): d loss of the query / d distance
    double* gradient;           ///< (positions, classes), from 0
  };
  static Scratch scratch_of(const LossInputs& in) {
    const std::int64_t batch = in.batch_positions, own = in.positions * in.classes;
    in.workspace->assign(static_cast<std::size_t>((in.classes + 6) * batch + own), 0.0);
    double* components = in.workspace->data();
    for (std::int64_t j = 0; j < batch; ++j) {
      for (std::int64_t c = 0; c < in.classes; ++c) components[c * batch + j] = row(in, j)[c];
    }
    double* begin = components + in.classes * batch;
    for (std::int64_t j = 0; j < batch; ++j) begin[j] = row(in, j)[in.classes];
    const auto part = [&](std::int64_t k) { return begin + k * batch; };
    return {components, part(0), part(1), part(2), part(3), part(4), part(5), part(6)};
  }

  /// distances[j] = 1 - a b_j, each in the order of components.
  static void measure(const LossInputs& in, const double* a, const Scratch& scratch) {
    double* __restrict distances = scratch.distances;
    const std::int64_t batch = in.batch_positions;
    std::fill_n(distances, batch, 1.0);
    for (std::int64_t c = 0; c < in.classes; ++c) {
      const double* __restrict component = scratch.components + c * batch;
      const double factor = a[c];
      for (std::int64_t j = 0; j < batch; ++j) distances[j] -= factor * component[j];
    }
  }

  /// The loss of sample i against all others; fills scratch.slopes. Loops without branches are vectors'.
  double query(const LossInputs& in, std::int64_t i, const Scratch& scratch) const {
    const std::int64_t batch = in.batch_positions;
    const double* a = row(in, i);
    measure(in, a, scratch);
    pair(batch, a[in.classes], scratch);
    if (remove_diagonal_) scratch.kinds[i] = -1;
    double most[2] = {-kInfinity, -kInfinity}, sum[2] = {0, 0};
    for (std::int64_t j = 0; j < batch; ++j) {
      if (scratch.kinds[j] == 0) most[0] = std::max(most[0], scratch.logits[j]);
      if (scratch.kinds[j] == 1) most[1] = std::max(most[1], scratch.logits[j]);
    }
    double* exponentials = scratch.distances;  // which are used up
    for (std::int64_t j = 0; j < batch; ++j) {
      const double power = exp_of_negative(scratch.logits[j] - (scratch.kinds[j] == 0 ? most[0] : most[1]));
      exponentials[j] = scratch.kinds[j] < 0 ? 0.0 : power;
    }
    for (std::int64_t j = 0; j < batch; ++j) {
      sum[0] += scratch.kinds[j] == 0 ? exponentials[j] : 0.0;
      sum[1] += scratch.kinds[j] == 0 ? 0.0 : exponentials[j];
    }
    std::fill_n(scratch.slopes, batch, 0.0);
    if (sum[0] == 0 || sum[1] == 0) return 0;  // no partner, or nobody else
    const double z = most[0] + elementary::log(sum[0]) + most[1] + elementary::log(sum[1]);
    const double outer = 1.0 / (1.0 + elementary::exp(-z));
    for (std::int64_t j = 0; j < batch; ++j)
      scratch.slopes[j] =
          outer * exponentials[j] / (scratch.kinds[j] == 0 ? sum[0] : sum[1]) * scratch.d_logits[j];
    return std::max(z, 0.0) + elementary::log1p(elementary::exp(-std::abs(z)));
  }

  /// Kinds, logits and their slopes of all pairs with a sample of class `label`.
  void pair(std::int64_t batch, double label, const Scratch& scratch) const {
    const double gamma = gamma_, margin = margin_;
    const double* __restrict labels = scratch.labels;
    const double* __restrict distances = scratch.distances;
    double* __restrict kinds = scratch.kinds;
    double* __restrict logits = scratch.logits;
    double* __restrict slopes = scratch.d_logits;
    for (std::int64_t j = 0; j < batch; ++j) {
      const double inner = distances[j] > 0 ? gamma : 0.0;  // Keras cuts distances at 0
      const double distance = distances[j] > 0 ? distances[j] : 0.0;
      const double weight = 1.0 + margin - distance, gap = 1.0 - margin - distance;
      const double logit_of_same = gamma * (distance - margin) * (distance + margin);
      const double logit_of_others = weight <= 0 ? 0.0 : gamma * weight * gap;
      const double slope_of_same = inner * 2.0 * distance;
      const double slope_of_others = weight <= 0 ? 0.0 : -inner * (weight + gap);
      const bool same = labels[j] == label;
      kinds[j] = same ? 0.0 : 1.0;
      logits[j] = same ? logit_of_same : logit_of_others;
      slopes[j] = same ? slope_of_same : slope_of_others;
    }
  }

  /// e^x of x up to 0, by plain arithmetic: range reduction by ln 2, then Taylor's series.
  static double exp_of_negative(double x) {
    constexpr double kLowest = -708.0, kRound = 0x1.8p52, kLn2High = 0x1.62e42fefa38p-1,
                     kLn2Low = 0x1.ef35793c7673p-45;
    const double clamped = x < kLowest ? kLowest : x;
    const double shifted = clamped * std::numbers::log2e + kRound, n = shifted - kRound;
    const double r = (clamped - n * kLn2High) - n * kLn2Low;
    double p = 1.0 / 479001600.0;  // 12!
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    const std::uint64_t exponent =
        std::bit_cast<std::uint64_t>(shifted) - std::bit_cast<std::uint64_t>(kRound);
    const double scale = std::bit_cast<double>((exponent + 1023U) << 52U);
    return x < kLowest ? 0.0 : (1.0 + (r + r * (r * p))) * scale;
  }

  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double gamma_, margin_;
  bool remove_diagonal_;
};

}  // namespace

void add_batch_losses(Registry<Loss>& registry) {
  const Parameter axis{"axis", Kind::kAny, nullptr, false, true};
  Signature dice = loss_signature(
      "Dice", {"dice"}, {},
      "1 - 2 sum t y / (sum t + sum y), over the mini-batch or along axis=-1 (keras.losses.Dice)");
  dice.parameters.insert(dice.parameters.end() - 1, axis);  // reduction, name, axis, dtype
  registry.add(dice, [](const Json& config) { return std::make_unique<OverlapLoss>(config, true); });
  Signature tversky =
      loss_signature("Tversky", {"tversky"}, {{"alpha", Kind::kNumber, 0.5}, {"beta", Kind::kNumber, 0.5}},
                     "Salehi et al. 2017, over the mini-batch or along axis=-1 (keras.losses.Tversky)");
  tversky.parameters.insert(tversky.parameters.end() - 1, axis);
  registry.add(tversky, [](const Json& config) { return std::make_unique<OverlapLoss>(config, false); });
  registry.add(loss_signature("Circle", {"circle"},
                              {{"gamma", Kind::kNumber, 80.0},
                               {"margin", Kind::kNumber, 0.4},
                               {"remove_diagonal", Kind::kBoolean, true}},
                              "pairs of samples of a mini-batch: embeddings of one class close together, Sun "
                              "et al. 2020; end the model with "
                              "UnitNormalization (keras.losses.Circle)"),
               [](const Json& config) { return std::make_unique<Circle>(config); });
}

}  // namespace nntrain::nn

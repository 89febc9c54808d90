// F scores and R2 (keras/src/metrics/f_score_metrics.py, regression_metrics.py).

#include <algorithm>
#include <cmath>

#include "metrics/metric_families.h"

namespace nntrain::metrics {

namespace {

double divide_no_nan(double a, double b) { return b == 0 ? 0.0 : a / b; }

/// Per class: tp, fp, fn, weight of the class' positives.
class FBetaScore : public Metric {
 public:
  FBetaScore(const Json& config, double beta) : beta_(beta) {
    if (config["average"].is_string()) average_ = config["average"].get<std::string>();
    if (!average_.empty() && average_ != "micro" && average_ != "macro" && average_ != "weighted") {
      throw InputError(
          "Invalid `average` argument value. Expected one of: {None, 'micro', 'macro', 'weighted'}. "
          "Received: average=" +
          average_);
    }
    if (beta <= 0)
      throw InputError("Invalid `beta` argument value. It should be > 0. Received: beta=" +
                       std::to_string(beta));
    has_threshold_ = !config["threshold"].is_null();
    if (has_threshold_) threshold_ = config["threshold"].get<double>();
  }
  void build(const Shape&, const Shape& output) override { classes_ = output.last(); }
  std::int64_t size() const override { return 4 * classes_; }

  void update(const MetricInputs& in, std::span<double> sums) const override {
    for (std::int64_t i = 0; i < in.positions; ++i) {
      const float* p = in.predictions + i * in.classes;
      const float* t = in.targets + i * in.target_width;
      const double weight = in.weights == nullptr ? 1.0 : in.weights[i];
      const float largest = *std::max_element(p, p + in.classes);
      for (std::int64_t c = 0; c < in.classes; ++c) {
        // Without a threshold the largest output is the prediction (all of them when it is shared).
        const double predicted = has_threshold_ ? (p[c] > static_cast<float>(threshold_) ? 1.0 : 0.0)
                                                : (p[c] >= largest && std::abs(p[c]) > 1e-9F ? 1.0 : 0.0);
        const double target =
            in.target_width == in.classes ? t[c] : (static_cast<std::int64_t>(t[0]) == c ? 1.0 : 0.0);
        double* at = sums.data() + 4 * c;
        at[0] += weight * predicted * target;
        at[1] += weight * predicted * (1.0 - target);
        at[2] += weight * (1.0 - predicted) * target;
        at[3] += weight * target;
      }
    }
  }

  void result(std::span<const double> sums, std::vector<double>& values) const override {
    values.clear();
    double all[3] = {}, weighted = 0, weight = 0, total = 0;
    for (std::int64_t c = 0; c < classes_; ++c) {
      const double* at = sums.data() + 4 * c;
      const double score = f(at[0], at[1], at[2]);
      values.push_back(score);
      for (int k = 0; k < 3; ++k) all[k] += at[k];
      weighted += score * at[3];
      weight += at[3];
      total += score;
    }
    if (average_ == "micro") values = {f(all[0], all[1], all[2])};
    if (average_ == "macro") values = {total / static_cast<double>(classes_)};
    if (average_ == "weighted") values = {divide_no_nan(weighted, weight)};
  }
  bool larger_is_better() const override { return true; }

 private:
  double f(double tp, double fp, double fn) const {
    constexpr double kEpsilon = 1e-7;
    const double precision = divide_no_nan(tp, tp + fp), recall = divide_no_nan(tp, tp + fn),
                 square = beta_ * beta_;
    return (1.0 + square) * precision * recall / (precision * square + recall + kEpsilon);
  }

  double beta_, threshold_ = 0;
  std::string average_;
  bool has_threshold_ = false;
  std::int64_t classes_ = 1;
};

/// Per output: sum w t, sum w t^2, sum w (t - y)^2, sum w; and once the number of samples.
class R2Score : public Metric {
 public:
  explicit R2Score(const Json& config)
      : aggregation_(config["class_aggregation"].is_string() ? config["class_aggregation"].get<std::string>()
                                                             : ""),
        regressors_(config["num_regressors"].get<double>()) {
    if (!aggregation_.empty() && aggregation_ != "uniform_average" &&
        aggregation_ != "variance_weighted_average") {
      throw InputError(
          "Invalid value for argument `class_aggregation`. Expected one of (None, 'uniform_average', "
          "'variance_weighted_average'). Received: " +
          aggregation_);
    }
  }
  void build(const Shape&, const Shape& output) override { outputs_ = output.last(); }
  std::int64_t size() const override { return 4 * outputs_ + 1; }
  void update(const MetricInputs& in, std::span<double> sums) const override {
    for (std::int64_t i = 0; i < in.positions; ++i) {
      const double weight = in.weights == nullptr ? 1.0 : in.weights[i];
      for (std::int64_t c = 0; c < in.classes; ++c) {
        const double t = in.targets[i * in.target_width + (in.target_width == in.classes ? c : 0)],
                     p = in.predictions[i * in.classes + c];
        double* at = sums.data() + 4 * c;
        at[0] += weight * t;
        at[1] += weight * t * t;
        at[2] += weight * (t - p) * (t - p);
        at[3] += weight;
      }
      sums.back() += static_cast<double>(in.classes);  // Keras counts values, not samples
    }
  }
  void result(std::span<const double> sums, std::vector<double>& values) const override {
    values.clear();
    double uniform = 0, weighted = 0, variance = 0;
    for (std::int64_t c = 0; c < outputs_; ++c) {
      const double* at = sums.data() + 4 * c;
      const double total = at[1] - at[0] * divide_no_nan(at[0], at[3]);
      const double score = 1.0 - (total == 0 ? (at[2] == 0 ? 0.0 : INFINITY) : at[2] / total);
      values.push_back(std::isinf(score) ? 0.0 : score);
      uniform += values.back() / static_cast<double>(outputs_);
      weighted += values.back() * total;
      variance += total;
    }
    if (aggregation_ == "uniform_average") values = {uniform};
    if (aggregation_ == "variance_weighted_average") values = {divide_no_nan(weighted, variance)};
    if (regressors_ == 0) return;
    const double samples = sums.back();
    for (double& value : values) {  // adjusted R2
      if (regressors_ > samples - 1 || samples - regressors_ - 1 == 0) continue;
      value = 1.0 - (1.0 - value) * (samples - 1.0) / (samples - regressors_ - 1.0);
    }
  }
  bool larger_is_better() const override { return true; }

 private:
  std::string aggregation_;
  double regressors_;
  std::int64_t outputs_ = 1;
};

}  // namespace

void add_score_metrics(Registry<Metric>& registry) {
  const Parameter average{"average", Kind::kText, nullptr, false, true},
      threshold{"threshold", Kind::kNumber, nullptr, false, true};
  registry.add(metric_signature("F1Score", {"f1_score"}, "f1_score", {average, threshold},
                                "2 precision recall / (precision + recall) (keras.metrics.F1Score)"),
               [](const Json& config) { return std::make_unique<FBetaScore>(config, 1.0); });
  registry.add(
      metric_signature("FBetaScore", {"fbeta_score"}, "fbeta_score",
                       {average, {"beta", Kind::kNumber, 1.0}, threshold},
                       "weighs recall beta times precision (keras.metrics.FBetaScore)"),
      [](const Json& config) { return std::make_unique<FBetaScore>(config, config["beta"].get<double>()); });
  registry.add({"R2Score",
                {"r2_score"},
                {{"class_aggregation", Kind::kText, "uniform_average", false, true},
                 {"num_regressors", Kind::kInteger, 0},
                 {"name", Kind::kText, "r2_score"},
                 {"dtype", Kind::kAny, nullptr, false, true}},
                "1 - residual / total sum of squares (keras.metrics.R2Score)"},
               [](const Json& config) { return std::make_unique<R2Score>(config); });
}

}  // namespace nntrain::metrics

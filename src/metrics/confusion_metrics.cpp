// Metrics of the confusion matrix at thresholds: counts, precision, recall, AUC and the like
// (keras/src/metrics/ confusion_metrics.py). A sum is kept per threshold (and label): tp, fp, tn, fn.

#include <algorithm>
#include <cmath>

#include "core/call.h"
#include "core/elementary.h"
#include "metrics/metric_families.h"

namespace nntrain::metrics {

namespace {

constexpr double kEpsilon = 1e-7;
double divide_no_nan(double a, double b) { return b == 0 ? 0.0 : a / b; }

constexpr std::int64_t kMostThresholds = 1000000;

std::vector<double> numbers(const Json& config, const std::string& argument) {
  std::vector<double> values;
  for (const Json& item : config[argument]) {
    if (!item.is_number())
      throw InputError(argument + " must be a list of numbers, got " + format_call(config[argument]));
    values.push_back(item.get<double>());
  }
  return values;
}

/// The four sums at one threshold.
struct Counts {
  double tp, fp, tn, fn;
  double precision() const { return divide_no_nan(tp, tp + fp); }
  double recall() const { return divide_no_nan(tp, tp + fn); }
  double specificity() const { return divide_no_nan(tn, tn + fp); }
};

/// Thresholds of AUC and its family: num_thresholds from just below 0 to just above 1.
std::vector<double> spread(std::int64_t count) {
  if (count <= 1 || count > kMostThresholds)
    throw InputError("Argument `num_thresholds` must be an integer > 1. Received: num_thresholds=" +
                     std::to_string(count));
  std::vector<double> thresholds = {-kEpsilon};
  for (std::int64_t i = 1; i + 1 < count; ++i)
    thresholds.push_back(static_cast<double>(static_cast<float>(i) / static_cast<float>(count - 1)));
  thresholds.push_back(1.0 + kEpsilon);
  return thresholds;
}

/// Counts every output against every threshold; labels apart when multi_label.
class ConfusionMetric : public Metric {
 public:
  void build(const Shape& target, const Shape& output) override {
    (void)target;
    labels_ = multi_label_ ? output.last() : 1;
    if (class_id_ < -1 || class_id_ >= output.last()) {
      throw InputError("class_id " + std::to_string(class_id_) + " lies outside the model's " +
                       std::to_string(output.last()) + " outputs");
    }
    check_labels();
  }
  std::int64_t size() const override { return labels_ * thresholds() * 4; }

  void update(const MetricInputs& in, std::span<double> sums) const override {
    for (std::int64_t i = 0; i < in.positions; ++i) {
      const double weight = in.weights == nullptr ? 1.0 : in.weights[i];
      const float* p = in.predictions + i * in.classes;
      const float* t = in.targets + i * in.target_width;
      for (std::int64_t c = 0; c < in.classes; ++c) {
        if (class_id_ >= 0 && c != class_id_) continue;
        const bool positive = in.target_width == in.classes ? t[c] > 0.5F || (t[c] != 0 && t[c] != 1)
                                                            : static_cast<std::int64_t>(t[0]) == c;
        count(i, positive, value(p, c, in.classes), weight, multi_label_ ? c : 0, sums);
      }
    }
  }

 protected:
  virtual void check_labels() const {}
  std::int64_t thresholds() const { return static_cast<std::int64_t>(thresholds_.size()); }
  Counts counts(std::span<const double> sums, std::int64_t label, std::int64_t threshold) const {
    const double* at = sums.data() + (label * thresholds() + threshold) * 4;
    return {at[0], at[1], at[2], at[3]};
  }
  std::vector<double> thresholds_;
  bool multi_label_ = false, from_logits_ = false;
  std::int64_t class_id_ = -1, top_k_ = 0, labels_ = 1;

 private:
  double value(const float* p, std::int64_t c, std::int64_t classes) const {
    if (from_logits_) return 1.0 / (1.0 + elementary::exp(-static_cast<double>(p[c])));
    if (top_k_ == 0) return p[c];
    std::int64_t larger = 0;  // outside the k largest: never predicted
    for (std::int64_t other = 0; other < classes; ++other)
      larger += p[other] > p[c] || (p[other] == p[c] && other < c) ? 1 : 0;
    return larger < top_k_ ? p[c] : -1e30;
  }
  void count(std::int64_t, bool positive, double value, double weight, std::int64_t label,
             std::span<double> sums) const {
    for (std::size_t k = 0; k < thresholds_.size(); ++k) {
      const bool predicted = value > thresholds_[k];
      const std::size_t which = predicted ? (positive ? 0U : 1U) : (positive ? 3U : 2U);
      sums[(static_cast<std::size_t>(label) * thresholds_.size() + k) * 4 + which] += weight;
    }
  }
};

/// A value per threshold: counts, precision, recall.
class ThresholdMetric : public ConfusionMetric {
 public:
  using Value = double (*)(const Counts&);
  ThresholdMetric(const Json& config, Value of, bool larger_better)
      : value_(of), larger_better_(larger_better) {
    const bool has_top_k = config.contains("top_k") && !config["top_k"].is_null();
    if (has_top_k) top_k_ = config["top_k"].get<std::int64_t>();
    if (config.contains("class_id") && !config["class_id"].is_null())
      class_id_ = config["class_id"].get<std::int64_t>();
    const Json& given = config["thresholds"];
    for (const Json& item : given.is_null()    ? Json::array({has_top_k ? -1e29 : 0.5})
                            : given.is_array() ? given
                                               : Json::array({given})) {
      if (!item.is_number() || (!given.is_null() && (item.get<double>() < 0 || item.get<double>() > 1))) {
        throw InputError("Threshold values must be in [0, 1]. Received: " + format_call(item));
      }
      thresholds_.push_back(given.is_null() ? item.get<double>() : static_cast<double>(item.get<float>()));
    }
  }
  void result(std::span<const double> sums, std::vector<double>& values) const override {
    values.clear();
    for (std::int64_t k = 0; k < thresholds(); ++k) values.push_back(value_(counts(sums, 0, k)));
  }
  bool larger_is_better() const override { return larger_better_; }

 private:
  Value value_;
  bool larger_better_;
};

/// The best of one value where another reaches a bound: PrecisionAtRecall and so on.
class BoundMetric : public ConfusionMetric {
 public:
  using Value = double (Counts::*)() const;
  BoundMetric(const Json& config, const char* bound, Value of, Value constraint)
      : value_(of), constraint_(constraint), bound_(config[bound].get<double>()) {
    if (!(bound_ >= 0 && bound_ <= 1))
      throw InputError(std::string("Argument `") + bound +
                       "` must be in the range [0, 1]. Received: " + config[bound].dump());
    const std::int64_t count = config["num_thresholds"].get<std::int64_t>();
    thresholds_ = count == 1 ? std::vector<double>{0.5} : spread(count);
    if (count > 1)
      thresholds_.front() = 0.0, thresholds_.back() = 1.0;  // Keras: an output of 0 is never positive
    if (!config["class_id"].is_null()) class_id_ = config["class_id"].get<std::int64_t>();
  }
  void result(std::span<const double> sums, std::vector<double>& values) const override {
    double best = 0;
    for (std::int64_t k = 0; k < thresholds(); ++k) {
      const Counts at = counts(sums, 0, k);
      if ((at.*constraint_)() >= bound_) best = std::max(best, (at.*value_)());
    }
    values = {best};
  }
  bool larger_is_better() const override { return true; }

 private:
  Value value_, constraint_;
  double bound_;
};

class Auc : public ConfusionMetric {
 public:
  explicit Auc(const Json& config) : summation_(config["summation_method"].get<std::string>()) {
    const std::string curve = config["curve"].get<std::string>();
    const bool roc = curve == "ROC" || curve == "roc", pr = curve == "PR" || curve == "pr",
               gain = curve == "PRGAIN" || curve == "prgain";
    if (!roc && !pr && !gain)
      throw InputError("Invalid AUC curve value: \"" + curve +
                       "\". Expected values are [\"PR\", \"ROC\", \"PRGAIN\"]");
    curve_ = pr ? Curve::kPrecisionRecall : gain ? Curve::kGain : Curve::kRoc;
    if (summation_ != "interpolation" && summation_ != "minoring" && summation_ != "majoring") {
      throw InputError("Invalid `summation_method` argument value \"" + summation_ +
                       "\". Expected one of: interpolation, minoring, majoring");
    }
    multi_label_ = config["multi_label"].get<bool>();
    from_logits_ = config["from_logits"].get<bool>();
    if (config["thresholds"].is_null()) {
      thresholds_ = spread(config["num_thresholds"].get<std::int64_t>());
    } else {
      for (const double item : numbers(config, "thresholds"))
        thresholds_.push_back(static_cast<double>(static_cast<float>(item)));
      std::sort(thresholds_.begin(), thresholds_.end());
      thresholds_.insert(thresholds_.begin(), -kEpsilon);
      thresholds_.push_back(1.0 + kEpsilon);
    }
    if (!config["label_weights"].is_null()) {
      label_weights_ = numbers(config, "label_weights");
    }
  }
  void result(std::span<const double> sums, std::vector<double>& values) const override {
    double total = 0, weights = 0;
    for (std::int64_t label = 0; label < labels_; ++label) {
      const double weight = label_weights_.empty() ? 1.0 : label_weights_.at(static_cast<std::size_t>(label));
      total += weight * area(sums, label);
      weights += weight;
    }
    values = {divide_no_nan(total, weights)};
  }
  bool larger_is_better() const override { return true; }

 protected:
  void check_labels() const override {
    if (label_weights_.empty() || static_cast<std::int64_t>(label_weights_.size()) == labels_) return;
    throw InputError("label_weights has " + std::to_string(label_weights_.size()) + " values for " +
                     std::to_string(labels_) + " labels" +
                     (multi_label_ ? "" : "; it needs multi_label=True"));
  }

 private:
  double area(std::span<const double> sums, std::int64_t label) const {
    if (curve_ == Curve::kPrecisionRecall && summation_ == "interpolation")
      return interpolated_pr(sums, label);
    double area = 0;
    for (std::int64_t k = 0; k + 1 < thresholds(); ++k) {
      const auto [x_a, y_a] = point(counts(sums, label, k));
      const auto [x_b, y_b] = point(counts(sums, label, k + 1));
      const double height = summation_ == "interpolation" ? (y_a + y_b) / 2.0
                            : summation_ == "minoring"    ? std::min(y_a, y_b)
                                                          : std::max(y_a, y_b);
      area += (x_a - x_b) * height;
    }
    return area;
  }
  struct Point {
    double x, y;
  };
  Point point(const Counts& c) const {
    if (curve_ == Curve::kRoc) return {divide_no_nan(c.fp, c.fp + c.tn), c.recall()};
    if (curve_ == Curve::kPrecisionRecall) return {c.recall(), c.precision()};
    if (c.tp == 0) return {0, 1};  // Flach and Kull 2015, with Keras' corrections where the gains diverge
    const double scale = divide_no_nan(c.tp + c.fn, c.tn + c.fp);
    return {std::max(1.0 - scale * c.fn / c.tp, 0.0), 1.0 - scale * c.fp / c.tp};
  }
  /// Davis and Goadrich 2006.
  double interpolated_pr(std::span<const double> sums, std::int64_t label) const {
    double area = 0;
    for (std::int64_t k = 0; k + 1 < thresholds(); ++k) {
      const Counts a = counts(sums, label, k), b = counts(sums, label, k + 1);
      const double d_tp = a.tp - b.tp, p_a = a.tp + a.fp, p_b = b.tp + b.fp, d_p = p_a - p_b;
      const double slope = divide_no_nan(d_tp, std::max(d_p, 0.0));
      const double intercept = b.tp - slope * p_b;
      const double ratio = p_a > 0 && p_b > 0 ? divide_no_nan(p_a, std::max(p_b, 0.0)) : 1.0;
      area += divide_no_nan(slope * (d_tp + intercept * elementary::log(ratio)), std::max(a.tp + a.fn, 0.0));
    }
    return area;
  }

  enum class Curve { kRoc, kPrecisionRecall, kGain };
  std::string summation_;
  Curve curve_ = Curve::kRoc;
  std::vector<double> label_weights_;
};

void add_threshold(Registry<Metric>& registry, const std::string& name, const std::string& snake,
                   ThresholdMetric::Value value, bool larger_better, bool selects,
                   const std::string& formula) {
  std::vector<Parameter> own = {{"thresholds", Kind::kAny, nullptr, false, true}};
  if (selects) {
    own.push_back({"top_k", Kind::kInteger, nullptr, false, true});
    own.push_back({"class_id", Kind::kInteger, nullptr, false, true});
  }
  registry.add(
      metric_signature(name, {snake}, snake, own, formula + " (keras.metrics." + name + ")"),
      [=](const Json& config) { return std::make_unique<ThresholdMetric>(config, value, larger_better); });
}

void add_bound(Registry<Metric>& registry, const std::string& name, const std::string& snake,
               const char* bound, BoundMetric::Value value, BoundMetric::Value constraint) {
  registry.add(
      metric_signature(name, {snake}, snake,
                       {{bound, Kind::kNumber, nullptr, true},
                        {"num_thresholds", Kind::kInteger, 200},
                        {"class_id", Kind::kInteger, nullptr, false, true}},
                       "the best value where the other reaches the bound (keras.metrics." + name + ")"),
      [=](const Json& config) { return std::make_unique<BoundMetric>(config, bound, value, constraint); });
}

}  // namespace

void add_confusion_metrics(Registry<Metric>& registry) {
  add_threshold(
      registry, "Precision", "precision", [](const Counts& c) { return c.precision(); }, true, true,
      "tp / (tp + fp)");
  add_threshold(
      registry, "Recall", "recall", [](const Counts& c) { return c.recall(); }, true, true, "tp / (tp + fn)");
  add_threshold(
      registry, "TruePositives", "true_positives", [](const Counts& c) { return c.tp; }, true, false, "tp");
  add_threshold(
      registry, "TrueNegatives", "true_negatives", [](const Counts& c) { return c.tn; }, true, false, "tn");
  add_threshold(
      registry, "FalsePositives", "false_positives", [](const Counts& c) { return c.fp; }, false, false,
      "fp");
  add_threshold(
      registry, "FalseNegatives", "false_negatives", [](const Counts& c) { return c.fn; }, false, false,
      "fn");
  add_bound(registry, "PrecisionAtRecall", "precision_at_recall", "recall", &Counts::precision,
            &Counts::recall);
  add_bound(registry, "RecallAtPrecision", "recall_at_precision", "precision", &Counts::recall,
            &Counts::precision);
  add_bound(registry, "SensitivityAtSpecificity", "sensitivity_at_specificity", "specificity",
            &Counts::recall, &Counts::specificity);
  add_bound(registry, "SpecificityAtSensitivity", "specificity_at_sensitivity", "sensitivity",
            &Counts::specificity, &Counts::recall);
  registry.add({"AUC",
                {"auc"},
                {{"num_thresholds", Kind::kInteger, 200},
                 {"curve", Kind::kText, "ROC"},
                 {"summation_method", Kind::kText, "interpolation"},
                 {"name", Kind::kText, "auc"},
                 {"dtype", Kind::kAny, nullptr, false, true},
                 {"thresholds", Kind::kList, nullptr, false, true},
                 {"multi_label", Kind::kBoolean, false},
                 {"num_labels", Kind::kInteger, nullptr, false, true},
                 {"label_weights", Kind::kList, nullptr, false, true},
                 {"from_logits", Kind::kBoolean, false}},
                "area under the ROC, precision-recall (PR) or precision-recall-gain (PRGAIN) curve at Keras' "
                "thresholds (keras.metrics.AUC)"},
               [](const Json& config) { return std::make_unique<Auc>(config); });
}

}  // namespace nntrain::metrics

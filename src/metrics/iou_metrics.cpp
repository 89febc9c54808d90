// Intersection over union from a confusion matrix, and correlations along a row
// (keras/src/metrics/iou_metrics.py, correlation_metrics.py).

#include <algorithm>
#include <cmath>

#include "core/call.h"
#include "metrics/metric_families.h"

namespace nntrain::metrics {

namespace {

constexpr double kEpsilon = 1e-7;
constexpr std::int64_t kMostClasses = 10000;  // a confusion matrix of 800 MB

struct IouOptions {
  std::int64_t classes = 2;
  std::vector<std::int64_t> targets;  ///< classes whose mean is taken
  bool sparse_true = true, sparse_pred = true;
  bool has_threshold = false, has_ignored = false;
  double threshold = 0.5;
  std::int64_t ignored = 0;
};

class Iou : public Metric {
 public:
  explicit Iou(IouOptions options) : options_(std::move(options)) {
    for (const std::int64_t target : options_.targets) {
      if (target < 0 || target >= options_.classes) {
        throw InputError("Target class id " + std::to_string(target) + " is out of range, which is [0, " +
                         std::to_string(options_.classes) + ")");
      }
    }
  }
  void build(const Shape& target, const Shape& output) override {
    const std::int64_t t_labels = options_.sparse_true ? target.size() : target.leading(),
                       p_labels = options_.sparse_pred ? output.size() : output.leading();
    if (t_labels == p_labels) return;
    throw InputError("targets of shape " + target.with_batch() + " are " + std::to_string(t_labels) +
                     " labels a sample, outputs of shape " + output.with_batch() + " " +
                     std::to_string(p_labels) +
                     "; one class a sample against one output a class: sparse_y_pred=False");
  }
  std::int64_t size() const override { return options_.classes * options_.classes; }

  void update(const MetricInputs& in, std::span<double> sums) const override {
    const std::int64_t t_width = options_.sparse_true ? 1 : in.target_width,
                       p_width = options_.sparse_pred ? 1 : in.classes;
    const std::int64_t labels = in.positions * in.classes / p_width;  // flattened, as in Keras
    for (std::int64_t i = 0; i < labels; ++i) {
      const std::int64_t t = label(in.targets + i * t_width, t_width, false),
                         p = label(in.predictions + i * p_width, p_width, options_.has_threshold);
      if (t < 0 || t >= options_.classes || p < 0 || p >= options_.classes ||
          (options_.has_ignored && t == options_.ignored))
        continue;
      const std::int64_t position = i * in.positions / labels;
      // Keras keeps whole numbers: weights are cut to them.
      sums[static_cast<std::size_t>(t * options_.classes + p)] +=
          in.weights == nullptr ? 1.0 : std::trunc(static_cast<double>(in.weights[position]));
    }
  }

  void result(std::span<const double> sums, std::vector<double>& values) const override {
    const std::int64_t n = options_.classes;
    double total = 0, valid = 0;
    for (const std::int64_t k : options_.targets) {
      double row = 0, column = 0;
      for (std::int64_t j = 0; j < n; ++j) {
        row += sums[static_cast<std::size_t>(k * n + j)];
        column += sums[static_cast<std::size_t>(j * n + k)];
      }
      const double both = sums[static_cast<std::size_t>(k * n + k)], either = row + column - both;
      if (either <= 1e-9) continue;
      total += both / (either + kEpsilon);
      valid += 1;
    }
    values = {total / (valid + kEpsilon)};
  }
  bool larger_is_better() const override { return true; }

 private:
  std::int64_t label(const float* values, std::int64_t width, bool thresholded) const {
    if (width > 1) return std::max_element(values, values + width) - values;
    if (thresholded)
      return static_cast<double>(*values) >= static_cast<double>(static_cast<float>(options_.threshold)) ? 1
                                                                                                         : 0;
    return static_cast<std::int64_t>(*values);
  }
  IouOptions options_;
};

std::vector<std::int64_t> class_ids(const Json& config) {
  std::vector<std::int64_t> ids;
  for (const Json& id : config["target_class_ids"]) {
    if (!id.is_number_integer())
      throw InputError("target_class_ids must be a list of whole numbers, got " +
                       format_call(config["target_class_ids"]));
    ids.push_back(id.get<std::int64_t>());
  }
  return ids;
}

IouOptions options_of(const Json& config, bool all_classes) {
  IouOptions options;
  options.classes = config["num_classes"].get<std::int64_t>();
  if (options.classes < 1 || options.classes > kMostClasses)
    throw InputError("num_classes must be between 1 and " + std::to_string(kMostClasses));
  if (all_classes) {
    for (std::int64_t k = 0; k < options.classes; ++k) options.targets.push_back(k);
  } else {
    options.targets = class_ids(config);
  }
  options.sparse_true = config.value("sparse_y_true", false);
  options.sparse_pred = config["sparse_y_pred"].get<bool>();
  options.has_ignored = !config["ignore_class"].is_null();
  if (options.has_ignored) options.ignored = config["ignore_class"].get<std::int64_t>();
  return options;
}

void add_iou(Registry<Metric>& registry, const std::string& name, const std::string& snake, bool one_hot,
             bool mean) {
  std::vector<Parameter> parameters = {{"num_classes", Kind::kInteger, nullptr, true}};
  if (!mean) parameters.push_back({"target_class_ids", Kind::kList, nullptr, true});
  parameters.push_back({"name", Kind::kText, snake});
  parameters.push_back({"dtype", Kind::kAny, nullptr, false, true});
  parameters.push_back({"ignore_class", Kind::kInteger, nullptr, false, true});
  if (!one_hot) parameters.push_back({"sparse_y_true", Kind::kBoolean, true});
  parameters.push_back({"sparse_y_pred", Kind::kBoolean, !one_hot});
  parameters.push_back(last_axis_parameter());
  registry.add(
      {name, {snake}, parameters, "intersection over union of the classes (keras.metrics." + name + ")"},
      [mean](const Json& config) { return std::make_unique<Iou>(options_of(config, mean)); });
}

/// A mean over positions of a correlation along the row.
class Correlation : public Metric {
 public:
  using Value = double (*)(double mean_t, double mean_p, double var_t, double var_p, const float* t,
                           const float* p, std::int64_t n);
  explicit Correlation(Value value) : value_(value) {}
  void build(const Shape& target, const Shape& output) override {
    if (target.size() == output.size()) return;
    throw InputError("targets of shape " + target.with_batch() + " do not fit outputs of shape " +
                     output.with_batch());
  }
  std::int64_t size() const override { return 2; }
  void update(const MetricInputs& in, std::span<double> sums) const override {
    const auto n = static_cast<double>(in.classes);
    for (std::int64_t i = 0; i < in.positions; ++i) {
      const float* t = in.targets + i * in.classes;
      const float* p = in.predictions + i * in.classes;
      double mean_t = 0, mean_p = 0, var_t = 0, var_p = 0;
      for (std::int64_t c = 0; c < in.classes; ++c) {
        mean_t += t[c] / n;
        mean_p += p[c] / n;
      }
      for (std::int64_t c = 0; c < in.classes; ++c) {
        var_t += (t[c] - mean_t) * (t[c] - mean_t) / n;
        var_p += (p[c] - mean_p) * (p[c] - mean_p) / n;
      }
      const double weight = in.weights == nullptr ? 1.0 : in.weights[i];
      sums[0] += weight * value_(mean_t, mean_p, var_t, var_p, t, p, in.classes);
      sums[1] += weight;
    }
  }
  void result(std::span<const double> sums, std::vector<double>& values) const override {
    values = {sums[1] == 0 ? 0.0 : sums[0] / sums[1]};
  }
  bool larger_is_better() const override { return true; }

 private:
  Value value_;
};

double pearson(double mean_t, double mean_p, double var_t, double var_p, const float* t, const float* p,
               std::int64_t n) {
  double sum = 0;
  for (std::int64_t c = 0; c < n; ++c) sum += (t[c] - mean_t) * (p[c] - mean_p);
  return sum / static_cast<double>(n) / std::sqrt(var_t * var_p);
}

/// Keras takes both distances from the mean of the predictions; it is the reference.
double concordance(double mean_t, double mean_p, double var_t, double var_p, const float* t, const float* p,
                   std::int64_t n) {
  double sum = 0;
  for (std::int64_t c = 0; c < n; ++c) sum += 2.0 * (t[c] - mean_p) * (p[c] - mean_p);
  return sum / static_cast<double>(n) / (var_t + var_p + (mean_t - mean_p) * (mean_t - mean_p) + kEpsilon);
}

}  // namespace

void add_iou_metrics(Registry<Metric>& registry) {
  add_iou(registry, "IoU", "io_u", false, false);
  add_iou(registry, "MeanIoU", "mean_io_u", false, true);
  add_iou(registry, "OneHotIoU", "one_hot_io_u", true, false);
  add_iou(registry, "OneHotMeanIoU", "one_hot_mean_io_u", true, true);
  registry.add({"BinaryIoU",
                {"binary_io_u"},
                {{"target_class_ids", Kind::kList, Json::array({0, 1})},
                 {"threshold", Kind::kNumber, 0.5},
                 {"name", Kind::kText, "binary_io_u"},
                 {"dtype", Kind::kAny, nullptr, false, true}},
                "intersection over union of y >= threshold and t (keras.metrics.BinaryIoU)"},
               [](const Json& config) {
                 IouOptions options;
                 options.targets = class_ids(config);
                 options.has_threshold = true;
                 options.threshold = config["threshold"].get<double>();
                 return std::make_unique<Iou>(options);
               });
  const Parameter axis = last_axis_parameter(), dtype{"dtype", Kind::kAny, nullptr, false, true};
  registry.add({"PearsonCorrelation",
                {"pearson_correlation"},
                {{"name", Kind::kText, "pearson_correlation"}, dtype, axis},
                "correlation of t and y along the row (keras.metrics.PearsonCorrelation)"},
               [](const Json&) { return std::make_unique<Correlation>(pearson); });
  registry.add({"ConcordanceCorrelation",
                {"concordance_correlation"},
                {{"name", Kind::kText, "concordance_correlation"}, dtype, axis},
                "agreement of t and y along the row (keras.metrics.ConcordanceCorrelation)"},
               [](const Json&) { return std::make_unique<Correlation>(concordance); });
}

}  // namespace nntrain::metrics

// Metrics that are weighted means of a value per position (keras/src/metrics: Mean and MeanMetricWrapper).

#include <algorithm>
#include <cmath>

#include "core/elementary.h"
#include "metrics/metric_families.h"

namespace nntrain::metrics {

namespace {

constexpr double kEpsilon = 1e-7;

/// t (target_width) and p (classes) of one position.
struct Position {
  const float* t;
  const float* p;
  std::int64_t width, classes;
  double target(std::int64_t c) const { return width == classes ? t[c] : t[0]; }
};
using Value = std::function<double(const Position&)>;
enum class Better { kSmaller, kLarger };
enum class Finish { kMean, kRoot };

class MeanMetric : public Metric {
 public:
  MeanMetric(Value value, Better better, Finish finish = Finish::kMean)
      : value_(std::move(value)), better_(better), finish_(finish) {}
  std::int64_t size() const override { return 2; }
  void update(const MetricInputs& in, std::span<double> sums) const override {
    for (std::int64_t i = 0; i < in.positions; ++i) {
      const double weight = in.weights == nullptr ? 1.0 : in.weights[i];
      if (ignores_ && in.targets[i * in.target_width] == ignored_) {  // counts, with the value 0, as in Keras
        sums[1] += weight;
        continue;
      }
      sums[0] += weight * value_({in.targets + i * in.target_width, in.predictions + i * in.classes,
                                  in.target_width, in.classes});
      sums[1] += weight;
    }
  }
  void result(std::span<const double> sums, std::vector<double>& values) const override {
    const double mean = sums[1] == 0 ? 0.0 : sums[0] / sums[1];
    values = {finish_ == Finish::kRoot ? std::sqrt(mean) : mean};
  }
  bool larger_is_better() const override { return better_ == Better::kLarger; }
  bool takes_signs() const override { return signs_; }
  void take_signs() { signs_ = true; }
  void ignore(float target) {
    ignores_ = true;
    ignored_ = target;
  }

 private:
  bool ignores_ = false, signs_ = false;
  float ignored_ = 0;
  Value value_;
  Better better_;
  Finish finish_;
};

/// Mean over the classes of term(t, p).
template <class Term>
Value mean_of(Term term) {
  return [term](const Position& at) {
    double sum = 0;
    for (std::int64_t c = 0; c < at.classes; ++c) sum += term(at.target(c), static_cast<double>(at.p[c]));
    return sum / static_cast<double>(at.classes);
  };
}

std::int64_t arg_max(const float* values, std::int64_t count) {
  return std::max_element(values, values + count) - values;
}

/// Is class `k` among the `top` largest predictions? A tie counts for the target, as in Keras.
double in_top(const Position& at, std::int64_t k, std::int64_t top) {
  if (k < 0 || k >= at.classes) return 0;
  std::int64_t larger = 0;
  for (std::int64_t c = 0; c < at.classes; ++c) larger += at.p[c] > at.p[k] ? 1 : 0;
  return larger < top ? 1.0 : 0.0;
}

double softplus(double x) { return elementary::log1p(elementary::exp(-std::abs(x))) + std::max(x, 0.0); }

double categorical_crossentropy(const Position& at, bool from_logits, double smoothing) {
  double largest = at.p[0], sum = 0, value = 0;
  for (std::int64_t c = 1; c < at.classes; ++c) largest = std::max<double>(largest, at.p[c]);
  for (std::int64_t c = 0; c < at.classes; ++c)
    sum += from_logits ? elementary::exp(at.p[c] - largest) : at.p[c];
  for (std::int64_t c = 0; c < at.classes; ++c) {
    const double one_hot =
        at.width == at.classes ? at.t[c] : (static_cast<std::int64_t>(at.t[0]) == c ? 1.0 : 0.0);
    const double t = one_hot * (1.0 - smoothing) + smoothing / static_cast<double>(at.classes);
    const double log_p = from_logits
                             ? at.p[c] - largest - elementary::log(sum)
                             : elementary::log(std::clamp<double>(at.p[c] / sum, kEpsilon, 1.0 - kEpsilon));
    if (t != 0) value -= t * log_p;
  }
  return value;
}

double binary_crossentropy(double t, double p, bool from_logits, double smoothing) {
  t = t * (1.0 - smoothing) + 0.5 * smoothing;
  if (from_logits) return std::max(p, 0.0) - p * t + elementary::log1p(elementary::exp(-std::abs(p)));
  p = std::clamp(p, kEpsilon, 1.0 - kEpsilon);
  return -(t * elementary::log(p) + (1.0 - t) * elementary::log(1.0 - p));
}

double cosine(const Position& at) {
  double tt = 0, pp = 0, tp = 0;
  for (std::int64_t c = 0; c < at.classes; ++c) {
    tt += at.target(c) * at.target(c);
    pp += static_cast<double>(at.p[c]) * at.p[c];
    tp += at.target(c) * at.p[c];
  }
  return tp / (std::max(std::sqrt(tt), 1e-6) * std::max(std::sqrt(pp), 1e-6));
}

double categorical_hinge(const Position& at) {
  double right = 0, wrong = -1e300;
  for (std::int64_t c = 0; c < at.classes; ++c) {
    right += at.target(c) * at.p[c];
    wrong = std::max(wrong, (1.0 - at.target(c)) * at.p[c]);
  }
  return std::max(wrong - right + 1.0, 0.0);
}

double kl_divergence(const Position& at) {
  double sum = 0;
  for (std::int64_t c = 0; c < at.classes; ++c) {
    const double t = std::clamp(at.target(c), kEpsilon, 1.0), p = std::clamp<double>(at.p[c], kEpsilon, 1.0);
    sum += t * elementary::log(t / p);
  }
  return sum;
}

void add(Registry<Metric>& registry, const std::string& name, std::vector<std::string> aliases,
         const std::string& default_name, Value value, Better better, const std::string& formula,
         Finish finish = Finish::kMean) {
  registry.add(
      metric_signature(name, std::move(aliases), default_name, {}, formula + " (keras.metrics." + name + ")"),
      [=](const Json&) { return std::make_unique<MeanMetric>(value, better, finish); });
}

void add_errors(Registry<Metric>& registry) {
  const auto squared = mean_of([](double t, double p) { return (p - t) * (p - t); });
  add(registry, "MeanSquaredError", {"mean_squared_error", "mse", "MSE"}, "mean_squared_error", squared,
      Better::kSmaller, "mean (y - t)^2");
  add(registry, "RootMeanSquaredError", {"root_mean_squared_error"}, "root_mean_squared_error", squared,
      Better::kSmaller, "root of the mean squared error", Finish::kRoot);
  add(registry, "MeanAbsoluteError", {"mean_absolute_error", "mae", "MAE"}, "mean_absolute_error",
      mean_of([](double t, double p) { return std::abs(p - t); }), Better::kSmaller, "mean |y - t|");
  add(registry, "MeanAbsolutePercentageError", {"mean_absolute_percentage_error", "mape", "MAPE"},
      "mean_absolute_percentage_error",
      mean_of([](double t, double p) { return 100.0 * std::abs(t - p) / std::max(std::abs(t), kEpsilon); }),
      Better::kSmaller, "100 mean |y - t| / |t|");
  add(registry, "MeanSquaredLogarithmicError", {"mean_squared_logarithmic_error", "msle", "MSLE"},
      "mean_squared_logarithmic_error", mean_of([](double t, double p) {
        const double distance =
            elementary::log1p(std::max(p, kEpsilon)) - elementary::log1p(std::max(t, kEpsilon));
        return distance * distance;
      }),
      Better::kSmaller, "mean (log(1 + y) - log(1 + t))^2");
  add(registry, "LogCoshError", {"log_cosh_error"}, "logcosh",
      mean_of([](double t, double p) { return p - t + softplus(-2.0 * (p - t)) - elementary::log(2.0); }),
      Better::kSmaller, "mean log cosh(y - t)");
  registry.add({"CosineSimilarity",
                {"cosine_similarity"},
                {{"name", Kind::kText, "cosine_similarity"},
                 {"dtype", Kind::kAny, nullptr, false, true},
                 last_axis_parameter()},
                "cos of the angle between t and y (keras.metrics.CosineSimilarity)"},
               [](const Json&) { return std::make_unique<MeanMetric>(cosine, Better::kLarger); });
  add(registry, "KLDivergence", {"kl_divergence"}, "kl_divergence", kl_divergence, Better::kSmaller,
      "sum t log(t / y)");
  add(registry, "Poisson", {"poisson"}, "poisson",
      mean_of([](double t, double p) { return p - t * elementary::log(p + kEpsilon); }), Better::kSmaller,
      "mean y - t log y");
}

void add_accuracies(Registry<Metric>& registry) {
  add(registry, "Accuracy", {}, "accuracy", mean_of([](double t, double p) { return t == p ? 1.0 : 0.0; }),
      Better::kLarger, "how often y equals t");
  add(
      registry, "CategoricalAccuracy", {"categorical_accuracy"}, "categorical_accuracy",
      [](const Position& at) {
        return arg_max(at.p, at.classes) == (at.width == at.classes ? arg_max(at.t, at.classes)
                                                                    : static_cast<std::int64_t>(at.t[0]))
                   ? 1.0
                   : 0.0;
      },
      Better::kLarger, "how often the largest output is the class");
  add(
      registry, "SparseCategoricalAccuracy", {"sparse_categorical_accuracy"}, "sparse_categorical_accuracy",
      [](const Position& at) {
        return static_cast<double>(arg_max(at.p, at.classes)) == static_cast<double>(at.t[0]) ? 1.0 : 0.0;
      },
      Better::kLarger, "how often the largest output is class t");
}

void add_hinges(Registry<Metric>& registry) {
  // Other targets than 0 and 1, or -1 and 1, are refused where they are read: Keras makes 0 into -1 in those
  // batches only that hold nothing but 0 and 1, so that its result would be a matter of the order of rows.
  const auto of_signs = [&](const std::string& name, const std::string& alias, Value value,
                            const std::string& formula) {
    registry.add(metric_signature(name, {alias}, alias, {},
                                  formula + ", targets 0 count as -1 (keras.metrics." + name + ")"),
                 [value](const Json&) {
                   auto metric = std::make_unique<MeanMetric>(value, Better::kSmaller);
                   metric->take_signs();
                   return metric;
                 });
  };
  const auto miss = [](double t, double p) { return std::max(1.0 - (t > 0 ? p : -p), 0.0); };
  of_signs("Hinge", "hinge", mean_of(miss), "mean max(1 - t y, 0)");
  of_signs("SquaredHinge", "squared_hinge",
           mean_of([=](double t, double p) { return miss(t, p) * miss(t, p); }), "mean max(1 - t y, 0)^2");
  add(registry, "CategoricalHinge", {"categorical_hinge"}, "categorical_hinge", categorical_hinge,
      Better::kSmaller, "max(max((1 - t) y) - sum(t y) + 1, 0)");
}

/// Outputs here are values, never lists of class numbers.
Parameter unsorted_parameter() {
  return {"from_sorted_ids",
          Kind::kObject,
          false,
          false,
          false,
          [](const Json& value) -> Json {
            if (value == false) return value;
            throw InputError("only False is supported");
          },
          true};
}

void add_parameterised(Registry<Metric>& registry) {
  const Parameter dtype{"dtype", Kind::kAny, nullptr, false, true};
  const auto named = [&](const std::string& default_name) {
    return Parameter{"name", Kind::kText, default_name};
  };
  registry.add({"BinaryAccuracy",
                {"binary_accuracy"},
                {named("binary_accuracy"), dtype, {"threshold", Kind::kNumber, 0.5}},
                "how often y > threshold equals t (keras.metrics.BinaryAccuracy)"},
               [](const Json& config) {
                 const double threshold = config["threshold"].get<double>();
                 return std::make_unique<MeanMetric>(mean_of([=](double t, double p) {
                                                       return t == (p > threshold ? 1.0 : 0.0) ? 1.0 : 0.0;
                                                     }),
                                                     Better::kLarger);
               });
  const auto top_k = [&](const std::string& class_name, const std::string& snake, bool sparse) {
    std::vector<Parameter> parameters = {{"k", Kind::kInteger, 5}, named(snake), dtype};
    if (sparse) parameters.push_back(unsorted_parameter());
    registry.add({class_name,
                  {snake},
                  parameters,
                  "how often class t is among the k largest outputs (keras.metrics." + class_name + ")"},
                 [=](const Json& config) {
                   const std::int64_t k = config["k"].get<std::int64_t>();
                   return std::make_unique<MeanMetric>(
                       [=](const Position& at) {
                         return in_top(
                             at, sparse ? static_cast<std::int64_t>(at.t[0]) : arg_max(at.t, at.width), k);
                       },
                       Better::kLarger);
                 });
  };
  top_k("TopKCategoricalAccuracy", "top_k_categorical_accuracy", false);
  top_k("SparseTopKCategoricalAccuracy", "sparse_top_k_categorical_accuracy", true);
  const Parameter logits{"from_logits", Kind::kBoolean, false},
      smoothing{"label_smoothing", Kind::kNumber, 0.0}, axis = last_axis_parameter();
  registry.add({"BinaryCrossentropy",
                {"binary_crossentropy"},
                {named("binary_crossentropy"), dtype, logits, smoothing},
                "-mean t log y + (1 - t) log(1 - y) (keras.metrics.BinaryCrossentropy)"},
               [](const Json& config) {
                 const bool from_logits = config["from_logits"].get<bool>();
                 const double s = config["label_smoothing"].get<double>();
                 return std::make_unique<MeanMetric>(
                     mean_of([=](double t, double p) { return binary_crossentropy(t, p, from_logits, s); }),
                     Better::kSmaller);
               });
  registry.add({"CategoricalCrossentropy",
                {"categorical_crossentropy"},
                {named("categorical_crossentropy"), dtype, logits, smoothing, axis},
                "-sum t log y (keras.metrics.CategoricalCrossentropy)"},
               [](const Json& config) {
                 const bool from_logits = config["from_logits"].get<bool>();
                 const double s = config["label_smoothing"].get<double>();
                 return std::make_unique<MeanMetric>(
                     [=](const Position& at) { return categorical_crossentropy(at, from_logits, s); },
                     Better::kSmaller);
               });
  registry.add({"SparseCategoricalCrossentropy",
                {"sparse_categorical_crossentropy"},
                {named("sparse_categorical_crossentropy"),
                 dtype,
                 logits,
                 {"ignore_class", Kind::kInteger, nullptr, false, true},
                 axis},
                "-log y[t] (keras.metrics.SparseCategoricalCrossentropy)"},
               [](const Json& config) {
                 const bool from_logits = config["from_logits"].get<bool>();
                 auto metric = std::make_unique<MeanMetric>(
                     [=](const Position& at) { return categorical_crossentropy(at, from_logits, 0.0); },
                     Better::kSmaller);
                 if (!config["ignore_class"].is_null()) metric->ignore(config["ignore_class"].get<float>());
                 return metric;
               });
}

}  // namespace

void add_mean_metrics(Registry<Metric>& registry) {
  add_parameterised(registry);
  add_errors(registry);
  add_accuracies(registry);
  add_hinges(registry);
}

}  // namespace nntrain::metrics

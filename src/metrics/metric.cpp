#include "metrics/metric.h"

#include "core/call.h"
#include "metrics/metric_families.h"

namespace nntrain::metrics {

std::string Metric::name() const { return spec()["config"]["name"].get<std::string>(); }

Signature metric_signature(const std::string& class_name, std::vector<std::string> aliases,
                           const std::string& default_name, std::vector<Parameter> own,
                           const std::string& summary) {
  std::vector<Parameter> parameters = std::move(own);
  parameters.push_back({"name", Kind::kText, default_name, false, false});
  parameters.push_back({"dtype", Kind::kAny, nullptr, false, true});
  return {class_name, std::move(aliases), std::move(parameters), summary};
}

Parameter last_axis_parameter() {
  return {"axis",
          Kind::kObject,
          -1,
          false,
          false,
          [](const Json& value) -> Json {
            if (value == -1) return value;
            throw InputError("only -1, the last axis, is supported, got " + format_call(value));
          },
          true};
}

Registry<Metric>& metrics() {
  static Registry<Metric> registry = [] {
    Registry<Metric> made("metric");
    add_mean_metrics(made);
    add_confusion_metrics(made);
    add_score_metrics(made);
    add_iou_metrics(made);
    made.also_offer({"accuracy", "crossentropy"});
    made.refuse({"Mean", "Sum", "MeanMetricWrapper", "Metric"},
                "it measures values that the program does not hand out");
    made.refuse({"huber", "log_cosh", "binary_focal_crossentropy", "categorical_focal_crossentropy"},
                "Keras does not take it by name either; as compile.loss it is in the history");
    return made;
  }();
  return registry;
}

namespace {
bool is_accuracy(const std::string& text) { return text == "accuracy" || text == "acc"; }
bool is_crossentropy(const std::string& text) { return text == "crossentropy" || text == "ce"; }
}  // namespace

void check_metric(const Json& spec) {
  const std::string text = spec.is_string() ? spec.get<std::string>() : "";
  if (!is_accuracy(text) && !is_crossentropy(text)) metrics().canonical(spec);
}

std::unique_ptr<Metric> make_metric(const Json& spec, const Shape& target, const Shape& output,
                                    std::string& key) {
  Json resolved = spec;
  const bool by_name = spec.is_string();
  const std::string text = by_name ? spec.get<std::string>() : "";
  const bool accuracy = is_accuracy(text), entropy = is_crossentropy(text);
  if (accuracy || entropy) {
    // keras/src/trainers/compile_utils.py, get_metric: binary when there is one output, sparse when targets
    // are indices.
    const bool binary = output.last() == 1;
    const bool sparse = target.last() == 1 && output.last() > 1;
    const std::string kind = accuracy ? "Accuracy" : "Crossentropy";
    resolved = (binary ? "Binary" : sparse ? "SparseCategorical" : "Categorical") + kind;
  }
  std::unique_ptr<Metric> metric = metrics().make(resolved);
  key = by_name ? text : metric->name();
  return metric;
}

}  // namespace nntrain::metrics

#include "nntrain/metrics/metric.h"

#include "metrics/metric_families.h"

namespace nntrain::metrics {

std::string Metric::name() const { return spec()["config"]["name"].get<std::string>(); }

Signature metric_signature(const std::string& class_name, std::vector<std::string> aliases, const std::string& default_name,
                           std::vector<Parameter> own, const std::string& summary) {
  std::vector<Parameter> parameters = std::move(own);
  parameters.push_back({"name", Kind::kText, default_name, false, false});
  parameters.push_back({"dtype", Kind::kAny, nullptr, false, true});
  return {class_name, std::move(aliases), std::move(parameters), summary};
}

Registry<Metric>& metrics() {
  static Registry<Metric> registry = [] {
    Registry<Metric> made("metric");
    add_mean_metrics(made);
    add_confusion_metrics(made);
    add_score_metrics(made);
    add_iou_metrics(made);
    return made;
  }();
  return registry;
}

std::unique_ptr<Metric> make_metric(const Json& spec, const Shape& target, const Shape& output, std::string& key) {
  Json resolved = spec;
  const bool by_name = spec.is_string();
  const std::string text = by_name ? spec.get<std::string>() : "";
  const bool accuracy = text == "accuracy" || text == "acc", entropy = text == "crossentropy" || text == "ce";
  if (accuracy || entropy) {
    // keras/src/trainers/compile_utils.py, get_metric: binary when there is one output, sparse when targets are indices.
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

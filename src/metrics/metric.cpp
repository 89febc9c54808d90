#include "metrics/metric.h"

#include <algorithm>
#include <array>
#include <string_view>

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

/// Columns of a history that are no metric's.
constexpr std::array<std::string_view, 4> kColumns = {"loss", "epoch", "seconds", "learning_rate"};

/// Why a history cannot have a column of this name, a half sentence; empty when it can. The names of columns
/// go into HDF5 (where / makes a group), into CSV (unquoted), and into ModelCheckpoint's file names.
std::string fault_of_name(const std::string& name) {
  if (name.empty()) return "is empty";
  if (name.starts_with("val_")) return "begins with \"val_\", as the results of the validation do";
  if (std::find(kColumns.begin(), kColumns.end(), name) != kColumns.end())
    return "is that of another column of the history";
  const bool blank = name.front() == ' ' || name.back() == ' ';
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return "has a control character";
    if (std::string_view("/.,;:{}\"'`\\").find(c) != std::string_view::npos)
      return std::string("has a \"") + c + "\" in it";
  }
  return blank ? "begins or ends with a blank" : "";
}

/// `canonical`: {class_name, config}.
void check_name(const Json& canonical) {
  const std::string name = canonical["config"]["name"].get<std::string>();
  const std::string fault = fault_of_name(name);
  if (fault.empty()) return;
  const std::string class_name = canonical["class_name"].get<std::string>();
  std::string own;
  for (const Signature* signature : metrics().signatures()) {
    if (signature->class_name != class_name) continue;
    for (const Parameter& parameter : signature->parameters) {
      if (parameter.name == "name") own = parameter.default_value.get<std::string>();
    }
  }
  throw InputError(class_name + ": the name " +
                   Json(name).dump(-1, ' ', true, Json::error_handler_t::replace) + " " + fault +
                   "; a metric's name is a column of the history: give one of letters, digits "
                   "and _, or leave name out (it is then \"" +
                   own + "\")");
}
}  // namespace

void check_metric(const Json& spec) {
  const std::string text = spec.is_string() ? spec.get<std::string>() : "";
  if (!is_accuracy(text) && !is_crossentropy(text)) check_name(metrics().canonical(spec));
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
  check_name(metric->spec());
  key = by_name ? text : metric->name();
  return metric;
}

}  // namespace nntrain::metrics

#include <cmath>
#include <cstdlib>

#include "core/error.h"
#include "train/callbacks/callbacks.h"

namespace nntrain::train {

Monitor::Monitor(const Json& config)
    : name_(config["monitor"].get<std::string>()),
      mode_(config["mode"].get<std::string>()),
      min_delta_(config.value("min_delta", 0.0)) {
  if (mode_ != "auto" && mode_ != "min" && mode_ != "max") {
    throw InputError("mode = \"" + mode_ + "\" is none of: auto, min, max");
  }
}

bool Monitor::larger(Control& control) const {
  return mode_ == "max" || (mode_ == "auto" && control.larger_is_better(name_));
}

void Monitor::check(const Control& control) const {
  const std::vector<std::string> names = control.result_names();
  std::string list;
  for (const std::string& name : names) {
    if (name == name_) return;
    list += (list.empty() ? "" : ", ") + name;
  }
  const bool validation = name_.rfind("val_", 0) == 0, validates = list.find("val_") != std::string::npos;
  const std::string near = nearest(name_, names);
  throw InputError(
      "monitor = \"" + name_ + "\" is not among the results: " + list +
      (near.empty() ? "" : "; did you mean " + near + "?") +
      (validation && !validates
           ? "; for a val_ result give validation data (data.validation_rows, fit.validation_split)"
           : ""));
}

bool Monitor::improves(Control& control, double now, const std::optional<double>& best) const {
  if (!best) return true;
  // Keras compares in float32 (keras.ops.less), which decides ties.
  if (larger(control)) return static_cast<float>(now - min_delta_) > static_cast<float>(*best);
  return static_cast<float>(now + min_delta_) < static_cast<float>(*best);
}

Json to_state(const std::optional<double>& best) {
  if (!best) return nullptr;
  if (std::isfinite(*best)) return *best;
  return std::isnan(*best) ? "nan" : *best > 0 ? "inf" : "-inf";
}

std::optional<double> from_state(const Json& state, const char* key) {
  const Json value = state.value(key, Json());
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return std::strtod(value.get<std::string>().c_str(), nullptr);
  return std::nullopt;
}

}  // namespace nntrain::train

#include <cmath>
#include <limits>

#include "nntrain/core/error.h"
#include "train/callbacks.h"

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

double Monitor::value(const Logs& logs, const std::string& callback) const {
  if (const auto found = logs.find(name_)) return *found;
  throw InputError("callback " + callback + ": monitor = \"" + name_ + "\" is not among the results: " + logs.names() +
                   (name_.rfind("val_", 0) == 0 ? "; give validation data (data.validation_rows, fit.validation_split)" : ""));
}

bool Monitor::improves(Control& control, double now, double best) const {
  // Keras compares in float32 (keras.ops.less), which decides ties.
  if (larger(control)) return static_cast<float>(now - min_delta_) > static_cast<float>(best);
  return static_cast<float>(now + min_delta_) < static_cast<float>(best);
}

double Monitor::worst(Control& control) const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return larger(control) ? -kInfinity : kInfinity;
}

}  // namespace nntrain::train

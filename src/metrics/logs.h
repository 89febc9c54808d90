#pragma once
// Results by name, in order.

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nntrain::metrics {

/// Results of an epoch by Keras' names, in Keras' order: "accuracy", "loss", "val_accuracy", ...
struct Logs {
  std::vector<std::pair<std::string, double>> values;
  std::optional<double> find(const std::string& name) const;
  void set(const std::string& name, double value);  ///< replaces or appends
  std::string names() const;                        ///< "accuracy, loss"
};

}  // namespace nntrain::metrics

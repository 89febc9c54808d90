#pragma once
// Results of epochs and of evaluations.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace nntrain {

/// Keras' History: one column a result, one value an epoch. NaN where an epoch has no such result
/// (validation_freq).
struct History {
  std::vector<std::int64_t> epoch;  ///< counted from 1, through all fits of a model
  std::vector<std::pair<std::string, std::vector<double>>>
      columns;  ///< "accuracy", "loss", "val_loss", ..., "seconds"
  /// Throws InputError naming the columns when there is no `name`.
  const std::vector<double>& operator[](const std::string& name) const;
};

/// "loss" and the metrics by name.
using Results = std::map<std::string, double>;

}  // namespace nntrain

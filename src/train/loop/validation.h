#pragma once
// The pass over the validation rows at the end of an epoch.

#include <cstdint>
#include <functional>
#include <optional>

#include "train/run/run.h"

namespace nntrain::train {

class Validation {
 public:
  /// `run` outlives it.
  explicit Validation(Run& run);

  /// Is there one after the epoch `epoch` (0-based)?
  bool due(std::int64_t epoch) const;
  /// Collective. Results with "val_" before their names; nothing when a stop was asked for between two
  /// batches: the pass then begins again when the run goes on. `reasons` tells why. `before_looking` may ask
  /// for the stop itself.
  std::optional<Logs> evaluate(const std::function<void()>& before_looking, std::uint32_t& reasons);
  /// The names that evaluate() returns, with zeros.
  Logs names() const;

 private:
  Run& run_;
  Scoreboard board_;
};

}  // namespace nntrain::train

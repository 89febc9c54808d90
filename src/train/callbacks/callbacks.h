#pragma once
// One line for each callback; what they share.

#include <optional>
#include <string>

#include "train/callbacks/callback.h"

namespace nntrain::train {

void add_early_stopping(Registry<Callback>& registry);
void add_model_checkpoint(Registry<Callback>& registry);
void add_reduce_learning_rate(Registry<Callback>& registry);
void add_csv_logger(Registry<Callback>& registry);
void add_tensorboard(Registry<Callback>& registry);
void add_terminate_on_nan(Registry<Callback>& registry);
void add_learning_rate_scheduler(Registry<Callback>& registry);

/// A best value in a callback's state, and back. JSON has no NaN and no Inf.
Json to_state(const std::optional<double>& best);
std::optional<double> from_state(const Json& state, const char* key);

/// Is `now` better than `best` by more than `min_delta`? Keras' mode: auto, min, max.
class Monitor {
 public:
  explicit Monitor(const Json& config);
  /// Throws InputError, naming what there is, when no epoch will have the monitored result.
  void check(const Control& control) const;
  /// The monitored value; nothing in an epoch without validation (fit.validation_freq).
  std::optional<double> value(const Logs& logs) const { return logs.find(name_); }
  /// Anything improves on nothing.
  bool improves(Control& control, double now, const std::optional<double>& best) const;
  const std::string& name() const { return name_; }

 private:
  bool larger(Control& control) const;

  std::string name_;
  std::string mode_;
  double min_delta_;
};

}  // namespace nntrain::train

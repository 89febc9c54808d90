#pragma once
// One line for each callback; what they share.

#include <string>

#include "nntrain/train/callback.h"

namespace nntrain::train {

void add_early_stopping(Registry<Callback>& registry);
void add_model_checkpoint(Registry<Callback>& registry);
void add_reduce_learning_rate(Registry<Callback>& registry);
void add_csv_logger(Registry<Callback>& registry);
void add_terminate_on_nan(Registry<Callback>& registry);
void add_learning_rate_scheduler(Registry<Callback>& registry);

/// Is `now` better than `best` by more than `min_delta`? Keras' mode: auto, min, max.
class Monitor {
 public:
  explicit Monitor(const Json& config);
  /// The monitored value; throws InputError naming what there is.
  double value(const Logs& logs, const std::string& callback) const;
  bool improves(Control& control, double now, double best) const;
  double worst(Control& control) const;
  const std::string& name() const { return name_; }

 private:
  bool larger(Control& control) const;

  std::string name_;
  std::string mode_;
  double min_delta_;
};

}  // namespace nntrain::train

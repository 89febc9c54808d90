#pragma once
// What others see of a run while it goes: the status file beside its checkpoint and the picture of run.plot.
// Rank 0 writes both; no step waits for either.

#include <memory>
#include <string>

#include "train/report/plot_file.h"
#include "train/report/status_file.h"
#include "train/run/run.h"

namespace nntrain::train {

class RunReports {
 public:
  /// Collective. Throws InputError, all ranks alike, when the name of run.plot does not say how to draw.
  /// `run` outlives it.
  explicit RunReports(Run& run);

  /// Rank 0: would refresh() write now? One look at the clock.
  bool wants_refresh() const { return status_ && status_->wants_update(); }
  /// Inside an epoch; `results` of it so far.
  void refresh(const Logs& results) { report(RunPhase::kRunning, "", results); }
  /// The history has the epoch.
  void end_epoch();
  void end(RunPhase phase, const std::string& reason);

 private:
  void report(RunPhase phase, const std::string& reason, const Logs& results);

  Run& run_;
  std::unique_ptr<StatusFile> status_;  ///< rank 0's, as plot_
  std::unique_ptr<PlotFile> plot_;
};

}  // namespace nntrain::train

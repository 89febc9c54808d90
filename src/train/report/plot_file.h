#pragma once
// run.plot: the picture of a run that is kept fresh while it trains. Rank 0's; drawn by a child process that
// takes only idle time, so that no step waits for it.

#include <chrono>
#include <memory>
#include <string>

#include "checkpoint/checkpoint.h"
#include "core/log.h"
#include "train/report/gnuplot.h"

namespace nntrain::train {

/// Seconds from one picture to the next when drawing one took that much of a core: 250 times that, at least
/// five seconds. All ranks wait for one that lost its core, at small batches for the whole drawing: so a run
/// loses less than one percent, however slow the machine or long the history.
double pause_after(double processor_seconds);

class PlotFile {
 public:
  /// `label` is the title's name of the run. Nothing is drawn yet.
  PlotFile(std::string path, std::string label, Log& log);
  ~PlotFile();

  /// After an epoch: draws, unless the last picture is still being drawn or younger than its pause.
  void update(const checkpoint::History& history);
  /// At the end of the run: the last picture, waited for.
  void finish(const checkpoint::History& history);

 private:
  void draw(const checkpoint::History& history, GnuplotPriority priority);
  void collect();
  void fail(const std::string& cause);

  Log& log_;
  std::string path_, label_;
  std::unique_ptr<Gnuplot> child_;
  std::chrono::steady_clock::time_point last_{};
  double pause_ = 0;     ///< seconds
  bool failed_ = false;  ///< said once; then no more pictures
};

}  // namespace nntrain::train

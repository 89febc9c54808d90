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

class PlotFile {
 public:
  /// `label` is the title's name of the run. Nothing is drawn yet.
  PlotFile(std::string path, std::string label, Log& log);
  ~PlotFile();

  /// After an epoch: draws, unless the last picture is younger than a few seconds or still being drawn.
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
  bool failed_ = false;  ///< said once; then no more pictures
};

}  // namespace nntrain::train

#pragma once
// Runs as they are drawn: curves out of a history, and what tells runs apart. Pure.

#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace nntrain::train {

struct PlotPoint {
  double epoch;
  double value;
};
using PlotCurve = std::vector<PlotPoint>;

/// One run in a picture.
struct PlotRun {
  std::string label;
  checkpoint::History history;
};

/// What a label is made of.
struct PlotSource {
  std::string path;    ///< of the checkpoint
  std::string config;  ///< INI text that the checkpoint keeps
};

/// One label a run, in order: the settings in which the runs differ ("optimizer: learning_rate = 0.1"), and
/// the file's name where these do not tell them apart. A single run: the file's name.
std::vector<std::string> plot_labels(const std::vector<PlotSource>& sources);

/// The column `name`, at the epochs 1, 2, ... plus `shift`; what is not finite (an epoch without validation)
/// is left out.
PlotCurve plot_curve(const checkpoint::History& history, const std::string& name, double shift);

/// Every point becomes the mean of the `width` points around it, fewer at the ends.
PlotCurve smoothed(const PlotCurve& curve, int width);

/// The column by which the best epoch is judged: the lowest val_loss, or loss without validation.
std::string judged_by(const checkpoint::History& history);
/// Its epoch (1-based) and value; nothing before the first finished epoch.
std::optional<PlotPoint> best_epoch(const checkpoint::History& history);

/// The results that `runs` have, without "val_", the epoch's number, seconds and learning rate: loss first,
/// then in order of appearance.
std::vector<std::string> plot_results(const std::vector<PlotRun>& runs);

}  // namespace nntrain::train

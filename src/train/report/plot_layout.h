#pragma once
// What plot_script.cpp and plot_text.cpp share: numbers and words in gnuplot's language, axes. Private to the
// room.

#include <string>
#include <vector>

#include "train/report/plot_run.h"

namespace nntrain::train {

/// 'text' as gnuplot takes it literally.
std::string plot_quoted(const std::string& text);

/// One curve of a panel.
struct PlotLine {
  std::size_t run = 0;
  bool validation = false;
  PlotCurve curve;
};

/// One result of all runs: training half an epoch to the left, validation where it is.
struct PlotPanel {
  std::string result;
  std::vector<PlotLine> lines;
  std::vector<PlotPoint> best;  ///< where the curve is in each run's best epoch, parallel to best_runs
  std::vector<std::size_t> best_runs;
};

PlotPanel plot_panel(const std::vector<PlotRun>& runs, const std::string& result, int smooth,
                     bool logarithmic);
/// The learning rate as steps, each from the epoch's beginning; no lines where no history has it.
PlotPanel learning_rate_panel(const std::vector<PlotRun>& runs);

/// "$name << EOD ... EOD": a named data block.
std::string plot_data_block(const std::string& name, const PlotCurve& curve);

/// xrange and whole epochs as tics, for all panels alike; about `most` tics.
std::string epoch_axis(const std::vector<PlotRun>& runs, int most);

/// Logarithmic y axis with tics that also serve less than a decade; "" for a linear one.
std::string value_axis(const PlotPanel& panel, bool logarithmic);

/// "lowest val_loss 0.3021 in epoch 27", or "" without an epoch.
std::string best_words(const checkpoint::History& history);

}  // namespace nntrain::train

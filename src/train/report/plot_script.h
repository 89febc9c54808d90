#pragma once
// The script that draws learning curves with gnuplot. Pure.

#include <string>
#include <vector>

#include "train/report/plot_run.h"

namespace nntrain::train {

enum class PlotFormat { kPng, kSvg, kPdf, kText };

struct PlotOptions {
  PlotFormat format = PlotFormat::kPng;
  std::vector<std::string> results;  ///< the panels; empty: all
  bool logarithmic = false;          ///< y axes; values that are not positive are left out
  int smooth = 1;                    ///< mean of so many epochs
  int columns = 100;                 ///< characters a line, kText
  bool colour = false;               ///< escape codes, kText
};

/// The format that a file's name asks for. Throws InputError for other endings than .png, .svg, .pdf, .txt.
PlotFormat plot_format(const std::string& path);

/// For plot --output. Throws InputError when `path` is one of `inputs`, a folder, a device, or a file that is
/// no picture of its ending: nothing but a picture is ever replaced.
void check_plot_output(const std::string& path, const std::vector<std::string>& inputs);

/// Throws InputError, naming what there is, for a result that no run has, and when no run has an epoch.
std::string plot_script(const std::vector<PlotRun>& runs, const PlotOptions& options);

}  // namespace nntrain::train

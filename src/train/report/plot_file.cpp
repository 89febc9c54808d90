#include "train/report/plot_file.h"

#include <algorithm>

#include "core/error.h"
#include "train/report/plot_script.h"

namespace nntrain::train {

double pause_after(double processor_seconds) { return std::max(5.0, 250 * processor_seconds); }

PlotFile::PlotFile(std::string path, std::string label, Log& log)
    : log_(log), path_(std::move(path)), label_(std::move(label)) {}

PlotFile::~PlotFile() = default;

void PlotFile::update(const checkpoint::History& history) {
  if (failed_) return;
  if (child_) {
    if (!child_->ended()) return;
    collect();
  }
  if (std::chrono::steady_clock::now() - last_ < std::chrono::duration<double>(pause_)) return;
  draw(history, GnuplotPriority::kIdle);
}

void PlotFile::finish(const checkpoint::History& history) {
  if (failed_ || history.columns.empty()) return;
  child_.reset();
  draw(history, GnuplotPriority::kNormal);
  if (child_) collect();
}

void PlotFile::draw(const checkpoint::History& history, GnuplotPriority priority) {
  try {
    PlotOptions options;
    options.format = plot_format(path_);
    child_ = std::make_unique<Gnuplot>(plot_script({{label_, history}}, options), path_, priority);
    last_ = std::chrono::steady_clock::now();
  } catch (const Error& error) {
    fail(error.what());
  }
}

void PlotFile::collect() {
  const std::unique_ptr<Gnuplot> child = std::move(child_);
  try {
    child->finish();
    pause_ = pause_after(child->processor_seconds());
  } catch (const Error& error) {
    fail(error.what());
  }
}

void PlotFile::fail(const std::string& cause) {
  failed_ = true;
  log_.note("run.plot = " + path_ + ": " + cause + "; the training goes on without the picture");
}

}  // namespace nntrain::train

#include "train/report/run_reports.h"

#include <algorithm>
#include <filesystem>

#include "train/report/plot_script.h"

namespace nntrain::train {

RunReports::RunReports(Run& run) : run_(run) {
  const std::string& picture = run.settings.run.plot;
  comm::collectively(run.session, "run.plot", [&] {
    if (picture.empty()) return;
    with_origin(run.configuration.origin("run.plot") + ": run.plot", [&] { (void)plot_format(picture); });
  });
  if (!run.session.is_root()) return;
  status_ = std::make_unique<StatusFile>(run.settings.checkpoint.path, run.log);
  report(RunPhase::kRunning, "", {});
  if (picture.empty()) return;
  plot_ = std::make_unique<PlotFile>(
      picture, std::filesystem::path(run.settings.checkpoint.path).stem().string(), run.log);
}

void RunReports::end_epoch() {
  if (wants_refresh()) report(RunPhase::kRunning, "", {});
  if (plot_) plot_->update(run_.past.history);
}

void RunReports::end(RunPhase phase, const std::string& reason) {
  report(phase, reason, {});
  if (plot_) plot_->finish(run_.past.history);
}

/// Results that `results` lacks are the last epoch's.
void RunReports::report(RunPhase phase, const std::string& reason, const Logs& results) {
  if (!status_) return;
  const checkpoint::RunState& state = run_.past.state;
  RunStatus status;
  status.phase = phase;
  status.reason = reason;
  status.epoch = state.epoch;
  status.epochs = run_.settings.fit.epochs;
  status.step = state.step;
  const std::int64_t rows = run_.data.train.rows(), batch = std::min(run_.settings.fit.batch_size, rows);
  status.steps = (rows + batch - 1) / batch;
  if (run_.settings.fit.steps_per_epoch > 0)
    status.steps = std::min(status.steps, run_.settings.fit.steps_per_epoch);
  status.results = results;
  for (const auto& [name, column] : run_.past.history.columns) {
    if (name != "epoch" && name != "seconds" && !column.empty() && !results.find(name))
      status.results.values.emplace_back(name, column.back());
  }
  const auto samples = static_cast<double>(std::min(rows, status.steps * batch));
  const double done = status.step > 0 ? static_cast<double>(status.step * batch) : samples;
  if (state.epoch_seconds > 0) status.samples_per_second = done / state.epoch_seconds;
  set_time_left(status, samples, static_cast<double>(batch));
  status.ranks = run_.session.size();
  status_->update(status);
}

}  // namespace nntrain::train

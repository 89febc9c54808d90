#include "train/report/closing_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/products/gemm.h"

namespace nntrain::train {

namespace {

/// Below this share nobody needs to hear of it.
constexpr double kRemarkableShare = 0.1, kRemarkableSeconds = 5;

/// One rank's seconds: start-up, each activity, and what is left of the wall time.
std::vector<double> seconds_of_rank(const Run& run, const Work& work, double wall) {
  std::vector<double> seconds = {work.start_up_seconds};
  double rest = wall - work.start_up_seconds;
  for (const double activity : run.times.all()) {
    seconds.push_back(activity);
    rest -= activity;
  }
  seconds.push_back(std::max(rest, 0.0));
  return seconds;
}

std::vector<ActivityRow> rows_of(const std::vector<std::vector<std::byte>>& gathered) {
  std::vector<std::string> names = {"start-up"};
  names.insert(names.end(), kActivityNames.begin(), kActivityNames.end());
  names.emplace_back("other");
  std::vector<ActivityRow> rows;
  for (std::size_t a = 0; a < names.size(); ++a) {
    ActivityRow row{names[a], std::numeric_limits<double>::infinity(), 0, 0};
    for (const std::vector<std::byte>& bytes : gathered) {
      const double seconds = reinterpret_cast<const double*>(bytes.data())[a];
      row.least_seconds = std::min(row.least_seconds, seconds);
      row.most_seconds = std::max(row.most_seconds, seconds);
      row.mean_seconds += seconds / static_cast<double>(gathered.size());
    }
    rows.push_back(row);
  }
  return rows;
}

/// Of the rank that waits least.
int rank_waited_for(const std::vector<std::vector<std::byte>>& gathered) {
  constexpr std::size_t kWaitRow = 1 + static_cast<std::size_t>(Activity::kWaiting);
  const auto waiting = [](const std::vector<std::byte>& bytes) {
    return reinterpret_cast<const double*>(bytes.data())[kWaitRow];
  };
  return static_cast<int>(
      std::min_element(gathered.begin(), gathered.end(),
                       [&](const auto& a, const auto& b) { return waiting(a) < waiting(b); }) -
      gathered.begin());
}

}  // namespace

ClosingReport make_closing_report(Run& run, const Work& work) {
  ClosingReport report;
  report.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - run.start).count();
  report.work = work;
  report.ranks = run.session.size();
  const std::vector<double> mine = seconds_of_rank(run, work, report.wall_seconds);
  const auto gathered = run.session.gather(std::as_bytes(std::span(mine)));
  const std::string& host = run.session.host();
  const auto hosts = run.session.gather(std::as_bytes(std::span(host)));
  const gemm::Rate rate = gemm::measured_rate();
  report.core_rate_gflops = run.session.minimum(rate.gflops);
  report.rate_is_reliable = run.session.minimum(rate.reliable ? 1.0 : 0.0) > 0;
  if (gathered.empty()) return report;
  report.rows = rows_of(gathered);
  // Ranks begin and end a little apart: the whole is the mean of their times, of which the rows are the
  // parts.
  report.wall_seconds = 0;
  for (const ActivityRow& row : report.rows) report.wall_seconds += row.mean_seconds;
  report.slowest_rank = rank_waited_for(gathered);
  const std::vector<std::byte>& name = hosts[static_cast<std::size_t>(report.slowest_rank)];
  report.slowest_host.assign(reinterpret_cast<const char*>(name.data()), name.size());
  report.waiting_share = report.rows[1 + static_cast<std::size_t>(Activity::kWaiting)].mean_seconds /
                         std::max(report.wall_seconds, 1e-9);
  report.gflops = static_cast<double>(work.samples) * run.model->training_flops() /
                  std::max(work.training_seconds, 1e-9) * 1e-9;
  return report;
}

namespace {

std::string share_of_rate(const ClosingReport& report) {
  if (report.core_rate_gflops == 0) return "too little memory to measure the GEMM rate";
  return fmt::format("{:.0f} % of the measured GEMM rate ({:.0f} GFLOP/s a core x {} ranks{})",
                     100.0 * report.gflops / (report.core_rate_gflops * report.ranks),
                     report.core_rate_gflops, report.ranks,
                     report.rate_is_reliable ? "" : "; measured on a busy machine, not reliable");
}

}  // namespace

std::vector<std::string> closing_lines(const ClosingReport& report) {
  std::vector<std::string> lines = {"", "Activity        min s     mean s      max s   % of the run"};
  const double wall = std::max(report.wall_seconds, 1e-9);
  for (const ActivityRow& row : report.rows) {
    lines.push_back(fmt::format("{:<12}{:>9.3f}  {:>9.3f}  {:>9.3f}   {:>6.1f}", row.name, row.least_seconds,
                                row.mean_seconds, row.most_seconds, 100.0 * row.mean_seconds / wall));
  }
  lines.push_back(
      fmt::format("{:<12}{:>9}  {:>9.3f}  {:>9}   {:>6.1f}", "wall", "", report.wall_seconds, "", 100.0));
  const double seconds = std::max(report.work.training_seconds, 1e-9);
  lines.push_back(fmt::format("Performance: {:.0f} samples/s, {:.0f} steps/s, {:.1f} GFLOP/s, {}",
                              static_cast<double>(report.work.samples) / seconds,
                              static_cast<double>(report.work.steps) / seconds, report.gflops,
                              share_of_rate(report)));
  if (report.ranks > 1 && wall > kRemarkableSeconds && report.waiting_share > kRemarkableShare) {
    lines.push_back(
        fmt::format("NOTE: {:.0f} % of the time ranks waited for one another, most of all for rank {} on "
                    "{}: does it share its core with other programs, or have the others too few rows?",
                    100.0 * report.waiting_share, report.slowest_rank, report.slowest_host));
  }
  return lines;
}

std::string nothing_to_do_text(const Run& run) {
  const checkpoint::RunState& state = run.past.state;
  const std::string& path = run.settings.checkpoint.path;
  const std::int64_t epochs = run.settings.fit.epochs;
  const std::string& by = run.past.ended_by;
  if (state.finished)
    return fmt::format("The run in {} is finished: {} epochs are done{}. A fit.epochs above {} goes on.",
                       path, state.epoch, by.empty() ? "" : ", then " + by + " ended it",
                       std::max(state.epoch, epochs));
  const std::string where = state.step > 0
                                ? fmt::format("within epoch {}, after step {}", state.epoch + 1, state.step)
                                : fmt::format("after epoch {}", state.epoch);
  return fmt::format(
      "The run in {} is not finished: {} epochs are done, and it was stopped {}. fit.epochs = {} asks for no "
      "more, so nothing was done and nothing was changed. A fit.epochs above {} goes on.",
      path, state.epoch, where, epochs, state.epoch);
}

std::string no_epoch_text(const Run& run) {
  const FitSettings& fit = run.settings.fit;
  const std::string& path = run.settings.checkpoint.path;
  return fmt::format(
      "No epoch was trained: fit.epochs = {}{}; {} the weights that the run began with.", fit.epochs,
      fit.initial_epoch > 0 ? fmt::format(" and fit.initial_epoch = {}", fit.initial_epoch) : "",
      path.empty() ? "it ends with" : path + " holds");
}

}  // namespace nntrain::train

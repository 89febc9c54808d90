// watch: how a running job is doing, from any machine that sees its files.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <thread>

#include "cli/commands.h"
#include "cli/log.h"
#include "core/error.h"
#include "core/terminal.h"
#include "train/report/progress.h"
#include "train/report/status_file.h"

namespace nntrain::cli {

namespace {

constexpr std::chrono::seconds kLook{1};
constexpr int kBarWidth = 30;

std::string bar(std::int64_t done, std::int64_t whole) {
  const bool utf8 = terminal::speaks_utf8();
  std::string text;
  for (int i = 0; i < kBarWidth; ++i) {
    const bool filled = whole > 0 && i < done * kBarWidth / whole;
    text += utf8 ? (filled ? "━" : "─") : (filled ? "=" : ".");
  }
  return text;
}

/// One line: what a log wants.
std::string line_of(const train::RunStatus& status) {
  std::string text = fmt::format("{} - {}", status.checkpoint, train::run_phase_name(status.phase));
  if (!status.reason.empty()) text += " (" + status.reason + ")";
  text += fmt::format(" - epoch {}/{}", status.epoch, status.epochs);
  if (status.step > 0)
    text += fmt::format(", step {}/{} of epoch {}", status.step, status.steps, status.epoch + 1);
  if (!status.results.values.empty()) text += " - " + train::format_logs(status.results);
  if (status.samples_per_second > 0) text += fmt::format(" - {:.0f} samples/s", status.samples_per_second);
  if (status.phase == train::RunPhase::kRunning && status.seconds_left >= 0)
    text += " - " + train::format_duration(status.seconds_left) + " left";
  return text;
}

/// Several lines, for a terminal.
std::string page_of(const train::RunStatus& status) {
  std::string text = fmt::format("{}   {}", status.checkpoint, train::run_phase_name(status.phase));
  if (!status.reason.empty()) text += " (" + status.reason + ")";
  text += fmt::format("   {} rank{}\n", status.ranks, status.ranks == 1 ? "" : "s");
  text +=
      fmt::format("epochs  {}  {} of {}\n", bar(status.epoch, status.epochs), status.epoch, status.epochs);
  if (status.step > 0) {
    text += fmt::format("steps   {}  {} of {} of epoch {}\n", bar(status.step, status.steps), status.step,
                        status.steps, status.epoch + 1);
  }
  if (!status.results.values.empty()) text += "        " + train::format_logs(status.results) + "\n";
  if (status.samples_per_second > 0)
    text += fmt::format("        {:.0f} samples/s", status.samples_per_second);
  if (status.phase == train::RunPhase::kRunning && status.seconds_left >= 0)
    text += "   " + train::format_duration(status.seconds_left) + " of training left";
  return text + fmt::format("\n        {}, {} ago", status.updated,
                            train::format_duration(status.seconds_since_update));
}

/// A line that the terminal would wrap could not be drawn over.
std::string fitted(const std::string& page) {
  std::istringstream lines(page);
  std::string text;
  for (std::string line; std::getline(lines, line);)
    text += (text.empty() ? "" : "\n") + std::string(terminal::cut(line, terminal::columns() - 1));
  return text;
}

std::int64_t lines_of(const std::string& page) { return std::count(page.begin(), page.end(), '\n') + 1; }

/// Looks until the run has ended.
void follow(const std::string& checkpoint, bool json) {
  const bool redraws = !json && terminal::is_output();
  std::string last;
  std::int64_t drawn = 0;
  for (;;) {
    const train::RunStatus status = train::read_status(checkpoint);
    if (redraws) {
      const std::string page = fitted(page_of(status));
      std::string text = drawn > 0 ? fmt::format("\x1b[{}A", drawn) : "";
      for (const char c : page + "\n") text += c == '\n' ? "\x1b[K\n" : std::string(1, c);
      log::draw(text + "\x1b[J");
      drawn = lines_of(page);
    } else if (const std::string text = json ? train::status_json(status).dump() : line_of(status);
               text != last) {
      log::info(text);
      last = text;
    }
    if (status.phase != train::RunPhase::kRunning) return;
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

ExitCode watch(comm::Session& session, const CommandLine& line) {
  comm::collectively(session, "watch", [&] {
    if (!session.is_root()) return;
    if (!line.has("once")) {
      follow(line.file, line.has("json"));
      return;
    }
    const train::RunStatus status = train::read_status(line.file);
    log::info(line.has("json") ? train::status_json(status).dump(2) : page_of(status));
  });
  return ExitCode::kDone;
}

}  // namespace nntrain::cli

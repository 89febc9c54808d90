#include "train/report/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/terminal.h"

namespace nntrain::train {

std::string format_value(double value) {
  return std::abs(value) > 1e-3 || value == 0 ? fmt::format("{:.4f}", value) : fmt::format("{:.4e}", value);
}

std::string with_commas(std::int64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::int64_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::string format_logs(const Logs& logs) {
  std::string text;
  for (const auto& [name, value] : logs.values)
    text += (text.empty() ? "" : " - ") + name + ": " + format_value(value);
  return text;
}

std::string format_duration(double seconds) {
  const auto whole = static_cast<long long>(seconds);
  if (whole >= 3600) return fmt::format("{}:{:02d}:{:02d}", whole / 3600, whole % 3600 / 60, whole % 60);
  if (whole >= 60) return fmt::format("{}:{:02d}", whole / 60, whole % 60);
  return fmt::format("{}s", static_cast<long long>(std::llround(seconds)));
}

std::string format_step_time(double seconds) {
  if (seconds >= 1) return fmt::format("{:.0f}s/step", seconds);
  return seconds >= 1e-3 ? fmt::format("{:.0f}ms/step", seconds * 1e3)
                         : fmt::format("{:.0f}us/step", seconds * 1e6);
}

Verbose verbose_of(const std::string& setting, const Log& log) {
  if (setting == "0") return Verbose::kSilent;
  if (setting == "1") return Verbose::kBar;
  if (setting == "2") return Verbose::kLine;
  return log.on_terminal() ? Verbose::kBar : Verbose::kLine;
}

namespace {

double seconds_between(std::chrono::steady_clock::time_point start,
                       std::chrono::steady_clock::time_point end) {
  return std::chrono::duration<double>(end - start).count();
}

std::string bar_of(const BarLine& line, std::int64_t length, bool utf8) {
  const std::int64_t filled = std::clamp<std::int64_t>(line.done * length / line.steps, 0, length);
  std::string bar = utf8 ? "" : "[";
  for (std::int64_t i = 0; i < length; ++i) {
    if (utf8) {
      bar += i < filled ? "━" : "─";
    } else {
      bar += i < filled ? (i + 1 == filled && filled < length ? ">" : "=") : ".";
    }
  }
  return bar + (utf8 ? "" : "]");
}

/// Names come from configurations: nothing in them moves the cursor.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text;
}

}  // namespace

std::string format_bar(const BarLine& line, std::int64_t columns, bool utf8) {
  constexpr std::int64_t kLongest = 20, kShortest = 5;
  const std::string steps = std::to_string(line.steps);
  const std::string count = fmt::format("{:>{}}/{} ", line.done, steps.size(), steps);
  std::string text = " " + format_duration(line.epoch_seconds_left) + " left";
  const auto add = [&](const std::string& part) {
    // The bar gives way first, down to its shortest.
    if (terminal::width_of(count + text + part) + kShortest + 2 > columns) return false;
    text += part;
    return true;
  };
  bool all = true;
  for (const auto& [name, value] : line.logs.values)
    all = all && add(" - " + printable(name) + ": " + format_value(value));
  if (line.run_seconds_left > 0) all = add(" - run " + format_duration(line.run_seconds_left)) && all;
  if (all) add(fmt::format(" - {:.0f} samples/s", line.samples_per_second));
  const std::int64_t room = columns - terminal::width_of(count + text) - 2;
  if (room < kShortest) return std::string(terminal::cut(count + text.substr(1), columns));
  return count + bar_of(line, std::min(kLongest, room), utf8) + text;
}

Progress::Progress(Log& log, Verbose verbose, std::int64_t epochs)
    : log_(log), verbose_(verbose), draws_(verbose == Verbose::kBar && log.on_terminal()), epochs_(epochs) {}

void Progress::begin_epoch(std::int64_t epoch, std::int64_t steps, std::int64_t first_step,
                           std::int64_t batch_rows) {
  const auto now = Clock::now();
  const bool follows = steps_ > 0 && first_step_ == 0 && epoch == epoch_ + 1;
  epoch_seconds_ = follows ? seconds_between(start_, now) : 0;
  start_ = now;
  epoch_ = epoch;
  steps_ = steps;
  first_step_ = first_step;
  batch_rows_ = batch_rows;
  const QuietScreen quiet(log_, verbose_ == Verbose::kSilent);
  log_.info(fmt::format("Epoch {}/{}", epoch + 1, epochs_));
}

bool Progress::wants_update() const {
  return draws_ && Clock::now() - last_draw_ > std::chrono::milliseconds(200);
}

void Progress::update(std::int64_t steps_done, const Logs& logs) {
  if (verbose_ != Verbose::kBar) return;
  last_draw_ = Clock::now();
  if (!draws_) return;
  const double elapsed = std::max(seconds_between(start_, last_draw_), 1e-9);
  const auto done = static_cast<double>(std::max<std::int64_t>(1, steps_done - first_step_));
  BarLine line;
  line.done = steps_done;
  line.steps = std::max<std::int64_t>(1, steps_);
  line.epoch_seconds_left = elapsed / done * static_cast<double>(steps_ - steps_done);
  // A whole epoch takes at least its steps; what validation and checkpoint add, the last one knows.
  const double epoch_seconds = std::max(epoch_seconds_, elapsed / done * static_cast<double>(steps_));
  const auto epochs_left = static_cast<double>(epochs_ - epoch_ - 1);
  if (epochs_left > 0) line.run_seconds_left = line.epoch_seconds_left + epochs_left * epoch_seconds;
  line.samples_per_second = done * static_cast<double>(batch_rows_) / elapsed;
  line.logs = logs;
  // The last column stays free: a character there makes some terminals go on to the next line.
  log_.draw(format_bar(line, terminal::columns() - 1, terminal::speaks_utf8()));
}

void Progress::end_epoch(const Logs& logs, double seconds) {
  const QuietScreen quiet(log_, verbose_ == Verbose::kSilent);
  const auto steps = static_cast<double>(std::max<std::int64_t>(1, steps_));
  log_.info(fmt::format("{}/{} - {} - {} - {}", steps_, steps_, format_duration(seconds),
                        format_step_time(seconds / steps), format_logs(logs)));
}

}  // namespace nntrain::train

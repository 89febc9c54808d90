#include "train/report/progress.h"

#include <fmt/format.h>

#include <cmath>

#include "core/log.h"

namespace nntrain::train {

std::string format_value(double value) {
  return std::abs(value) > 1e-3 || value == 0 ? fmt::format("{:.4f}", value) : fmt::format("{:.4e}", value);
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

Verbose verbose_of(const std::string& setting) {
  if (setting == "0") return Verbose::kSilent;
  if (setting == "1") return Verbose::kBar;
  if (setting == "2") return Verbose::kLine;
  return log::on_terminal() ? Verbose::kBar : Verbose::kLine;
}

Progress::Progress(Verbose verbose, std::int64_t epochs) : verbose_(verbose), epochs_(epochs) {}

void Progress::begin_epoch(std::int64_t epoch, std::int64_t steps, std::int64_t first_step,
                           std::int64_t batch_rows) {
  start_ = last_draw_ = Clock::now();
  steps_ = steps;
  first_step_ = first_step;
  batch_rows_ = batch_rows;
  drawn_ = 0;
  if (verbose_ != Verbose::kSilent) log::info(fmt::format("Epoch {}/{}", epoch + 1, epochs_));
}

bool Progress::wants_update() const {
  return verbose_ == Verbose::kBar && Clock::now() - last_draw_ > std::chrono::milliseconds(200);
}

void Progress::update(std::int64_t steps_done, const Logs& logs) {
  if (verbose_ != Verbose::kBar) return;
  last_draw_ = Clock::now();
  const double elapsed = std::chrono::duration<double>(last_draw_ - start_).count();
  const auto done = static_cast<double>(steps_done - first_step_);
  const double left = done > 0 ? elapsed / done * static_cast<double>(steps_ - steps_done) : 0.0;
  constexpr std::int64_t kWidth = 20;
  std::string bar;
  for (std::int64_t i = 0; i < kWidth; ++i) bar += i < steps_done * kWidth / steps_ ? "━" : "─";
  std::string line =
      fmt::format("{}/{} {} {} - {:.0f} samples/s - {}", steps_done, steps_, bar, format_duration(left),
                  done * static_cast<double>(batch_rows_) / std::max(elapsed, 1e-9), format_logs(logs));
  const std::size_t length = line.size();
  if (length < drawn_) line += std::string(drawn_ - length, ' ');
  drawn_ = length;
  log::draw("\r" + line);
}

void Progress::end_epoch(const Logs& logs, double seconds) {
  if (verbose_ == Verbose::kSilent) return;
  if (drawn_ > 0) log::draw("\r" + std::string(drawn_, ' ') + "\r");
  const auto steps = static_cast<double>(std::max<std::int64_t>(1, steps_));
  log::info(fmt::format("{}/{} - {} - {} - {}", steps_, steps_, format_duration(seconds),
                        format_step_time(seconds / steps), format_logs(logs)));
}

}  // namespace nntrain::train

#pragma once
// What a run prints while it goes: Keras' lines, and Keras' bar on a terminal.

#include <chrono>
#include <cstdint>
#include <string>

#include "metrics/logs.h"

namespace nntrain::train {

using metrics::Logs;

/// Keras' progress-bar numbers: 4 decimals above 1e-3, else scientific.
std::string format_value(double value);
/// "accuracy: 0.8520 - loss: 0.4182"
std::string format_logs(const Logs& logs);
/// Keras' "2s", "350ms", "1:05", "1:02:07"
std::string format_duration(double seconds);
/// Keras' "6ms/step", "350us/step"
std::string format_step_time(double seconds);

/// What fit.verbose asks for; auto: a bar on a terminal, else one line an epoch.
enum class Verbose { kSilent, kBar, kLine };
Verbose verbose_of(const std::string& setting);

class Progress {
 public:
  Progress(Verbose verbose, std::int64_t epochs);
  void begin_epoch(std::int64_t epoch, std::int64_t steps, std::int64_t first_step, std::int64_t batch_rows);
  /// Is it time to redraw the bar? Rank 0's answer, which all ranks then follow.
  bool wants_update() const;
  /// Redraws the bar; nothing where there is none.
  void update(std::int64_t steps_done, const Logs& logs);
  void end_epoch(const Logs& logs, double seconds);
  Verbose verbose() const { return verbose_; }

 private:
  using Clock = std::chrono::steady_clock;
  Verbose verbose_;
  std::int64_t epochs_;
  std::int64_t steps_ = 0;
  std::int64_t first_step_ = 0;
  std::int64_t batch_rows_ = 0;
  std::size_t drawn_ = 0;  ///< length of the line on the terminal
  Clock::time_point start_, last_draw_;
};

}  // namespace nntrain::train

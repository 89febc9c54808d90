#pragma once
// What a run prints while it goes: Keras' lines, and Keras' bar on a terminal. Log files get the lines
// whatever the screen shows.

#include <chrono>
#include <cstdint>
#include <string>

#include "core/log.h"
#include "metrics/logs.h"

namespace nntrain::train {

using metrics::Logs;

/// Keras' progress-bar numbers: 4 decimals above 1e-3, else scientific.
std::string format_value(double value);
/// "1,149,010"; for numbers that are not negative.
std::string with_commas(std::int64_t number);
/// "accuracy: 0.8520 - loss: 0.4182"
std::string format_logs(const Logs& logs);
/// Keras' "2s", "350ms", "1:05", "1:02:07"
std::string format_duration(double seconds);
/// Keras' "6ms/step", "350us/step"
std::string format_step_time(double seconds);

/// What fit.verbose asks for; auto: a bar on a terminal, else one line an epoch.
enum class Verbose { kSilent, kBar, kLine };
Verbose verbose_of(const std::string& setting, const Log& log);

/// A line of the bar: what is known in the middle of an epoch.
struct BarLine {
  std::int64_t done = 0, steps = 1;
  double epoch_seconds_left = 0;
  double run_seconds_left = 0;  ///< 0: not known, or the same
  double samples_per_second = 0;
  Logs logs;
};

/// At most `columns` columns: what matters least is left out first (the bar's length, samples/s, the run's
/// time, results from the last on). Plain ASCII unless `utf8`.
std::string format_bar(const BarLine& line, std::int64_t columns, bool utf8);

class Progress {
 public:
  /// `log` outlives it.
  Progress(Log& log, Verbose verbose, std::int64_t epochs);
  void begin_epoch(std::int64_t epoch, std::int64_t steps, std::int64_t first_step, std::int64_t batch_rows);
  /// Is it time to redraw the bar? Rank 0's answer, which all ranks then follow.
  bool wants_update() const;
  /// Redraws the bar; nothing where there is none.
  void update(std::int64_t steps_done, const Logs& logs);
  void end_epoch(const Logs& logs, double seconds);
  Verbose verbose() const { return verbose_; }

 private:
  using Clock = std::chrono::steady_clock;
  Log& log_;
  Verbose verbose_;
  bool draws_;  ///< a bar, on a terminal; elsewhere its lines remain
  std::int64_t epochs_;
  std::int64_t epoch_ = 0;
  std::int64_t steps_ = 0;
  std::int64_t first_step_ = 0;
  std::int64_t batch_rows_ = 0;
  double epoch_seconds_ = 0;             ///< from the last epoch's first step to this one's; 0: not known
  Clock::time_point start_, last_draw_;  ///< the first bar of a run comes at once
};

}  // namespace nntrain::train

#pragma once
// The status of a run in a small JSON file beside its checkpoint, for `nntrain-dist watch` and for scripts
// (docs/seeing.md). Rank 0 writes it, replacing it by rename; any machine that sees the file reads it.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/json.h"
#include "core/log.h"
#include "metrics/logs.h"

namespace nntrain::train {

enum class RunPhase { kRunning, kStopped, kFinished, kDiverged, kGone };
/// "running", "stopped", ...
const char* run_phase_name(RunPhase phase);

/// How a run is doing.
struct RunStatus {
  RunPhase phase = RunPhase::kRunning;
  std::int64_t epoch = 0;   ///< epochs completed
  std::int64_t epochs = 0;  ///< of the run
  std::int64_t step = 0;    ///< steps done in the current epoch
  std::int64_t steps = 0;   ///< of an epoch
  metrics::Logs results;    ///< training: of the epoch so far; validation: of the last that was validated
  double samples_per_second = 0;  ///< 0: not known yet
  double seconds_left = -1;       ///< of training; negative: not known
  int ranks = 1;
  std::string checkpoint;           ///< its path
  std::string updated;              ///< ISO 8601, UTC: "2026-03-01T12:00:00Z"
  std::string reason;               ///< why it stopped or diverged; may be empty
  double seconds_since_update = 0;  ///< when read
};

/// "runs/fashion_mnist.h5" -> "runs/fashion_mnist.status.json".
std::string status_path(const std::string& checkpoint);

/// The object that `watch --once --json` prints.
Json status_json(const RunStatus& status);

/// Removes what runs of `checkpoint` left behind that were killed while they wrote their status. Local; for
/// whoever owns the checkpoint.
void remove_abandoned_status(const std::string& checkpoint);

/// Writes the file, at most every few seconds. A file that cannot be written costs the run one NOTE, never
/// more.
class StatusFile {
 public:
  /// A file of that name that is no status is kept: then nothing is written.
  StatusFile(const std::string& checkpoint, Log& log);
  /// Is it time? One look at the clock.
  bool wants_update() const { return !failed_ && Clock::now() >= next_; }
  /// Writes when it is time, and always when the run has ended.
  void update(const RunStatus& status);

 private:
  using Clock = std::chrono::steady_clock;
  std::string write(const RunStatus& status) const;
  void fail(const std::string& cause);

  Log& log_;
  std::string checkpoint_, path_;
  Clock::time_point next_{};
  bool failed_ = false;
};

/// The status of the run of `checkpoint`: from its status file, and where there is none from the checkpoint.
/// kGone: the file says running, but its process has ended (seen on its own machine), or has not written for
/// `kStatusSilence`. Throws InputError when there is neither file, or what is there cannot be read.
RunStatus read_status(const std::string& checkpoint);

/// A run writes every few seconds, except in a long step, a validation, a checkpoint.
constexpr std::chrono::seconds kStatusSilence{600};

/// seconds_left from the speed; of training alone, validation and checkpoints not counted.
void set_time_left(RunStatus& status, double samples_an_epoch, double samples_a_step);

/// `seconds` since 1970, as "2026-03-01T12:00:00Z".
std::string iso_time(std::int64_t seconds);

}  // namespace nntrain::train

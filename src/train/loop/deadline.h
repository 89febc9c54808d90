#pragma once
// When a run must stop so that its last checkpoint is written before its time is over. Pure: no clock is read
// here, so that a test can play hours; times are seconds since the process started.

#include <array>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <string>

namespace nntrain::train {

class Deadline {
 public:
  /// What the prediction is made of. A checkpoint is always the last thing to happen.
  enum class Work { kStep, kEvaluation, kCheckpoint };

  /// No limit.
  Deadline() = default;
  /// Everything must be over at `limit_seconds`. `source` names it in messages: "run.max_time = 1:00:00".
  Deadline(double limit_seconds, std::string source);

  /// The earlier of the two limits of a run. `max_seconds`: run.max_time, 0 without one. `job_end`: the text
  /// of SLURM_JOB_END_TIME (seconds since 1970), empty where there is none; what is no such time is taken for
  /// none. `now_unix` and `now`: the same moment since 1970 and since the start of the process.
  static Deadline of_run(double max_seconds, const std::string& job_end, double now_unix, double now);

  /// What such work took. The longest counts.
  void took(Work work, double seconds);
  /// What such work is thought to take, while none has been measured.
  void expect(Work work, double seconds);

  bool has_limit() const { return limit_ < std::numeric_limits<double>::infinity(); }
  double limit_seconds() const { return limit_; }
  const std::string& source() const { return source_; }
  double seconds_left(double now) const { return limit_ - now; }

  /// True: after `next`, one after the other, there might not be time for a checkpoint, so it must be written
  /// now. The step that ends an epoch is followed by an evaluation where that cannot be interrupted:
  /// {Work::kStep, Work::kEvaluation}.
  bool must_stop_before(std::initializer_list<Work> next, double now) const;

  /// "run.max_time = 0:20: 3 s left, a step takes up to 2.1 s, an evaluation 0 s, a checkpoint 0.4 s"
  std::string reason(double now) const;

 private:
  struct Longest {
    double seconds = 0;
    bool measured = false;
  };
  double longest(Work work) const { return longest_[static_cast<std::size_t>(work)].seconds; }
  /// Leaving takes time too: the closing table, MPI_Finalize, the launcher.
  double closing_seconds() const;

  double limit_ = std::numeric_limits<double>::infinity();
  std::string source_;
  std::array<Longest, 3> longest_{};
};

/// Seconds since this process was started, the time before main() included. 0 where the system does not tell.
double process_age_seconds();

}  // namespace nntrain::train

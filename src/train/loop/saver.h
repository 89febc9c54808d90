#pragma once
// When a run saves, and whether it may: what was saved was finite. The run's checkpoint is a copy of the
// state that is written while steps go on; the run waits for the copy alone. Collective.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "core/background_job.h"
#include "train/run/run.h"

namespace nntrain::train {

class Saver {
 public:
  /// `run` outlives the saver.
  explicit Saver(Run& run);
  /// Waits for what is being written; local. A run that ends in order has called finish() before.
  ~Saver();
  Saver(const Saver&) = delete;
  Saver& operator=(const Saver&) = delete;

  /// Is a checkpoint due after this step (checkpoint.every_steps), or by rank 0's clock (every_minutes)?
  bool due_by_steps() const;
  bool due_by_time() const;  ///< rank 0's answer counts
  bool due_after_epoch() const;

  /// Takes the run's state and begins to write it as its checkpoint; the one before is finished first. False,
  /// and nothing is written, when a weight is NaN or Inf.
  bool save();
  /// Writes a file that a callback asked for, and returns when it is there; false as save(). Nothing may be
  /// under way: finish() first.
  bool save_as(const std::string& path, Control::Save what);
  /// Returns when the checkpoint that was begun is on the disk. Throws, all ranks alike, when it could not be
  /// written: then the file is the one before.
  void finish();
  /// The same for a run that ends with another error: a failure is a NOTE.
  void finish_quietly();
  /// Local, never waits: rank 0 knows that finish() would throw.
  bool has_failed() const { return writing_.has_failed(); }

  /// What is on the disk, for the message of a run that cannot save: "run.h5 holds the state after epoch 2".
  std::string on_disk() const;
  /// Of one checkpoint from the copy to the rename, the one that is being written included; rank 0's counts.
  double longest_seconds() const;
  /// How long finish() would probably take; rank 0's counts.
  double seconds_to_finish() const;

 private:
  /// Copies the state to state_, on rank 0; false on all ranks when it may not be saved.
  bool take_state();
  void prepare_memory() noexcept;
  double seconds_under_way() const;

  Run& run_;
  std::chrono::steady_clock::time_point last_;
  std::string saved_;    ///< the position that the file holds; "": none of this run
  std::string pending_;  ///< the position that is being written; "": none. The same on all ranks
  std::chrono::steady_clock::time_point begun_;
  std::atomic<double> longest_seconds_{0};  ///< written by the thread
  checkpoint::Contents state_;              ///< the one copy: what is being written, and memory for the next
  BackgroundJob preparing_;  ///< rank 0's: memory for the first copy, while the first steps go on
  BackgroundJob writing_;    ///< rank 0's; the last member, so that it is waited for first
};

}  // namespace nntrain::train

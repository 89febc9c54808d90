#pragma once
// When a run saves, and whether it may: what was saved was finite. Collective.

#include <chrono>
#include <cstdint>
#include <string>

#include "train/run/run.h"

namespace nntrain::train {

class Saver {
 public:
  /// `run` outlives the saver.
  explicit Saver(Run& run);

  /// Is a checkpoint due after this step (checkpoint.every_steps), or by rank 0's clock (every_minutes)?
  bool due_by_steps() const;
  bool due_by_time() const;  ///< rank 0's answer counts
  bool due_after_epoch() const;

  /// Writes the run's checkpoint. False, and nothing is written, when a weight is NaN or Inf.
  bool save();
  /// Writes a file that a callback asked for; as save().
  bool save_as(const std::string& path, Control::Save what);

  /// What is on the disk, for the message of a run that cannot save: "run.h5 holds the state after epoch 2".
  std::string on_disk() const;
  double longest_seconds() const { return longest_seconds_; }  ///< of one save

 private:
  bool write(const std::string& path, Control::Save what);

  Run& run_;
  std::chrono::steady_clock::time_point last_;
  std::string saved_;
  double longest_seconds_ = 0;
};

}  // namespace nntrain::train

#pragma once
// run.profile: a trace of every rank, from a run's steps, activities, layers and waits.

#include <memory>

#include "train/run/run.h"
#include "train/step/profile.h"

namespace nntrain::train {

class Tracing {
 public:
  /// Collective. Does nothing without run.profile. `run` outlives it.
  explicit Tracing(Run& run);
  ~Tracing();

  void step(Profile::Clock::time_point start, Profile::Clock::time_point end) {
    if (profile_) profile_->add(Lane::kStep, step_name_, start, end);
  }
  /// Collective, after the last step. Rank 0 writes the file.
  void write();

 private:
  Run& run_;
  std::unique_ptr<Profile> profile_;
  int step_name_ = 0;
};

}  // namespace nntrain::train

#pragma once
// Where a rank's time goes, for the closing table.

#include <array>
#include <chrono>
#include <cstddef>

#include "nntrain/train/profile.h"

namespace nntrain::train {

enum class Activity { kInput, kForward, kBackward, kExchange, kOptimizer, kEvaluation, kCheckpoint };
constexpr int kActivities = 7;
constexpr std::array<const char*, kActivities> kActivityNames = {
    "input", "forward", "backward", "exchange", "optimizer", "evaluation", "checkpoint"};

class ActivityTimes {
 public:
  using Clock = std::chrono::steady_clock;

  /// Adds the time until it goes out of scope.
  class Scope {
   public:
    Scope(ActivityTimes& times, Activity activity) : times_(times), activity_(activity), start_(Clock::now()) {}
    ~Scope() {
      const Clock::time_point end = Clock::now();
      times_.seconds_[static_cast<int>(activity_)] += std::chrono::duration<double>(end - start_).count();
      times_.record(activity_, start_, end);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    ActivityTimes& times_;
    Activity activity_;
    Clock::time_point start_;
  };

  double seconds(Activity activity) const { return seconds_[static_cast<int>(activity)]; }
  const std::array<double, kActivities>& all() const { return seconds_; }

  /// From now on every scope is an event of `profile`, too, which outlives this.
  void record_in(Profile& profile) {
    for (std::size_t a = 0; a < kActivities; ++a) names_[a] = profile.name(kActivityNames[a]);
    profile_ = &profile;
  }

 private:
  void record(Activity activity, Clock::time_point start, Clock::time_point end) {
    if (profile_ != nullptr) profile_->add(Lane::kActivity, names_[static_cast<std::size_t>(activity)], start, end);
  }

  std::array<double, kActivities> seconds_{};
  std::array<int, kActivities> names_{};
  Profile* profile_ = nullptr;
};

}  // namespace nntrain::train

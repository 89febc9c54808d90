#pragma once
// Where a rank's time goes, for the closing table.

#include <array>
#include <chrono>
#include <cstddef>

#include "train/step/profile.h"

namespace nntrain::train {

enum class Activity {
  kInput,
  kForward,
  kBackward,
  kGradients,
  kExchange,
  kOptimizer,
  kEvaluation,
  kCheckpoint,
  kWaiting  ///< for other ranks, within any of the others
};
constexpr int kActivities = 9;
constexpr std::array<const char*, kActivities> kActivityNames = {"input",      "forward",    "backward",
                                                                 "gradients",  "exchange",   "optimizer",
                                                                 "evaluation", "checkpoint", "waiting"};

class ActivityTimes {
 public:
  using Clock = std::chrono::steady_clock;

  /// Where a scope shows: some are too short and too many for the profile.
  enum class Shown { kInTableAndProfile, kInTable };

  /// Adds the time until it goes out of scope, less what scopes inside it add.
  class Scope {
   public:
    Scope(ActivityTimes& times, Activity activity, Shown shown = Shown::kInTableAndProfile)
        : times_(times), activity_(activity), shown_(shown), outer_(times.innermost_), start_(Clock::now()) {
      times_.innermost_ = this;
    }
    ~Scope() {
      const Clock::time_point end = Clock::now();
      const double seconds = std::chrono::duration<double>(end - start_).count();
      times_.seconds_[static_cast<int>(activity_)] += seconds - inner_seconds_;
      if (outer_ != nullptr) outer_->inner_seconds_ += seconds;
      times_.innermost_ = outer_;
      if (shown_ == Shown::kInTableAndProfile) times_.record(activity_, start_, end);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    friend class ActivityTimes;
    ActivityTimes& times_;
    Activity activity_;
    Shown shown_;
    Scope* outer_;
    double inner_seconds_ = 0;
    Clock::time_point start_;
  };

  /// A wait for other ranks that has just ended: it is taken out of the scope that it happened in.
  void add_wait(Clock::time_point start, Clock::time_point end) {
    const double seconds = std::chrono::duration<double>(end - start).count();
    seconds_[static_cast<int>(Activity::kWaiting)] += seconds;
    if (innermost_ != nullptr) innermost_->inner_seconds_ += seconds;
  }

  void record_nowhere() { profile_ = nullptr; }

  double seconds(Activity activity) const { return seconds_[static_cast<int>(activity)]; }
  const std::array<double, kActivities>& all() const { return seconds_; }

  /// From now on every scope is an event of `profile`, too, until record_nowhere().
  void record_in(Profile& profile) {
    for (std::size_t a = 0; a < kActivities; ++a) names_[a] = profile.name(kActivityNames[a]);
    profile_ = &profile;
  }

 private:
  void record(Activity activity, Clock::time_point start, Clock::time_point end) {
    if (profile_ != nullptr)
      profile_->add(Lane::kActivity, names_[static_cast<std::size_t>(activity)], start, end);
  }

  std::array<double, kActivities> seconds_{};
  std::array<int, kActivities> names_{};
  Profile* profile_ = nullptr;
  Scope* innermost_ = nullptr;
};

}  // namespace nntrain::train

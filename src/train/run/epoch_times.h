#pragma once
// Where the time of each epoch went: the closing table along a run. Checkpoints keep it, reports draw it.

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "comm/session/session.h"
#include "core/json.h"
#include "train/step/activity_times.h"

namespace nntrain::train {

/// Seconds of every activity, then of everything else; the mean over ranks, which adds up to the wall time.
using TimeRow = std::array<double, kActivities + 1>;

/// Plain data, bounded however long a run is: neighbouring epochs share a row once there are many.
struct TimeTable {
  static constexpr std::size_t kMostRows = 400;

  std::int64_t first_epoch = 0;     ///< completed before the first row's
  std::int64_t epochs_per_row = 1;  ///< the last row may hold fewer
  std::int64_t epochs = 0;          ///< in all rows
  std::vector<TimeRow> rows;        ///< sums over the row's epochs
  TimeRow open{};                   ///< of the epoch at hand
  std::vector<double> waiting;      ///< of each rank, for others, since it has this number of ranks

  /// `open` becomes the next epoch's time.
  void close_epoch();
  Json to_json() const;
  /// Of to_json(); a table that begins after `epochs_done` epochs where `json` is none of this run's.
  static TimeTable from_json(const Json& json, std::int64_t epochs_done);
  static std::vector<std::string> names();
};

/// Fills a TimeTable from the clocks of all ranks.
class EpochTimes {
 public:
  /// Local. Time counts from here on.
  void begin(const ActivityTimes& times);
  /// Collective. What has passed since belongs to the epoch at hand. Before checkpoints and at an epoch's
  /// end.
  void look(comm::Session& session, const ActivityTimes& times);

  TimeTable table;  ///< rank 0's is complete

 private:
  using Clock = std::chrono::steady_clock;
  bool running_ = false;
  Clock::time_point last_{};
  std::array<double, kActivities> counted_{};
};

}  // namespace nntrain::train

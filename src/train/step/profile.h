#pragma once
// A trace of every rank's activities in Chrome's Trace Event Format (chrome://tracing, Perfetto):
// docs/profiling.md.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "comm/session/session.h"

namespace nntrain::train {

/// One row of the picture, a thread in the trace's words. Events of a lane nest or lie apart, they never
/// overlap.
enum class Lane : std::uint8_t { kStep, kActivity, kLayer, kWait };
constexpr int kLanes = 4;

/// Did this program write the trace at `path`?
bool is_profile(const std::string& path);

class Profile {
 public:
  using Clock = std::chrono::steady_clock;

  /// Collective: clocks start together at a barrier. Memory for this rank's share of kMostEvents is taken at
  /// once; later events are dropped and counted. Throws, all ranks alike, when `path` cannot be written:
  /// better now than after hours of training.
  Profile(comm::Session& session, std::string path);

  /// Local. The number of a name, any text; takes memory, so not in the step loop.
  int name(std::string_view text);
  /// Local, no allocation. `name`: of name().
  void add(Lane lane, int name, Clock::time_point start, Clock::time_point end);
  /// Collective: rank 0 writes all ranks' events to `path`, which appears by rename. Returns on every rank
  /// how many events were dropped, all ranks together.
  std::int64_t write();

  static constexpr std::int64_t kMostEvents = std::int64_t{1} << 21;  ///< of all ranks; about 200 MB of JSON
  static constexpr std::int64_t kMostEventsOfRank = std::int64_t{1} << 20;

 private:
  struct Event {
    std::int64_t start_ns, length_ns;  ///< since zero_
    std::int32_t name;
    Lane lane;
  };
  std::string text() const;

  comm::Session& session_;
  std::string path_;
  Clock::time_point zero_;
  std::vector<std::string> names_;
  std::vector<Event> events_;
  std::int64_t dropped_ = 0;
};

}  // namespace nntrain::train

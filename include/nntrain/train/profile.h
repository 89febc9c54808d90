#pragma once
// A trace of every rank's activities in Chrome's Trace Event Format (chrome://tracing, Perfetto).

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "nntrain/comm/session.h"

namespace nntrain::train {

class Profile {
 public:
  using Clock = std::chrono::steady_clock;

  /// Collective: clocks start together at a barrier. Room for `most_events` events is taken at once; later ones
  /// are dropped and counted.
  Profile(comm::Session& session, std::size_t most_events);

  /// Local. `name` must outlive the profile (a literal, or a layer's name).
  void add(const char* name, Clock::time_point start, Clock::time_point end);
  /// Collective: rank 0 writes all ranks' events to `path`, which appears by rename.
  void write(const std::string& path);
  std::int64_t dropped() const { return dropped_; }

 private:
  struct Event {
    const char* name;
    Clock::time_point start, end;
  };

  comm::Session& session_;
  Clock::time_point zero_;
  std::vector<Event> events_;
  std::int64_t dropped_ = 0;
};

}  // namespace nntrain::train

#pragma once
// Who is late when ranks wait for long: a NOTE, and after run.stall_timeout the end of the job, instead of
// silence. A rank that is stopped, cut off or stuck says nothing itself, so those that wait say who does not.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "comm/session/mpi_call.h"

namespace nntrain::comm {

/// One a session. A rank that has waited for some seconds tells the collectors (up to three ranks, on
/// different nodes where there are several) by small messages; whoever has told nothing is late. The first
/// collector that is not late itself speaks.
class StallWatch {
 public:
  StallWatch() = default;
  /// Collective over `ranks`, all ranks of the session. `host` and the process are mine.
  void open(MPI_Comm ranks, const std::vector<int>& node_sizes, const std::string& host);
  /// Local; before MPI_Finalize.
  void close();

  /// After so many seconds without a rank, its waiters end the job. The same on all ranks; infinity: never.
  void set_timeout(double seconds, std::string text);
  double timeout() const { return timeout_; }
  const std::string& timeout_text() const { return timeout_text_; }
  /// What this rank is at, for the others' messages.
  void at_phase(std::string_view phase) {
    phase_ = phase;
    in_step_ = false;
  }
  void at_step(std::uint32_t step) {
    step_ = step;
    in_step_ = true;
  }

  /// Called again and again by a rank that waits, with the seconds since it began.
  void look(double waited);

 private:
  struct Heard {
    double at = -1;     ///< when, on my clock; -1: nothing in this wait
    double until = -1;  ///< for how long it counts
  };

  void start_wait();
  void connect();
  void tell(double now, double waited);
  void listen(double now);
  bool speaks(double now) const;
  double last_resort() const;
  std::vector<int> late_ranks(double now) const;
  std::string names(const std::vector<int>& ranks) const;
  std::string where() const;
  [[noreturn]] void end_job(double waited, const std::vector<int>& late) const;

  MPI_Comm ranks_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
  std::vector<std::string> hosts_;  ///< by rank
  std::vector<std::int64_t> pids_;
  std::vector<int> collectors_;
  std::vector<Heard> heard_;  ///< by rank; on collectors
  double timeout_ = 600;
  std::string timeout_text_ = "10:00";
  std::string phase_ = "start";
  std::uint32_t step_ = 0;
  bool in_step_ = false;
  double valid_seconds_ = 0;  ///< the message: "I wait", and will say so again before so many seconds
  double last_waited_ = -1;
  double asleep_ = 0;  ///< seconds of this wait up to the end of a sleep of my own
  double next_report_ = 0;
  double next_note_ = 0;
};

}  // namespace nntrain::comm

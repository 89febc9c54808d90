#include "comm/session/stall_watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "comm/session/launcher_end.h"
#include "comm/session/process_state.h"
#include "comm/session/unanswered.h"
#include "core/error.h"

namespace nntrain::comm {

namespace {

constexpr int kTag = 1;
constexpr std::size_t kMostCollectors = 3;
constexpr std::size_t kMostNames = 8;
constexpr double kFirstNote = 30;

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// One write, so that blocks of several ranks do not interleave.
void say(const std::string& text) {
  if (write(STDERR_FILENO, text.data(), text.size()) < 0) std::fputs(text.c_str(), stderr);
}

template <class T>
std::vector<T> everybodys(MPI_Comm ranks, int size, const T& mine) {
  std::vector<T> all(static_cast<std::size_t>(size));
  check(MPI_Allgather(&mine, sizeof(T), MPI_BYTE, all.data(), sizeof(T), MPI_BYTE, ranks), "MPI_Allgather");
  return all;
}

}  // namespace

void StallWatch::open(MPI_Comm ranks, const std::vector<int>& node_sizes, const std::string& host) {
  check(MPI_Comm_dup(ranks, &ranks_), "MPI_Comm_dup");
  check(MPI_Comm_rank(ranks_, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(ranks_, &size_), "MPI_Comm_size");
  std::array<char, 64> name{};
  std::copy_n(host.begin(), std::min(host.size(), name.size() - 1), name.begin());
  for (const auto& theirs : everybodys(ranks_, size_, name)) hosts_.emplace_back(theirs.data());
  pids_ = everybodys(ranks_, size_, static_cast<std::int64_t>(getpid()));
  heard_.resize(static_cast<std::size_t>(size_));
  int first = 0;
  for (std::size_t j = 0; j < node_sizes.size() && collectors_.size() < kMostCollectors; ++j) {
    collectors_.push_back(first);
    first += node_sizes[j];
  }
  for (int r = 0; r < size_ && collectors_.size() < kMostCollectors; ++r)
    if (std::find(collectors_.begin(), collectors_.end(), r) == collectors_.end()) collectors_.push_back(r);
  connect();
}

/// Open MPI connects two ranks with their first message, and waits for the other one meanwhile: not when that
/// may have stopped, but now.
void StallWatch::connect() {
  const double nothing = 0;
  std::vector<MPI_Request> sent;
  for (const int collector : collectors_)
    if (collector != rank_)
      check(MPI_Isend(&nothing, 1, MPI_DOUBLE, collector, kTag, ranks_, &sent.emplace_back()), "MPI_Isend");
  if (std::find(collectors_.begin(), collectors_.end(), rank_) != collectors_.end()) {
    double received = 0;
    for (int r = 1; r < size_; ++r)
      check(MPI_Recv(&received, 1, MPI_DOUBLE, MPI_ANY_SOURCE, kTag, ranks_, MPI_STATUS_IGNORE), "MPI_Recv");
  }
  check(MPI_Waitall(static_cast<int>(sent.size()), sent.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
}

void StallWatch::close() {
  if (ranks_ == MPI_COMM_NULL) return;
  listen(now_seconds());  // what came late must not disturb MPI_Finalize
  ranks_ = MPI_COMM_NULL;
}

void StallWatch::set_timeout(double seconds, std::string text) {
  timeout_ = seconds;
  timeout_text_ = std::move(text);
}

/// What was heard before belongs to waits that have ended: those who still wait say it again.
void StallWatch::start_wait() {
  listen(now_seconds());
  std::fill(heard_.begin(), heard_.end(), Heard{});
  // Others began to wait before or after me: everybody must have spoken before anybody is called late.
  next_report_ = std::min(0.8 * kFirstNote, 0.4 * timeout_);
  next_note_ = kFirstNote;
}

void StallWatch::look(double waited) {
  if (ranks_ == MPI_COMM_NULL) return;
  const bool begins = waited < last_waited_ || last_waited_ < 0;
  // Looks come every moment, the first after a second. With a gap, this rank was stopped itself, and others
  // may have ended the job for it: it begins to wait now.
  const bool slept = waited - (begins ? 1.0 : last_waited_) > 0.4 * timeout_;
  if (begins) asleep_ = 0;
  if (slept) asleep_ = waited;
  if (begins || slept) start_wait();
  last_waited_ = waited;
  waited -= asleep_;
  if (waited < std::min(0.8 * kFirstNote, 0.4 * timeout_)) return;
  const double now = now_seconds();
  if (waited >= next_report_) tell(now, waited);
  listen(now);
  const bool ends = waited >= timeout_;
  if (waited < next_note_ && !ends) return;
  if (!speaks(now)) {
    if (waited >= timeout_ + last_resort()) end_job(waited, collectors_);
    return;
  }
  const std::vector<int> late = late_ranks(now);
  if (ends) end_job(waited, late);
  next_note_ *= 2;
  say(fmt::format("NOTE: waiting for {} for {:.0f} s ({}); the job ends after {} (run.stall_timeout)\n",
                  late.empty() ? "messages between ranks that all wait" : names(late), waited, where(),
                  timeout_text_));
}

void StallWatch::tell(double now, double waited) {
  // Often while the first note is due, seldom later: a collector that is late itself keeps them all.
  const double interval = waited < 2 * kFirstNote ? std::min(1.0, 0.1 * timeout_) : 0.5 * kFirstNote;
  next_report_ = waited + interval;
  valid_seconds_ = interval + std::min(5.0, 0.25 * timeout_);
  for (const int collector : collectors_) {
    if (collector == rank_) {
      heard_[static_cast<std::size_t>(rank_)] = {now, now + valid_seconds_};
      continue;
    }
    // So small a message leaves at once, or not at all when the network is cut.
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Isend(&valid_seconds_, 1, MPI_DOUBLE, collector, kTag, ranks_, &request), "MPI_Isend");
    int sent = 0;
    check(MPI_Test(&request, &sent, MPI_STATUS_IGNORE), "MPI_Test");
    if (sent == 0) check(MPI_Request_free(&request), "MPI_Request_free");
  }
}

void StallWatch::listen(double now) {
  for (;;) {
    int found = 0;
    MPI_Status status;
    check(MPI_Iprobe(MPI_ANY_SOURCE, kTag, ranks_, &found, &status), "MPI_Iprobe");
    if (found == 0) return;
    double valid_seconds = 0;
    check(MPI_Recv(&valid_seconds, 1, MPI_DOUBLE, status.MPI_SOURCE, kTag, ranks_, MPI_STATUS_IGNORE),
          "MPI_Recv");
    heard_[static_cast<std::size_t>(status.MPI_SOURCE)] = {now, now + valid_seconds};
  }
}

bool StallWatch::speaks(double now) const {
  for (const int collector : collectors_) {
    if (collector == rank_) return true;
    if (heard_[static_cast<std::size_t>(collector)].until >= now) return false;
  }
  return false;
}

/// Whoever is told nothing knows only that the job should have ended by now: all collectors are late, or what
/// they did about it does not reach this host. One such rank after the other.
double StallWatch::last_resort() const {
  const auto before = std::count_if(collectors_.begin(), collectors_.end(), [&](int c) { return c < rank_; });
  return std::min(4.0 + 0.1 * static_cast<double>(rank_ - before), 9.0);
}

std::vector<int> StallWatch::late_ranks(double now) const {
  std::vector<int> late;
  for (int r = 0; r < size_; ++r)
    if (heard_[static_cast<std::size_t>(r)].until < now) late.push_back(r);
  return late;
}

std::string StallWatch::names(const std::vector<int>& ranks) const {
  std::string text;
  for (std::size_t i = 0; i < std::min(ranks.size(), kMostNames); ++i) {
    const auto r = static_cast<std::size_t>(ranks[i]);
    const std::string state =
        hosts_[r] == hosts_[static_cast<std::size_t>(rank_)] ? state_of_process(pids_[r]) : std::string();
    text += fmt::format("{}rank {} on {}{}", i == 0 ? "" : ", ", r, hosts_[r],
                        state.empty() ? "" : " (process " + std::to_string(pids_[r]) + ", " + state + ")");
  }
  if (ranks.size() > kMostNames) text += fmt::format(" and {} others", ranks.size() - kMostNames);
  return text;
}

std::string StallWatch::where() const {
  if (in_step_) return fmt::format("in step {} since the start", step_);
  return step_ == 0 ? "phase: " + phase_
                    : fmt::format("phase: {}, after step {} since the start", phase_, step_);
}

void StallWatch::end_job(double waited, const std::vector<int>& late) const {
  std::string who = fmt::format("no sign of life from {}", names(late));
  if (late.empty()) {
    const std::string hosts = unanswered_hosts();
    who = "all ranks wait, and messages between them do not arrive" +
          (hosts.empty() ? "" : ", none from " + hosts);
  }
  const char* const cure =
      late.empty()
          ? "Is it the wrong network? Name the right one in OMPI_MCA_btl_tcp_if_include"
          : "Is the process stopped, its host or network gone, or its disk stuck? If it only works for "
            "long, raise run.stall_timeout";
  std::fflush(stdout);
  say(
      fmt::format("\n[rank {} on {}] {} for {:.0f} s ({}), which is longer than run.stall_timeout = {}; "
                  "{} of {} ranks wait. {}. The same command goes on from the last checkpoint\n",
                  rank_, hosts_[static_cast<std::size_t>(rank_)], who, waited, where(), timeout_text_,
                  size_ - static_cast<int>(late.size()), size_, cure));
  const auto elsewhere = [&](int r) {
    return hosts_[static_cast<std::size_t>(r)] != hosts_[static_cast<std::size_t>(rank_)];
  };
  if (late.empty() || std::any_of(late.begin(), late.end(), elsewhere)) end_mpirun_that_hangs();
  MPI_Abort(MPI_COMM_WORLD, static_cast<int>(ExitCode::kRuntime));
  std::_Exit(static_cast<int>(ExitCode::kRuntime));
}

}  // namespace nntrain::comm

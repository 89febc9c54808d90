#include "comm/session/mpi_watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "comm/session/launcher_end.h"
#include "comm/session/process_state.h"
#include "comm/session/unanswered.h"
#include "core/error.h"

namespace nntrain::comm {

namespace {

constexpr double kFirstNote = 30;
constexpr double kMostGraceOfLaunchers = 60;
constexpr double kShort = 2;  ///< an ordinary start: nothing is read and nobody looked at

std::string my_host() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "this host";
}

/// What this process sees of the others.
struct View {
  std::string late;  ///< those of this host that are stopped or dead: "rank 1 on node7 (process 12, ...)"
  std::size_t ranks = 0;    ///< of this host that are still there
  long rank = -1;           ///< mine
  bool first_awake = true;  ///< of this host: the one that speaks
};

View look_around() {
  View view;
  bool anybody_awake = false;
  for (const Sibling& sibling : ranks_beside_me()) {
    ++view.ranks;
    const bool me = sibling.pid == getpid();
    const std::string state = me ? "" : state_of_process(sibling.pid);
    if (me) {
      view.rank = sibling.rank;
      view.first_awake = !anybody_awake;
    }
    if (state.empty()) {
      anybody_awake = true;
      continue;
    }
    view.late += fmt::format("{}rank {} on {} (process {}, {})", view.late.empty() ? "" : ", ", sibling.rank,
                             my_host(), sibling.pid, state);
  }
  return view;
}

/// Ranks cannot ask one another here, so they end in turn: first where the late rank is seen, then rank 0,
/// then the others, which the launcher has ended by then: mpirun takes two seconds for the ranks of its own
/// host before it turns to other hosts.
double delay_of(const View& view) {
  if (!view.late.empty()) return view.first_awake ? 0 : 2;
  return view.rank == 0 ? 1.5 : 4.5;
}

void say(const std::string& text) {
  if (write(STDERR_FILENO, text.data(), text.size()) < 0) std::fputs(text.c_str(), stderr);
}

}  // namespace

MpiWatch::MpiWatch(std::string phase, std::function<Patience()> patience)
    : phase_(std::move(phase)), patience_(std::move(patience)) {
  // Signals are the business of the thread that waits.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { watch(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

MpiWatch::~MpiWatch() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool MpiWatch::ends_within(double seconds) {
  std::unique_lock lock(mutex_);
  // Years are as good as for ever, and no clock overflows.
  return changed_.wait_for(lock, std::chrono::duration<double>(std::clamp(seconds, 0.0, 1e8)),
                           [this] { return over_; });
}

void MpiWatch::watch() {
  if (ends_within(kShort)) return;
  const std::size_t ranks_before = look_around().ranks;
  const Patience patience = patience_ ? patience_() : Patience();
  double waited = kShort;
  for (double note = kFirstNote; note < patience.seconds; note *= 2) {
    if (ends_within(note - waited)) return;
    waited = note;
    const View view = look_around();
    if (!view.first_awake || (view.late.empty() && view.rank > 0)) continue;
    const std::string hosts = view.late.empty() ? unanswered_hosts() : "";
    say(
        fmt::format("NOTE: waiting inside MPI for {} for {:.0f} s (phase: {}); the job ends after {} "
                    "(run.stall_timeout)\n",
                    !view.late.empty() ? view.late
                    : hosts.empty()    ? "ranks of other hosts"
                                       : "an answer from " + hosts,
                    waited, phase_, patience.text));
  }
  if (ends_within(patience.seconds - waited)) return;
  if (ends_within(delay_of(look_around()))) return;
  const View view = look_around();
  // Somebody has spoken, and the launcher is ending everybody.
  const bool is_being_ended =
      view.ranks < ranks_before || (patience_ && patience_().seconds > patience.seconds);
  if (is_being_ended && ends_within(kMostGraceOfLaunchers)) return;
  std::string who = "no sign of life from " + view.late;
  if (view.late.empty()) {
    const std::string hosts = unanswered_hosts(), all = hosts_of_job();
    who = hosts.empty() ? "a rank of another host has not come, or messages between hosts do not arrive"
                        : "no answer to messages to " + hosts;
    if (!all.empty()) who += " (hosts of the job: " + all + ")";
  }
  const char* const cure =
      view.late.empty() ? "Is it the wrong network? Name the right one in OMPI_MCA_btl_tcp_if_include and "
                          "OMPI_MCA_oob_tcp_if_include"
                        : "Continue or end that process: kill -CONT";
  say(
      fmt::format("\n[rank {} on {}] {} for {:.0f} s (phase: {}, inside MPI), which is longer than "
                  "run.stall_timeout = {}. {}. "
                  "The same command goes on from the last checkpoint\n",
                  view.rank, my_host(), who, patience.seconds, phase_, patience.text, cure));
  if (view.late.empty()) end_mpirun_that_hangs();
  std::_Exit(static_cast<int>(ExitCode::kRuntime));
}

}  // namespace nntrain::comm

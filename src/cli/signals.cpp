#include "cli/signals.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string_view>

#include "core/error.h"

namespace nntrain::cli {

namespace {

/// A handler can be given nothing, so what it writes to is the program's own.
StopToken token;

/// Before the first step nothing looks at the token while a file is read, which may take long or never end.
constexpr unsigned kOrderlySeconds = 2;
std::atomic<bool> steps_follow{false};
static_assert(std::atomic<bool>::is_always_lock_free, "handlers read it");

void stop_for(StopReason reason) {
  token.request_stop(reason);
  if (!steps_follow.load()) alarm(kOrderlySeconds);
}

/// The time for an end in order is over. Nothing was changed yet, so the process may end as it is.
void end_before_steps(int /*signal*/) {
  if (steps_follow.load()) return;
  const std::uint32_t reasons = token.reasons();
  const auto asked = [&](StopReason reason) { return (reasons & static_cast<std::uint32_t>(reason)) != 0; };
  const std::string_view text =
      asked(StopReason::kTerminate)
          ? "nntrain-dist: stopped early (SIGTERM) before the first step; nothing was changed, the same "
            "command starts again\n"
      : asked(StopReason::kInterrupt)
          ? "nntrain-dist: stopped early (SIGINT) before the first step; nothing was changed, the same "
            "command starts again\n"
          : "nntrain-dist: stopped early (SIGUSR1) before the first step; nothing was changed, the same "
            "command starts again\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
  _exit(static_cast<int>(ExitCode::kResumable));
}

}  // namespace

StopToken& stop_token() { return token; }

void take_signals() {
  std::signal(SIGUSR1, [](int) { stop_for(StopReason::kUser); });
  std::signal(SIGTERM, [](int) { stop_for(StopReason::kTerminate); });
  std::signal(SIGINT, [](int) {
    stop_for(StopReason::kInterrupt);
    std::signal(SIGINT, SIG_DFL);
  });
  std::signal(SIGUSR2, [](int) { token.request_save(); });
  std::signal(SIGALRM, end_before_steps);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void leave_signals_to_steps() {
  steps_follow.store(true);
  alarm(0);
}

void give_back_signals() {
  leave_signals_to_steps();
  for (const int signal : {SIGUSR1, SIGTERM, SIGINT, SIGUSR2}) std::signal(signal, SIG_DFL);
  const auto arrived = [](StopReason reason) {
    return (token.reasons() & static_cast<std::uint32_t>(reason)) != 0;
  };
  if (arrived(StopReason::kTerminate)) std::raise(SIGTERM);
  if (arrived(StopReason::kInterrupt)) std::raise(SIGINT);
  if (arrived(StopReason::kUser)) std::raise(SIGUSR1);
}

}  // namespace nntrain::cli

#include "cli/signals.h"

#include <csignal>

namespace nntrain::cli {

namespace {

/// A handler can be given nothing, so what it writes to is the program's own.
StopToken token;

}  // namespace

StopToken& stop_token() { return token; }

void take_signals() {
  std::signal(SIGUSR1, [](int) { token.request_stop(StopReason::kUser); });
  std::signal(SIGTERM, [](int) { token.request_stop(StopReason::kTerminate); });
  std::signal(SIGINT, [](int) {
    token.request_stop(StopReason::kInterrupt);
    std::signal(SIGINT, SIG_DFL);
  });
  std::signal(SIGUSR2, [](int) { token.request_save(); });
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void give_back_signals() {
  for (const int signal : {SIGUSR1, SIGTERM, SIGINT, SIGUSR2}) std::signal(signal, SIG_DFL);
  const auto arrived = [](StopReason reason) {
    return (token.reasons() & static_cast<std::uint32_t>(reason)) != 0;
  };
  if (arrived(StopReason::kTerminate)) std::raise(SIGTERM);
  if (arrived(StopReason::kInterrupt)) std::raise(SIGINT);
  if (arrived(StopReason::kUser)) std::raise(SIGUSR1);
}

}  // namespace nntrain::cli

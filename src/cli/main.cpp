// One guard: every error ends here, as one block of text and an exit code that scripts understand.

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "comm/session/session.h"
#include "core/log.h"
#include "core/products/gemm.h"
#include "core/stop_token.h"

namespace nntrain::cli {

namespace {

/// What the signal handlers write to: the program's own, handed to the run. Handlers can be given nothing
/// else.
StopToken stop_token;

/// SIGUSR1, SIGTERM and SIGINT stop a run in order, from the first instruction on; SIGUSR2 saves and goes on.
/// A second SIGINT ends the process at once.
void take_signals() {
  std::signal(SIGUSR1, [](int) { stop_token.request_stop(StopReason::kUser); });
  std::signal(SIGTERM, [](int) { stop_token.request_stop(StopReason::kTerminate); });
  std::signal(SIGINT, [](int) {
    stop_token.request_stop(StopReason::kInterrupt);
    std::signal(SIGINT, SIG_DFL);
  });
  std::signal(SIGUSR2, [](int) { stop_token.request_save(); });
}

ExitCode run(comm::Session& session, int argc, char** argv) {
  CommandLine line;
  comm::collectively(session, "command line", [&] { line = parse_command_line(argc, argv); });
  if (line.help || line.command == "help") {
    log::info(help_text(line.command));
    return ExitCode::kDone;
  }
  if (line.command == "version") return version();
  if (line.command == "vocabulary") return vocabulary();
  if (line.file.empty())
    throw InputError("no file given; " +
                     help_text(line.command).substr(0, help_text(line.command).find("\n\n")));
  if (line.command == "evaluate") return evaluate(session, line);
  if (line.command == "predict") return predict(session, line);
  if (line.command == "summary") return summary(session, line);
  if (line.command == "inspect") return inspect(session, line);
  return train(session, line, stop_token);
}

/// All ranks threw alike: rank 0 says it and everybody ends in order.
int end_together(comm::Session& session, const Error& error) {
  if (session.is_root()) {
    log::flush();
    std::fprintf(stderr, "nntrain-dist: %s\n", error.what());
  }
  return static_cast<int>(error.code());
}

int guarded(comm::Session& session, int argc, char** argv) {
  try {
    return static_cast<int>(run(session, argc, argv));
  } catch (const comm::SharedError& error) {
    return end_together(session, error);
  } catch (const Error& error) {
    if (session.size() == 1) return end_together(session, error);
    session.abort(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    session.abort(ExitCode::kRuntime, "out of memory");
  } catch (const std::exception& error) {
    session.abort(ExitCode::kRuntime, error.what());
  }
}

}  // namespace

}  // namespace nntrain::cli

int main(int argc, char** argv) {
  nntrain::gemm::use_one_thread();
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit becomes a write error, reported as one
  nntrain::cli::take_signals();
  try {
    nntrain::comm::Session session(argc, argv);
    nntrain::log::start(session.is_root() ? nntrain::log::Voice::kSpeaks : nntrain::log::Voice::kSilent, "");
    return nntrain::cli::guarded(session, argc, argv);
  } catch (const nntrain::Error& error) {
    std::fprintf(stderr, "nntrain-dist: %s\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "nntrain-dist: %s\n", error.what());
    return 1;
  }
}

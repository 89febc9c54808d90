// One guard: every error ends here, as one block of text and an exit code that scripts understand.

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <limits>
#include <new>
#include <string>

#include "cli/command_line.h"
#include "cli/configuration_file.h"
#include "cli/fitting_kernels.h"
#include "cli/last_words.h"
#include "cli/log.h"
#include "cli/signals.h"
#include "cli/version.h"
#include "comm/session/session.h"
#include "core/message.h"
#include "core/products/gemm.h"
#include "train/config/settings.h"

namespace nntrain::cli {

namespace {

/// run.stall_timeout, read by this rank for itself since none has heard of another yet. What is wrong with
/// command line or file is told by those who read them in earnest.
comm::Patience patience_at_start(int argc, char** argv) {
  if ((stop_token().reasons() & static_cast<std::uint32_t>(StopReason::kTerminate)) != 0)
    return {std::numeric_limits<double>::infinity(), "UNLIMITED"};  // it is being ended as it is
  try {
    const CommandLine line = parse_command_line(argc, argv);
    train::Configuration configuration;
    if (!line.file.empty() && kind_of_file(line.file) == FileKind::kConfiguration)
      read_file(line.file, configuration);
    apply_settings(line, configuration);
    const std::string text = configuration.text("run.stall_timeout");
    return {train::parse_duration(text), text};
  } catch (const std::exception&) {
    return {};
  }
}

ExitCode run(comm::Session& session, int argc, char** argv) {
  CommandLine line;
  comm::collectively(session, "read the options", [&] { line = parse_command_line(argc, argv); });
  if (line.version) {
    log::info(version_text());
    return ExitCode::kDone;
  }
  if (line.help) {
    log::info(line.command == nullptr ? help_text() : help_text(*line.command));
    return ExitCode::kDone;
  }
  if (line.command->name != "train") give_back_signals();
  return line.command->run(session, line);
}

void say_error(ExitCode code, const std::string& what) {
  log::flush();
  log::record("ERROR (exit code " + std::to_string(static_cast<int>(code)) + "): " + what);
}

/// All ranks threw alike: rank 0 says it and everybody ends in order.
int end_together(comm::Session& session, const Error& error) {
  if (session.is_root()) {
    const std::string message = readable_message(error.what());
    say_error(error.code(), message);
    std::fprintf(stderr, "nntrain-dist: %s\n", message.c_str());
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
    const std::string message = readable_message(error.what());
    say_error(error.code(), message);
    session.abort(error.code(), message);
  } catch (const std::bad_alloc&) {
    say_error(ExitCode::kRuntime, "out of memory");
    session.abort(ExitCode::kRuntime, "out of memory");
  } catch (const std::exception& error) {
    const std::string message = readable_message(error.what());
    say_error(ExitCode::kRuntime, message);
    session.abort(ExitCode::kRuntime, message);
  }
}

int open_and_run(int argc, char** argv) {
  try {
    comm::Session session(argc, argv, [argc, argv] { return patience_at_start(argc, argv); });
    if (session.size() > 1) say_last_words(fmt::format("[rank {} on {}] ", session.rank(), session.host()));
    log::start(session.is_root() ? Log::Voice::kSpeaks : Log::Voice::kSilent);
    const int code = guarded(session, argc, argv);
    session.close();
    return code;
  } catch (const Error& error) {
    std::fprintf(stderr, "nntrain-dist: %s\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "nntrain-dist: %s\n", error.what());
    return 1;
  }
}

/// Libraries are not asked to end in order: OpenBLAS would wait for its threads, of which one that got no
/// memory (ulimit -v, a batch system's limit) tries again for ever.
[[noreturn]] void leave(int code) {
  log::flush();
  std::fflush(nullptr);
#ifdef __SANITIZE_ADDRESS__
  std::exit(code);  // with a look for leaks
#else
  std::_Exit(code);
#endif
}

}  // namespace

}  // namespace nntrain::cli

int main(int argc, char** argv) {
  nntrain::cli::say_last_words("nntrain-dist: ");
  nntrain::cli::take_fitting_kernels(argv);
  nntrain::gemm::use_one_thread();
  nntrain::cli::take_signals();
  nntrain::cli::leave(nntrain::cli::open_and_run(argc, argv));
}

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "cli/log.h"
#include "cli/signals.h"
#include "cli/version.h"
#include "train/config/settings.h"
#include "train/loop/fit.h"
#include "train/run/outputs.h"

namespace nntrain::cli {

namespace {

/// "2026-11-26 13:12:17 +0100"
std::string now() {
  const std::time_t time = std::time(nullptr);
  std::tm local{};
  localtime_r(&time, &local);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %z", &local)};
}

/// What the file begins with: enough to know, months later, what ran where.
void begin_log(comm::Session& session, const CommandLine& line, const std::string& file) {
  if (!session.is_root()) return;
  log::standard().open(file);
  log::record("nntrain-dist " + version_number() + " on " + session.host() + ", " + now());
  log::record("command: " + line.text);
  log::record("folder: " + std::filesystem::current_path().string());
}

/// Its last line: how the run ended and where the result is.
void end_log(const std::string& checkpoint, ExitCode code) {
  const bool there = std::filesystem::exists(checkpoint);
  const std::string path = std::filesystem::absolute(checkpoint).lexically_normal().string();
  const char* how = code == ExitCode::kDone       ? "done"
                    : code == ExitCode::kDiverged ? "diverged"
                                                  : "stopped early, the same command goes on";
  log::record(fmt::format("{}: {} (exit code {}); {}", now(), how, static_cast<int>(code),
                          there ? "the result is in " + path : "no checkpoint was written to " + path));
}

}  // namespace

ExitCode train(comm::Session& session, const CommandLine& line) {
  const train::Configuration configuration = read_configuration(session, line);
  train::Settings settings;
  comm::collectively(session, "run.log", [&] {
    settings = train::read_settings(configuration);
    if (session.is_root()) train::require_log_file(configuration);
    begin_log(session, line, settings.run.log);
  });
  const std::unique_ptr<train::Run> run =
      train::open_run(session, configuration, {log::standard(), stop_token(), version_number()});
  leave_signals_to_steps();
  const ExitCode code = train::fit(*run);
  end_log(settings.checkpoint.path, code);
  return code;
}

}  // namespace nntrain::cli

#include <csignal>
#include <memory>

#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "cli/version.h"
#include "core/log.h"
#include "train/loop/trainer.h"

namespace nntrain::cli {

namespace {

void take_signals() {
  std::signal(SIGUSR1, train::Trainer::request_stop);
  std::signal(SIGTERM, train::Trainer::request_stop);
}

}  // namespace

ExitCode train(comm::Session& session, const CommandLine& line) {
  std::unique_ptr<train::Trainer> trainer;
  train::Configuration configuration;
  comm::collectively(session, "train", [&] {
    configuration = read_configuration(session, line);
    log::start(session.is_root() ? log::Voice::kSpeaks : log::Voice::kSilent, configuration.text("run.log"));
    trainer = std::make_unique<train::Trainer>(session, configuration, version_number());
  });
  take_signals();
  return trainer->fit();
}

}  // namespace nntrain::cli

#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "cli/signals.h"
#include "cli/version.h"
#include "core/log.h"
#include "train/loop/fit.h"

namespace nntrain::cli {

ExitCode train(comm::Session& session, const CommandLine& line) {
  const train::Configuration configuration = read_configuration(session, line);
  comm::collectively(session, "run.log", [&] {
    log::start(session.is_root() ? log::Voice::kSpeaks : log::Voice::kSilent, configuration.text("run.log"));
  });
  return train::fit(*train::open_run(session, configuration, version_number(), stop_token()));
}

}  // namespace nntrain::cli

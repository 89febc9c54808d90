#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "core/log.h"
#include "train/inference/inference.h"
#include "train/report/progress.h"

namespace nntrain::cli {

ExitCode evaluate(comm::Session& session, const CommandLine& line) {
  std::unique_ptr<train::Inference> inference;
  comm::collectively(session, "evaluate", [&] {
    checkpoint::Contents contents = train::read_contents(session, line.file);
    const train::Configuration configuration = stored_configuration(contents, line);
    inference = std::make_unique<train::Inference>(session, std::move(contents), configuration,
                                                   train::Inference::Task::kEvaluate);
  });
  const train::Evaluation evaluation = inference->evaluate();
  log::info(fmt::format("{} samples - {} - {:.0f} samples/s - {}", evaluation.rows,
                        train::format_duration(evaluation.seconds),
                        static_cast<double>(evaluation.rows) / std::max(evaluation.seconds, 1e-9),
                        train::format_logs(evaluation.logs)));
  return ExitCode::kDone;
}

}  // namespace nntrain::cli

#include <fmt/format.h>

#include <cmath>

#include "cli/commands.h"
#include "core/call.h"
#include "core/log.h"
#include "train/report/progress.h"
#include "train/run/setup.h"

namespace nntrain::cli {

namespace {

void print_history(const checkpoint::History& history) {
  std::size_t epochs = 0;
  std::string header;
  for (const auto& [name, column] : history.columns) {
    epochs = std::max(epochs, column.size());
    header += fmt::format("{:>16}", name);
  }
  log::info(header);
  for (std::size_t row = 0; row < epochs; ++row) {
    std::string line;
    for (const auto& [name, column] : history.columns) {
      const bool whole = name == "epoch";
      const double value = column[row];
      line += std::isnan(value) ? fmt::format("{:>16}", "-")
              : whole           ? fmt::format("{:>16.0f}", value)
                                : fmt::format("{:>16}", train::format_value(value));
    }
    log::info(line);
  }
}

}  // namespace

ExitCode inspect(comm::Session& session, const CommandLine& line) {
  const checkpoint::Contents contents = train::read_contents(session, line.file);
  if (!session.is_root()) return ExitCode::kDone;
  std::int64_t parameters = 0;
  for (const checkpoint::WeightArray& weight : contents.weights) parameters += weight.shape.size();
  log::info(fmt::format("{}: {} layers, {} weight arrays, {} parameters", line.file,
                        contents.layer_names.size(), contents.weights.size(), parameters));
  log::info("weights_digest: " + checkpoint::weights_digest(contents.weights));
  if (!contents.ours) {
    log::info("A Keras file without run state: start from it with model.from = " + line.file);
    return ExitCode::kDone;
  }
  const checkpoint::RunState& state = contents.state;
  log::info(fmt::format("state: epoch {}, step {}, iteration {}, seed {}, shards {}, {}", state.epoch,
                        state.step, state.iteration, state.seed, state.shards,
                        state.finished ? "finished" : "not finished"));
  for (const auto& [name, value] : contents.environment.items())
    log::info("trained with " + name + ": " + format_call(value));
  const Json fingerprints = contents.data.value("fingerprints", Json::object());
  for (const auto& [name, value] : fingerprints.items()) {
    log::info(
        fmt::format("data.{}: {} SHA-256 {}", name, value.value("source", ""), value.value("sha256", "")));
  }
  log::info("\nconfiguration:\n" + contents.config);
  log::info("history:");
  print_history(contents.history);
  return ExitCode::kDone;
}

}  // namespace nntrain::cli

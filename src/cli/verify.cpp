// verify: the number of ranks and a stop in between change no bit, shown on the user's own machine and model.

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <memory>
#include <vector>

#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "cli/log.h"
#include "cli/trial.h"
#include "cli/version.h"
#include "train/loop/fit.h"

namespace nntrain::cli {

namespace {

constexpr std::int64_t kSteps = 20;

struct Result {
  std::string name;
  std::string digest;
  std::int64_t steps = 0;                                            ///< that were done
  std::vector<std::pair<std::string, std::vector<double>>> history;  ///< without times
};

std::int64_t steps_of(const CommandLine& line) {
  if (!line.has("steps")) return kSteps;
  const std::string text = line.value("steps");
  std::int64_t steps = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), steps);
  if (error != std::errc() || end != text.data() + text.size() || steps < 2)
    throw InputError("command line: --steps=" + text + " is no number of steps; give 2 or more");
  return steps;
}

/// `steps` steps of one epoch, or where an epoch has fewer, as many epochs as have at least `steps`.
void set_length(train::Run& run, std::int64_t steps) {
  const std::int64_t batch = run.settings.fit.batch_size,
                     batches = (run.data.train.rows() + batch - 1) / batch;
  run.settings.fit.steps_per_epoch = steps < batches ? steps : 0;
  run.settings.fit.epochs = std::max<std::int64_t>(1, (steps + batches - 1) / batches);
}

/// Trains a trial's steps in `session`; with `stops`, only its first. How many it did. Collective over that
/// session.
std::int64_t train_steps(comm::Session& session, const train::Configuration& trial, std::int64_t steps,
                         bool stops) {
  const QuietScreen quiet(log::standard(), true);
  StopToken stop;
  const auto run = train::open_run(session, trial, {log::standard(), stop, version_number()});
  set_length(*run, steps);
  const std::int64_t before = run->past.state.iteration;
  if (stops) stop.request_stop(StopReason::kRequested);
  const ExitCode code = train::fit(*run);
  if (code == ExitCode::kDiverged)
    throw InputError("the loss becomes NaN or Inf within these steps; verify a configuration that trains");
  return run->past.state.iteration - before;
}

/// What the trial's checkpoint holds. On rank 0.
Result read_result(const std::string& name, const std::string& path) {
  const checkpoint::Contents contents = checkpoint::read(path);
  Result result{name, checkpoint::weights_digest(contents.weights), 0, {}};
  for (const auto& column : contents.history.columns)
    if (column.first != "seconds") result.history.push_back(column);
  return result;
}

bool all_equal(const std::vector<Result>& results) {
  for (const Result& result : results)
    if (result.digest != results.front().digest || result.history != results.front().history) return false;
  return true;
}

/// On rank 0, of all runs.
std::vector<Result> run_all(comm::Session& session, comm::Session& alone, train::Configuration trial,
                            std::int64_t steps, const std::string& path) {
  std::vector<Result> results;
  const auto keep_result = [&](const std::string& name) {
    comm::collectively(session, "read the result", [&] {
      if (!session.is_root()) return;
      results.push_back(read_result(name, path));
      remove_trial(session, path);
    });
  };
  std::int64_t done = 0;
  const auto train_alone = [&] {
    comm::collectively(session, "train with one rank", [&] {
      if (session.is_root()) done = train_steps(alone, trial, steps, false);
    });
  };
  train_alone();
  keep_result("1 rank");
  if (session.is_root()) results.front().steps = done;
  if (session.size() > 1) {
    train_steps(session, trial, steps, false);
    keep_result(fmt::format("{} ranks", session.size()));
  }
  train_steps(session, trial, steps, true);
  train_alone();
  keep_result(session.size() > 1
                  ? fmt::format("{} ranks, stopped after a step, resumed with 1 rank", session.size())
                  : "1 rank, stopped after a step, resumed");
  return results;
}

}  // namespace

ExitCode verify(comm::Session& session, const CommandLine& line) {
  if (line.has("json")) log::leave_stdout_to_the_answer();
  const train::Configuration configuration = read_configuration(session, line);
  std::int64_t steps = 0;
  comm::collectively(session, "verify", [&] {
    steps = steps_of(line);
    train::read_settings(configuration);
  });
  const std::string path = trial_path(session);
  train::Configuration trial = trial_configuration(configuration, path);
  // A rank alone may take longer than others usually wait.
  session.end_stalls_after(std::numeric_limits<double>::infinity(), "UNLIMITED");
  set_key(trial, "run.stall_timeout", "UNLIMITED");
  const std::unique_ptr<comm::Session> alone = session.alone();
  std::vector<Result> results;
  try {
    results = run_all(session, *alone, trial, steps, path);
  } catch (...) {
    remove_trial(session, path);
    throw;
  }
  std::int64_t equal = session.is_root() && all_equal(results) ? 1 : 0;
  equal = session.maximum(equal);
  if (!session.is_root()) return equal != 0 ? ExitCode::kDone : ExitCode::kRuntime;

  steps = results.front().steps;  // where an epoch is shorter than asked, whole epochs
  if (line.has("json")) {
    Json json = {
        {"equal", equal != 0}, {"steps", steps}, {"ranks", session.size()}, {"nodes", session.nodes()}};
    json["digests"] = Json::object();
    for (const Result& result : results) json["digests"][result.name] = result.digest;
    log::answer(json.dump() + "\n");
  } else {
    for (const Result& result : results) log::info(result.digest + "  " + result.name);
    log::info(fmt::format(
        "{} of {}: {}", count_of(steps, "step"), line.file,
        equal != 0 ? "the same weights and history, bit for bit" : "NOT the same weights and history"));
  }
  if (session.size() == 1)
    log::note("one rank only; `mpirun -np N nntrain-dist verify " + line.file + "` compares 1 and N ranks");
  return equal != 0 ? ExitCode::kDone : ExitCode::kRuntime;
}

}  // namespace nntrain::cli

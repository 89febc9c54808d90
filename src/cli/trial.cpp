#include "cli/trial.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "data/sampler.h"

namespace nntrain::cli {

namespace fs = std::filesystem;

void set_key(train::Configuration& configuration, const std::string& key, const std::string& value) {
  configuration.clear(key);
  configuration.add(key, {value, "trial"});
}

train::Configuration trial_configuration(const train::Configuration& configuration,
                                         const std::string& checkpoint) {
  train::Configuration trial = configuration;
  for (const train::Key& key : train::keys()) {
    const bool writes = key.name.starts_with("checkpoint.") || key.name == "fit.callback" ||
                        key.name == "run.log" || key.name == "run.profile" || key.name == "run.plot" ||
                        key.name == "run.max_time";
    if (writes) trial.clear(key.name);
  }
  set_key(trial, "checkpoint.path", checkpoint);
  set_key(trial, "fit.verbose", "0");
  set_key(trial, "fit.validation_freq", "1000000000");
  set_key(trial, "fit.initial_epoch", "0");
  return trial;
}

std::string trial_path(comm::Session& session) {
  std::string path;
  comm::collectively(session, "temporary folder", [&] {
    if (!session.is_root()) return;
    fs::path folder = fs::temp_directory_path() / fmt::format("nntrain-dist-{}", getpid());
    fs::create_directories(folder);
    path = (folder / "trial.h5").string();
  });
  return session.broadcast_text(path);
}

void remove_trial(const comm::Session& session, const std::string& path) {
  std::error_code error;
  if (session.is_root()) fs::remove_all(fs::path(path).parent_path(), error);
}

double measure_step(train::Run& run, std::int64_t steps, double most_seconds) {
  using Clock = std::chrono::steady_clock;
  const std::int64_t rows = run.data.train.rows(), batch_size = run.settings.fit.batch_size;
  const bool streams = run.data.train.stream != nullptr;
  const data::Sampler sampler =
      streams ? run.sampler(0) : data::Sampler(rows, run.settings.run.seed, 0, data::Order::kShuffled);
  std::int64_t next = 0;
  train::BatchRequest batch;
  batch.samples = &run.data.train;
  batch.sampler = &sampler;
  const auto step = [&](std::int64_t i) {
    batch.position = rows < 2 * batch_size ? 0 : i * batch_size % (rows - batch_size);
    batch.rows = std::min(batch_size, rows - batch.position);
    batch.step = static_cast<std::uint64_t>(i);
    if (batch.position < next || i == 0)
      train::begin_pass(run.session, run.data, run.data.train, sampler, train::kPassAgain, batch.position);
    next = batch.position;
    run.engine->step(batch, run.step_learning_rate(), {}, *run.board);
  };
  step(0);
  run.engine->settle();
  std::int64_t done = 0;
  const Clock::time_point start = Clock::now();
  double seconds = 0;
  // The clock is looked at after doublings: every rank must stop at the same step.
  for (std::int64_t until = 1; done < steps && seconds < most_seconds; until = std::min(2 * until, steps)) {
    for (; done < until; ++done) step(done + 1);
    run.engine->settle();
    seconds = run.session.maximum(std::chrono::duration<double>(Clock::now() - start).count());
  }
  return seconds / static_cast<double>(std::max<std::int64_t>(done, 1));
}

std::string count_of(std::int64_t count, const std::string& what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string format_bytes(double bytes) {
  return bytes < 1e9 ? fmt::format("{:.1f} MB", bytes / 1e6) : fmt::format("{:.2f} GB", bytes / 1e9);
}

}  // namespace nntrain::cli

// plan: a batch script for a cluster that this machine is not, and an estimate of what the run will take.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "cli/log.h"
#include "cli/memory_need.h"
#include "cli/signals.h"
#include "cli/trial.h"
#include "cli/version.h"
#include "train/report/progress.h"

namespace nntrain::cli {

namespace {

namespace fs = std::filesystem;

// What is assumed of the cluster, and said.
constexpr double kNetworkBytesPerSecond = 1.25e9;  // 10 Gbit/s
constexpr double kNetworkLatencySeconds = 30e-6;
constexpr double kMemoryBytesPerSecond = 10e9;  // of one core
constexpr double kBarrierSeconds = 5e-6;
constexpr double kStartSeconds = 30;
constexpr double kReserve = 1.5;  // of the time limit over the estimate
// A turn: Slurm counts whole minutes and may send its signal up to a minute early.
constexpr double kLeadSeconds = 120;  // of the signal before the limit; at most a quarter of the turn
constexpr double kShortestTurnSeconds = 180;

int whole_number(const CommandLine& line, const std::string& option, int otherwise) {
  if (!line.has(option)) return otherwise;
  const std::string text = line.value(option);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1 || number > 1000000)
    throw InputError("command line: --" + option + "=" + text + " is no number from 1 on");
  return number;
}

/// What was measured here, and what follows for other machines.
struct Estimate {
  double step_seconds_alone = 0;
  std::int64_t batch_rows = 1;
  std::int64_t shards = 1;
  std::int64_t steps = 1;  ///< of the whole run
  double gradient_bytes = 0;
  MemoryNeed memory;

  double step_seconds(std::int64_t nodes, std::int64_t ranks_per_node) const {
    const std::int64_t ranks = nodes * ranks_per_node;
    // Rows go to ranks in whole shards; the slowest rank has the most.
    const std::int64_t rows_a_shard = (batch_rows + shards - 1) / shards;
    const std::int64_t my_shards = (shards + ranks - 1) / ranks;
    const double share =
        std::min(1.0, static_cast<double>(rows_a_shard * my_shards) / static_cast<double>(batch_rows));
    double seconds = step_seconds_alone * share;
    if (ranks_per_node > 1)
      seconds += 2 * kBarrierSeconds * std::log2(static_cast<double>(ranks_per_node)) +
                 gradient_bytes / kMemoryBytesPerSecond;
    if (nodes > 1) {
      const auto others = static_cast<double>(nodes - 1);
      seconds += 2 * others * kNetworkLatencySeconds +
                 2 * others / static_cast<double>(nodes) * gradient_bytes / kNetworkBytesPerSecond;
    }
    return seconds;
  }
  double run_seconds(std::int64_t nodes, std::int64_t ranks_per_node) const {
    return kStartSeconds + static_cast<double>(steps) * step_seconds(nodes, ranks_per_node);
  }
};

Estimate calibrate(comm::Session& alone, const train::Configuration& configuration, const std::string& path) {
  const QuietScreen quiet(log::standard(), true);
  const auto run = train::open_run(alone, trial_configuration(configuration, path),
                                   {log::standard(), stop_token(), version_number()});
  Estimate estimate;
  const std::int64_t rows = run->data.train.rows();
  const train::FitSettings& fit = run->settings.fit;
  const std::int64_t batches = (rows + fit.batch_size - 1) / fit.batch_size;
  estimate.batch_rows = std::min(fit.batch_size, rows);
  estimate.shards = run->past.state.shards;
  estimate.steps = fit.epochs * (fit.steps_per_epoch > 0 ? std::min(batches, fit.steps_per_epoch) : batches);
  estimate.gradient_bytes = 4.0 * static_cast<double>(run->model->trainable_floats());
  estimate.memory = memory_need(*run, kept_sets(train::read_settings(configuration)));
  estimate.step_seconds_alone = measure_step(*run, 64, 2.0);
  return estimate;
}

struct Choice {
  std::int64_t ranks, nodes;
  double seconds, core_hours;
};

/// 1, 2, 4 ... ranks, as many a node as fit.
std::vector<Choice> choices(const Estimate& estimate, std::int64_t most_ranks, std::int64_t ranks_per_node) {
  std::vector<Choice> all;
  for (std::int64_t ranks = 1;; ranks = std::min(2 * ranks, most_ranks)) {
    const std::int64_t nodes = (ranks + ranks_per_node - 1) / ranks_per_node;
    const double seconds = estimate.run_seconds(nodes, (ranks + nodes - 1) / nodes);
    all.push_back({ranks, nodes, seconds, static_cast<double>(ranks) * seconds / 3600});
    if (ranks == most_ranks) return all;
  }
}

std::string slurm_time(double seconds) {
  const auto minutes = static_cast<std::int64_t>(std::ceil(seconds / 60));
  const std::int64_t days = minutes / 1440;
  return (days > 0 ? fmt::format("{}-", days) : "") +
         fmt::format("{:02d}:{:02d}:00", minutes % 1440 / 60, minutes % 60);
}

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char letter : text) result += letter == '\'' ? "'\\''" : std::string(1, letter);
  return result + "'";
}

/// Of a file's name, what Slurm takes in an option of a script: no space ends it, no % is one of its
/// patterns.
std::string job_name(std::string name) {
  for (char& letter : name) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '.' || letter == '-';
    if (!plain) letter = '_';
  }
  return name;
}

/// Seconds before the limit at which Slurm asks the run to stop.
std::int64_t lead_of(double limit) {
  return static_cast<std::int64_t>(limit == 0 ? kLeadSeconds : std::min(kLeadSeconds, limit / 4));
}

/// --time, in seconds; 0: not given. Too short a turn is asked to stop before it has begun, for ever.
double turn_limit(const CommandLine& line) {
  if (!line.has("time")) return 0;
  const std::string text = line.value("time");
  const double limit =
      train::with_origin("command line: --time", [&] { return train::parse_duration(text); });
  if (limit >= kShortestTurnSeconds) return limit;
  throw InputError(fmt::format(
      "command line: --time={}: {:.0f} s are too short for a turn: Slurm asks a run to stop some time "
      "before the limit, up to a minute early, and starting takes about {:.0f} s; give --time=0:03:00 "
      "or more (0:30 is half a minute, 30 are minutes)",
      text, limit, kStartSeconds));
}

/// Where the program was installed without the source tree: what supervise.sh does, as far as Slurm needs it.
std::string start_without_supervisor(const std::string& program, const std::string& command,
                                     const std::string& checkpoint) {
  return "progress() { " + quoted(program) + " inspect " + quoted(checkpoint) +
         " 2> /dev/null | grep '^state'; }\n"
         "before=$(progress)\n"
         "required=; ((${SLURM_RESTART_COUNT:-0} == 0)) || required=--checkpoint.resume=require\n" +
         command +
         " $required &\n"
         "job=$! canceled=\n"
         "trap 'kill -USR1 $job' USR1\n"
         "trap 'canceled=yes; kill -USR1 $job' TERM\n"
         "wait $job; code=$?\n"
         "while kill -0 $job 2> /dev/null; do wait $job; code=$?; done  # a signal ends `wait` early\n"
         "[[ $code -eq 75 && -z $canceled ]] || exit $code\n"
         "if [[ $(progress) == \"$before\" ]]; then\n"
         "  echo 'this turn made no progress: it is not requeued; give it more time, or write checkpoints "
         "more "
         "often' >&2\n"
         "  exit 1\n"
         "fi\n"
         "scontrol requeue $SLURM_JOB_ID\n"
         "exit $code\n";
}

std::string script(const CommandLine& line, const std::string& checkpoint, int nodes, int ranks_per_node,
                   const std::string& time, std::int64_t lead_seconds, double bytes_a_node) {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  std::string arguments = quoted(fs::absolute(line.file).string());
  bool has_limit = false;
  for (const auto& [key, value] : line.settings) {
    arguments += " " + quoted("--" + key + "=" + value);
    has_limit = has_limit || key == "run.max_time";
  }
  if (!has_limit) arguments += " ${left:+--run.max_time=$left}";
  const std::string name = job_name(fs::path(line.file).stem().string());
  const fs::path home = program.parent_path().parent_path().parent_path();
  const fs::path supervisor = home / "launch" / "supervise.sh";
  const std::string mpirun = "mpirun -np $SLURM_NTASKS --bind-to core";
  const std::string start =
      fs::exists(supervisor, error)
          ? fmt::format(
                "export NNTRAIN={}\nexec {} --launcher=\"{}\" --restarts=0 \\\n"
                "  --turn=$((${{SLURM_RESTART_COUNT:-0}} + 1)) \\\n"
                "  --when-stopped=\"scontrol requeue $SLURM_JOB_ID || exit 75\" \\\n  {}\n",
                quoted(program.string()), quoted(supervisor.string()), mpirun, arguments)
          : start_without_supervisor(program.string(),
                                     mpirun + " " + quoted(program.string()) + " train " + arguments,
                                     checkpoint);
  return fmt::format(
      "#!/bin/bash\n"
      "# {} under Slurm: stops in time, is requeued and goes on; after a stop of your own, submit it again. "
      "Made "
      "by nntrain-dist plan.\n"
      "#SBATCH --job-name={}\n#SBATCH --nodes={}\n#SBATCH --ntasks-per-node={}\n#SBATCH --cpus-per-task=1\n"
      "#SBATCH --mem={}M\n#SBATCH --time={}\n#SBATCH --requeue\n#SBATCH --open-mode=append\n"
      "#SBATCH --output={}-%j.log\n#SBATCH --signal=B:USR1@{}\n"
      "cd {} || exit 2\n"
      "export OMP_NUM_THREADS=1 HDF5_USE_FILE_LOCKING=FALSE OMPI_MCA_odls_base_sigkill_timeout=10\n"
      "left=$(squeue --noheader --jobs=\"$SLURM_JOB_ID\" --format=%L)\n"
      "[[ $left =~ ^[0-9:-]+$ && ! $left =~ ^[0:]*$ ]] || left=\n{}",
      name, name, nodes, ranks_per_node, static_cast<std::int64_t>(std::ceil(1.2 * bytes_a_node / 1e6)), time,
      name, lead_seconds, quoted(fs::current_path().string()), start);
}

/// All that is said about a job of `nodes` x `ranks_per_node`.
struct Plan {
  Estimate estimate;
  int nodes = 1, ranks_per_node = 1;
  std::int64_t ranks() const { return std::int64_t{nodes} * ranks_per_node; }
  std::string time;  ///< as Slurm writes it
  double seconds = 0, turns = 1, memory_a_node = 0;
  std::string script;
  std::vector<Choice> choices;

  const Choice& least(double Choice::*member) const {
    return *std::min_element(choices.begin(), choices.end(),
                             [&](const Choice& a, const Choice& b) { return a.*member < b.*member; });
  }
  std::int64_t quickest_ranks() const { return least(&Choice::seconds).ranks; }
  std::int64_t cheapest_ranks() const { return least(&Choice::core_hours).ranks; }
};

/// `limit`: seconds that a turn may take; 0: not given.
Plan plan_of(const CommandLine& line, const std::string& checkpoint, const Estimate& estimate, int nodes,
             int ranks_per_node, double limit) {
  Plan plan;
  plan.estimate = estimate;
  plan.nodes = nodes;
  plan.ranks_per_node = ranks_per_node;
  plan.seconds = estimate.run_seconds(nodes, ranks_per_node);
  plan.time = limit == 0          ? slurm_time(std::max(600.0, kReserve * plan.seconds))
              : std::isinf(limit) ? "UNLIMITED"
                                  : slurm_time(limit);
  if (limit != 0 && !std::isinf(limit))
    plan.turns =
        std::ceil(plan.seconds / std::max(limit - static_cast<double>(lead_of(limit)) - kStartSeconds, 1.0));
  plan.memory_a_node = estimate.memory.on_node(nodes, ranks_per_node);
  plan.script =
      script(line, checkpoint, nodes, ranks_per_node, plan.time, lead_of(limit), plan.memory_a_node);
  plan.choices = choices(estimate, plan.ranks(), ranks_per_node);
  return plan;
}

std::string json_text(const Plan& plan) {
  Json json = {{"nodes", plan.nodes},
               {"ranks_per_node", plan.ranks_per_node},
               {"ranks", plan.ranks()},
               {"time", plan.time},
               {"turns", plan.turns},
               {"memory_bytes_a_node", plan.memory_a_node},
               {"steps", plan.estimate.steps},
               {"measured_step_seconds_of_one_rank", plan.estimate.step_seconds_alone},
               {"estimated_step_seconds", plan.estimate.step_seconds(plan.nodes, plan.ranks_per_node)},
               {"estimated_seconds", plan.seconds},
               {"quickest_ranks", plan.quickest_ranks()},
               {"cheapest_ranks", plan.cheapest_ranks()},
               {"script", plan.script}};
  json["choices"] = Json::array();
  for (const Choice& choice : plan.choices)
    json["choices"].push_back({{"ranks", choice.ranks},
                               {"nodes", choice.nodes},
                               {"seconds", choice.seconds},
                               {"core_hours", choice.core_hours}});
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// The script is the answer; what is said about it are comments, so that all of it can go into a file.
std::string script_text(const Plan& plan) {
  std::string notes = fmt::format(
      "# Estimate: {} of {:.3g} ms here with one rank -> {:.3g} ms with {} on {}: about {}{}, {} a node.\n"
      "# Assumed: the cluster's cores are as fast as this one, 10 Gbit/s between nodes; without validation "
      "and checkpoints.\n"
      "#   ranks  nodes        time  core-hours\n",
      count_of(plan.estimate.steps, "step"), 1e3 * plan.estimate.step_seconds_alone,
      1e3 * plan.estimate.step_seconds(plan.nodes, plan.ranks_per_node), count_of(plan.ranks(), "rank"),
      count_of(plan.nodes, "node"), train::format_duration(plan.seconds),
      plan.turns > 1 ? fmt::format(" in {:.0f} turns of {}", plan.turns, plan.time) : "",
      format_bytes(plan.memory_a_node));
  for (const Choice& choice : plan.choices)
    notes += fmt::format("# {:>7} {:>6} {:>11} {:>11.3g}{}{}\n", choice.ranks, choice.nodes,
                         train::format_duration(choice.seconds), choice.core_hours,
                         choice.ranks == plan.quickest_ranks() ? "  quickest" : "",
                         choice.ranks == plan.cheapest_ranks() ? "  cheapest" : "");
  return plan.script + notes;
}

}  // namespace

ExitCode plan(comm::Session& session, const CommandLine& line) {
  if (line.has("json")) log::leave_stdout_to_the_answer();
  const train::Configuration configuration = read_configuration(session, line);
  int nodes = 1, ranks_per_node = 1;
  double limit = 0;
  comm::collectively(session, "plan", [&] {
    nodes = whole_number(line, "nodes", 1);
    ranks_per_node = whole_number(line, "ranks-per-node", session.available_cores());
    limit = turn_limit(line);
    train::read_settings(configuration);
  });
  const std::string path = trial_path(session);
  const std::unique_ptr<comm::Session> alone = session.alone();
  Estimate estimate;
  comm::collectively(session, "time a few steps", [&] {
    if (session.is_root()) estimate = calibrate(*alone, configuration, path);
  });
  remove_trial(session, path);
  if (!session.is_root()) return ExitCode::kDone;
  const Plan plan =
      plan_of(line, configuration.text("checkpoint.path"), estimate, nodes, ranks_per_node, limit);
  log::answer(line.has("json") ? json_text(plan) : script_text(plan));
  return ExitCode::kDone;
}

}  // namespace nntrain::cli

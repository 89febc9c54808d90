#include "cli/command_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "core/registry.h"

namespace nntrain::cli {

namespace {

using Files = Command::Files;
using Takes = Option::Takes;

/// A checkpoint brings its configuration along; of it, these say what is read now.
std::vector<std::string> keys_of_evaluation() {
  return {"data.",           "!data.validation",         "!data.folds",   "compile.loss",
          "compile.metrics", "compile.weighted_metrics", "fit.batch_size"};
}

std::vector<std::string> keys_of_prediction() {
  return {"data.",         "!data.validation",   "!data.folds",
          "!data.targets", "!data.test_targets", "!data.sample_weight",
          "compile.loss"};
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> table = {
      {"train",
       "CONFIG [--section.key=value ...]",
       "train, or go on from the checkpoint; \"nntrain-dist CONFIG\" does the same",
       "The same command goes on where a run stopped, with any number of ranks.",
       Files::kOne,
       {""},
       {},
       train},
      {"evaluate",
       "CHECKPOINT [--data.inputs=SOURCE --data.targets=SOURCE]",
       "loss and metrics; scores by class, label or output",
       "Default: the test data that the run's configuration names. CHECKPOINT may be a Keras .h5 or .keras.",
       Files::kOne,
       keys_of_evaluation(),
       {{"json", Takes::kNothing, "", "one JSON object on standard output (docs/seeing.md)"},
        {"csv", Takes::kNothing, "", "one long table on standard output: group,name,quantity,value"},
        {"output", Takes::kValue, "FILE.html", "also write the evaluation as a page, with its curves"}},
       evaluate},
      {"predict",
       "CHECKPOINT --data.inputs=SOURCE --output=FILE",
       "outputs and classes of every sample, as .h5, .csv or .npy",
       "Default: the test inputs that the run's configuration names. CHECKPOINT may be a Keras .h5 or "
       ".keras. --data.inputs=- reads rows of CSV from standard input and writes each prediction at once, to "
       "standard output unless --output names a .csv.",
       Files::kOne,
       keys_of_prediction(),
       {{"output", Takes::kValue, "FILE",
         "the file to write: .h5 (dataset /predictions), .csv or .npy; - is standard output"}},
       predict},
      {"summary",
       "CONFIG | CHECKPOINT | KERAS_FILE",
       "layers, shapes, parameters, memory, FLOPs",
       "Keys are those of CONFIG; with a file that holds a model, only fit.batch_size and run.shards are "
       "taken.",
       Files::kOne,
       {""},
       {},
       summary},
      {"inspect",
       "CHECKPOINT [--json | --history=csv|json | --weights[=LAYER/NAME]] [--output=FILE]",
       "history, run state, digest, how it was trained",
       "",
       Files::kOne,
       {},
       {{"json", Takes::kNothing, "",
         "one JSON object: layers, state, history, weights_digest, data, environment"},
        {"history", Takes::kValue, "csv|json", "the history alone, every bit of it"},
        {"weights", Takes::kMaybeValue, "LAYER/NAME",
         "statistics of every weight array, or one array itself as CSV"},
        {"output", Takes::kValue, "FILE", "write there instead of printing; one array also as .npy"}},
       inspect},
      {"export",
       "CHECKPOINT --output=FILE",
       "the model for other programs: .keras, .weights.h5, .h5, .json, .npz, .csv (history), .onnx",
       "The ending of FILE chooses the format (docs/keras-compatibility.md). CHECKPOINT may be a file of "
       "Keras.",
       Files::kOne,
       {},
       {{"output", Takes::kValue, "FILE", "the file to write"}},
       export_model},
      {"plot",
       "CHECKPOINT [CHECKPOINT ...] --output=FILE",
       "learning curves of one run, or of several in one picture",
       "Training is drawn half an epoch to the left: it is the mean over the epoch. Needs gnuplot.",
       Files::kOneOrMore,
       {},
       {{"output", Takes::kValue, "FILE", ".png, .svg, .pdf or .txt; - draws in the terminal"},
        {"metric", Takes::kValue, "NAMES", "only these results, comma separated, e.g. loss,accuracy"},
        {"log", Takes::kNothing, "", "logarithmic y axes"},
        {"smooth", Takes::kValue, "K", "draw the mean of K epochs"}},
       plot},
      {"watch",
       "CHECKPOINT [--once] [--json]",
       "how a running job is doing, from any machine that sees its files",
       "Reads the status file beside the checkpoint; draws anew until the run ends.",
       Files::kOne,
       {},
       {{"once", Takes::kNothing, "", "look once"},
        {"json", Takes::kNothing, "", "one JSON object, for programs"}},
       watch},
      {"check",
       "CONFIG [--json]",
       "what a run would do here: ranks, cores, memory, files, time; changes nothing",
       "Start it as the run will be started, under the same mpirun or srun.",
       Files::kOne,
       {""},
       {{"json", Takes::kNothing, "", "one JSON object on standard output (docs/cluster.md)"}},
       check},
      {"plan",
       "CONFIG --nodes=N --ranks-per-node=R [--time=H:MM:SS] [--json]",
       "a batch script for Slurm, filled in, and what it will take",
       "Times a few steps here with one rank and counts up from there; takes a core of the cluster for one "
       "of this machine.",
       Files::kOne,
       {""},
       {{"nodes", Takes::kValue, "N", "nodes of the job [1]"},
        {"ranks-per-node", Takes::kValue, "R", "ranks on each, one a core [this machine's cores]"},
        {"time", Takes::kValue, "H:MM:SS", "time limit of the job [what the run needs, at least 10 minutes]"},
        {"json", Takes::kNothing, "", "one JSON object on standard output (docs/cluster.md)"}},
       plan},
      {"verify",
       "CONFIG [--steps=K] [--json]",
       "1 rank, N ranks, stop and resume: the same bits?",
       "Start it under mpirun -np N. Trains K steps each way and compares digests; writes only to a "
       "temporary "
       "folder. Exit code 1 when they differ.",
       Files::kOne,
       {""},
       {{"steps", Takes::kValue, "K", "steps of each run [20]"},
        {"json", Takes::kNothing, "", "one JSON object on standard output: equal, digests"}},
       verify},
      {"report",
       "CHECKPOINT --output=FILE.html",
       "the run as one page: curves, evaluation, model, data, settings, how to reproduce it",
       "The page fetches nothing. It holds an evaluation where the run's configuration names test data.",
       Files::kOne,
       keys_of_evaluation(),
       {{"output", Takes::kValue, "FILE.html", "the page to write"}},
       report},
      {"convert",
       "SOURCE --output=FILE.h5 [--shuffle] [--gzip=LEVEL]",
       "any source as one HDF5 file: /inputs and, with target columns, /targets",
       "Tables become numbers as training would read them (docs/data.md); about data.cache is in memory at a "
       "time. The rows lie in chunks of about 1 MB, as streaming likes them. All ranks of mpirun parse "
       "tables "
       "of numbers together.",
       Files::kOne,
       {"data.targets", "data.input_columns", "data.target_columns", "data.columns", "data.missing",
        "data.header", "data.delimiter", "data.quote", "data.decimal", "data.thousands", "data.comment",
        "data.encoding", "data.cache", "run.seed"},
       {{"output", Takes::kValue, "FILE.h5", "the file to write"},
        {"gzip", Takes::kValue, "LEVEL", "compress the chunks: 1 (fast) to 9"},
        {"shuffle", Takes::kNothing, "", "the rows in an order that run.seed decides"}},
       convert},
      {"vocabulary",
       "",
       "every layer, loss, optimizer ... with its arguments (docs/vocabulary.md)",
       "",
       Files::kNone,
       {},
       {},
       vocabulary},
  };
  return table;
}

const Command* find_command(std::string_view name) {
  for (const Command& command : commands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& command : commands()) names.push_back(command.name);
  return names;
}

bool takes_key(const Command& command, std::string_view key) {
  if (train::find_key(key) == nullptr) return false;
  bool taken = false;
  for (const std::string& beginning : command.keys) {
    if (beginning.starts_with('!')) {
      if (key.starts_with(std::string_view(beginning).substr(1))) taken = false;
    } else if (key.starts_with(beginning)) {
      taken = true;
    }
  }
  return taken;
}

const Option* find_option(const Command& command, std::string_view name) {
  for (const Option& option : command.options) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

void refuse_option(const Command& command, const std::string& word) {
  const bool is_key = word.find('.') != std::string::npos;
  const std::string dashes = is_key ? "" : "--";
  const std::string name = word.starts_with('-') ? word : dashes + word;
  std::string others;
  for (const Command& other : commands()) {
    if (find_option(other, word) != nullptr || takes_key(other, word))
      others += (others.empty() ? "" : ", ") + other.name;
  }
  std::vector<std::string> own;
  for (const Option& option : command.options) own.push_back("--" + option.name);
  for (const train::Key& key : train::keys()) {
    if (takes_key(command, key.name)) own.push_back(key.name);
  }
  const std::string near = nearest(name, own);
  const std::string cure = near.empty() ? "; nntrain-dist " + command.name + " --help lists what it takes"
                                        : "; did you mean " + near + "?";
  if (others.empty())
    throw InputError("command line: unknown " + std::string(is_key ? "key" : "option") + " \"" + name + "\"" +
                     cure);
  throw InputError("command line: " + command.name + " takes no " + (is_key ? "--" : "") + name +
                   ", which is for " + others + cure);
}

std::string usage_line(const Command& command) {
  return "use: nntrain-dist " + command.name + (command.usage.empty() ? "" : " " + command.usage);
}

std::string help_text() {
  std::string text =
      "nntrain-dist: data-parallel training of feed-forward networks; alone or under mpirun/srun\n\n";
  for (const Command& command : commands()) {
    text += fmt::format("  nntrain-dist {:<10} {}\n      {}\n", command.name, command.usage, command.summary);
  }
  return text +
         "  nntrain-dist help [COMMAND], COMMAND --help\n      the options and keys of one command\n"
         "  nntrain-dist --version\n      version with commit, MPI, BLAS, kernel, HDF5\n\n"
         "Exit codes: 0 done, 1 failed while running, 2 usage, configuration or data, 3 diverged, 75 stopped "
         "early: the same command goes on.\n";
}

std::string help_text(const Command& command) {
  std::string text =
      "nntrain-dist " + command.name + (command.usage.empty() ? "" : " " + command.usage) + "\n";
  text += static_cast<char>(std::toupper(command.summary[0])) + command.summary.substr(1) + ".\n";
  if (!command.details.empty()) text += command.details + "\n";
  const auto line = [&](const std::string& name, const std::string& help) {
    text += fmt::format("  --{:<32} {}\n", name, help);
  };
  if (!command.options.empty()) text += "\nOptions:\n";
  for (const Option& option : command.options) {
    line(option.name + (option.takes == Takes::kNothing ? ""
                        : option.takes == Takes::kValue ? "=" + option.value
                                                        : "[=" + option.value + "]"),
         option.help);
  }
  std::string before;
  for (const train::Key& key : train::keys()) {
    if (!takes_key(command, key.name)) continue;
    if (before.empty()) {
      text +=
          "\nKeys, as options or in a [section] of the configuration (command line > file > default; "
          "--section.key= unsets one):\n";
    }
    before = key.name;
    line(key.name, key.help + (key.default_value.empty() ? "" : " [" + key.default_value + "]"));
  }
  return text;
}

}  // namespace nntrain::cli

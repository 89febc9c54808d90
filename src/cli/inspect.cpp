#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

#include "checkpoint/export.h"
#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "cli/inspect_weights.h"
#include "cli/log.h"
#include "core/call.h"
#include "core/error.h"
#include "io/atomic_file.h"
#include "io/output_guard.h"
#include "io/stream_file.h"
#include "nn/losses/loss.h"
#include "optim/optimizer.h"
#include "train/report/progress.h"
#include "train/run/setup.h"

namespace nntrain::cli {

namespace {

/// "epoch" first, the others as in the file.
std::vector<std::pair<std::string, std::vector<double>>> ordered_columns(const checkpoint::History& history) {
  auto columns = history.columns;
  std::stable_partition(columns.begin(), columns.end(),
                        [](const auto& column) { return column.first == "epoch"; });
  return columns;
}

std::size_t epochs_of(const checkpoint::History& history) {
  std::size_t epochs = 0;
  for (const auto& [name, column] : history.columns) epochs = std::max(epochs, column.size());
  return epochs;
}

std::string history_table(const checkpoint::History& history) {
  std::string text;
  for (const auto& [name, column] : history.columns) text += fmt::format("{:>16}", name);
  for (std::size_t row = 0; row < epochs_of(history); ++row) {
    text += "\n";
    for (const auto& [name, column] : history.columns) {
      const bool whole = name == "epoch";
      const double value = column[row];
      text += std::isnan(value) ? fmt::format("{:>16}", "-")
              : whole           ? fmt::format("{:>16.0f}", value)
                                : fmt::format("{:>16}", train::format_value(value));
    }
  }
  return text;
}

/// NaN becomes null: JSON has no other word for it.
Json history_json(const checkpoint::History& history) {
  Json json = Json::object();
  for (const auto& [name, column] : ordered_columns(history)) json[name] = column;
  return json;
}

Json layers_json(const checkpoint::Contents& contents) {
  const auto model = train::build_model(train::model_source_of(contents), Shape{});
  Json layers = Json::array();
  std::unordered_map<std::string_view, std::int64_t> parameters;
  for (const nn::Variable& variable : model->variables()) parameters[variable.layer] += variable.size();
  for (std::size_t i = 0; i < model->layers().size(); ++i) {
    const nn::Layer& layer = *model->layers()[i];
    Json shape = Json::array({nullptr});
    for (const std::int64_t extent : model->layer_output_shape(static_cast<int>(i)).extents())
      shape.push_back(extent);
    layers.push_back({{"name", layer.name()},
                      {"class_name", layer.spec()["class_name"]},
                      {"output_shape", shape},
                      {"parameters", parameters[layer.name()]}});
  }
  return layers;
}

/// A Keras file that no run wrote has neither state nor history: empty objects.
Json everything(const checkpoint::Contents& contents) {
  const checkpoint::RunState& state = contents.state;
  Json json = {{"layers", layers_json(contents)},
               {"state", Json::object()},
               {"history", history_json(contents.history)},
               {"weights_digest", checkpoint::weights_digest(contents.weights)},
               {"data", contents.data.is_null() ? Json::object() : contents.data},
               {"environment", contents.environment.is_null() ? Json::object() : contents.environment}};
  if (contents.ours) {
    json["state"] = {{"epoch", state.epoch},
                     {"step", state.step},
                     {"iteration", state.iteration},
                     {"seed", state.seed},
                     {"shards", state.shards},
                     {"finished", state.finished},
                     {"epoch_seconds", state.epoch_seconds}};
  }
  return json;
}

/// A call with the arguments that differ from their defaults: SGD(learning_rate=0.01).
template <class Product>
std::string short_call(Json spec, const Registry<Product>& registry) {
  if (!spec.is_object() || !spec.contains("config")) return format_call(spec);
  for (const Signature* signature : registry.signatures()) {
    if (signature->class_name != spec["class_name"]) continue;
    for (const Parameter& parameter : signature->parameters) {
      Json& config = spec["config"];
      if (!parameter.required && config.contains(parameter.name) &&
          (config[parameter.name] == parameter.default_value || parameter.name == "name"))
        config.erase(parameter.name);
    }
  }
  return format_call(spec);
}

/// How it was trained, in words.
std::string environment_text(const Json& environment) {
  const auto count = [&](const char* key, const std::string& noun) {
    const std::int64_t number = environment.value(key, std::int64_t{0});
    return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
  };
  std::string text =
      fmt::format("trained by nntrain-dist {} with {}, {} on {}\n", environment.value("version", "?"),
                  environment.value("mpi", "an unknown MPI"), count("ranks", "rank"), count("nodes", "node"));
  text += "kernels: " + environment.value("kernel", "unknown") + "\n";
  text += "loss: " + short_call(environment.value("loss", Json()), nn::losses()) + "\n";
  text += "optimizer: " + short_call(environment.value("optimizer", Json()), optim::optimizers()) + "\n";
  text += fmt::format("mini-batch: {} samples; gradients are summed in {}; up to epoch {}",
                      environment.value("batch_size", std::int64_t{0}), environment.value("wire", "float32"),
                      environment.value("epochs", std::int64_t{0}));
  if (const std::string by = environment.value("ended_by", ""); !by.empty()) text += "\nended by: " + by;
  return text;
}

std::string overview(const checkpoint::Contents& contents, const std::string& file) {
  std::int64_t parameters = 0;
  for (const checkpoint::WeightArray& weight : contents.weights) parameters += weight.shape.size();
  std::string text = fmt::format("{}: {} layers, {} weight arrays, {} parameters\n", file,
                                 contents.layer_names.size(), contents.weights.size(), parameters);
  text += "weights_digest: " + checkpoint::weights_digest(contents.weights) + "\n";
  if (!contents.ours) return text + "A Keras file without run state: start from it with model.from = " + file;
  const checkpoint::RunState& state = contents.state;
  text +=
      fmt::format("state: epoch {}, step {}, iteration {}, seed {}, shards {}, {}\n", state.epoch, state.step,
                  state.iteration, state.seed, state.shards, state.finished ? "finished" : "not finished");
  text += environment_text(contents.environment) + "\n";
  const Json fingerprints = contents.data.value("fingerprints", Json::object());
  for (const auto& [name, value] : fingerprints.items())
    text += fmt::format("data.{}: {}, SHA-256 {}{}\n", name, value.value("source", ""),
                        value.contains("sha256") ? "" : "of some rows ",
                        value.value("sha256", value.value("sampled", "")));
  return text + "\nconfiguration:\n" + contents.config + "\nhistory:\n" + history_table(contents.history);
}

/// What the options ask for; with a newline at its end only where it is a file's last line.
std::string wanted(const checkpoint::Contents& contents, const CommandLine& line) {
  const std::string history = line.value("history"), weights = line.value("weights");
  if (line.has("history")) {
    if (history != "csv" && history != "json")
      throw InputError("--history=" + history + ": csv or json is expected");
    if (line.has("json") || line.has("weights"))
      throw InputError("--history stands alone: leave out --json and --weights");
    return history == "csv" ? checkpoint::history_csv(contents.history)
                            : history_json(contents.history).dump() + "\n";
  }
  if (!weights.empty()) {
    if (line.has("json"))
      throw InputError("--weights=" + weights + " is an array: --json has no place for it");
    const checkpoint::WeightArray& weight = find_weight(contents.weights, weights);
    return line.value("output").ends_with(".npy") ? weight_npy(weight) : weight_csv(weight);
  }
  if (line.has("json")) {
    Json json = everything(contents);
    if (line.has("weights")) json["weights"] = statistics_json(contents.weights);
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return (line.has("weights") ? statistics_table(contents.weights) : overview(contents, line.file)) + "\n";
}

/// The same again loses nothing. Else an array of the same form in numbers that nobody types, a history or an
/// answer in JSON.
bool is_our_output(const std::string& path, const CommandLine& line, const checkpoint::WeightArray* weight,
                   const std::string& content) {
  if (io::first_bytes(path, content.size() + 1) == content) return true;
  if (weight != nullptr)
    return !path.ends_with(".npy") && is_csv_of_weights(io::first_bytes(path, 1 << 16), *weight);
  const std::string start = io::first_bytes(path, 16);
  if (line.value("history") == "csv") return checkpoint::is_export_of_history(path);
  return start.starts_with("{\"layers\":") || start.starts_with("{\"epoch\":");
}

void check_output(const CommandLine& line, const checkpoint::Contents& contents, const std::string& content) {
  const std::string output = line.value("output");
  if (output.empty()) return;
  if (output.ends_with(".npy") && line.value("weights").empty())
    throw InputError("--output=" + output + ": only one array, --weights=LAYER/NAME, can be written as .npy");
  io::OutputGuard guard;
  guard.add_input(line.file, "the checkpoint");
  const checkpoint::WeightArray* weight =
      line.value("weights").empty() ? nullptr : &find_weight(contents.weights, line.value("weights"));
  guard.add_stream(output, "--output",
                   [&](const std::string& path) { return is_our_output(path, line, weight, content); });
}

void write_file(const std::string& path, const std::string& content) {
  if (io::is_stream(path)) {
    io::StreamFile stream(path);
    stream.append(content);
    stream.close();
    return;
  }
  io::AtomicFile file(path);
  file.append(content);
  file.commit();
}

}  // namespace

ExitCode inspect(comm::Session& session, const CommandLine& line) {
  log::leave_stdout_to_the_answer();
  const checkpoint::Contents contents = read_model_file(session, line.file);
  comm::collectively(session, "inspect", [&] {
    if (!session.is_root()) return;
    const std::string content = wanted(contents, line);
    check_output(line, contents, content);
    if (line.has("history") && contents.ours && contents.history.columns.empty())
      log::note("no epoch of " + line.file + " is done: its history has no row");
    if (line.has("output")) {
      write_file(line.value("output"), content);
      log::info(line.value("output") + " written");
    } else {
      log::answer(content);
    }
  });
  return ExitCode::kDone;
}

}  // namespace nntrain::cli

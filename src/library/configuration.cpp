#include "library/configuration.h"

#include "checkpoint/keras.h"
#include "core/call.h"

namespace nntrain::library {

namespace {

constexpr const char* kOrigin = "the program";
// Inference takes what was given for this call from "the command line" alone; the rest belongs to the
// training.
constexpr const char* kCallOrigin = "command line";

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

std::string text_of(const Json& spec) {
  return spec.is_string() ? spec.get<std::string>() : format_call(spec);
}

}  // namespace

void set(train::Configuration& configuration, const std::string& key, const std::string& text) {
  configuration.clear(key);
  configuration.add(key, {text, kCallOrigin});
}

train::Configuration configuration_of(const Compile& compile) {
  train::Configuration configuration;
  configuration.add("compile.loss", {compile.loss, kOrigin});
  configuration.add("compile.optimizer", {compile.optimizer, kOrigin});
  configuration.add("compile.metrics", {joined(compile.metrics), kOrigin});
  configuration.add("compile.weighted_metrics", {joined(compile.weighted_metrics), kOrigin});
  return configuration;
}

train::Configuration configuration_of(const std::vector<std::string>& layers, const std::string& name) {
  train::Configuration configuration;
  configuration.add("model.name", {name, kOrigin});
  for (const std::string& layer : layers) configuration.add("model.layer", {layer, kOrigin});
  return configuration;
}

void add_fit(const Fit& fit, std::int64_t epochs_done, train::Configuration& configuration) {
  set(configuration, "fit.initial_epoch", std::to_string(epochs_done));
  set(configuration, "fit.epochs", std::to_string(epochs_done + fit.epochs));
  set(configuration, "fit.batch_size", std::to_string(fit.batch_size));
  if (fit.steps_per_epoch > 0) set(configuration, "fit.steps_per_epoch", std::to_string(fit.steps_per_epoch));
  set(configuration, "fit.shuffle", fit.shuffle ? "true" : "false");
  if (fit.validation_split > 0) set(configuration, "fit.validation_split", Json(fit.validation_split).dump());
  std::vector<std::string> weights;
  for (const auto& [label, weight] : fit.class_weight)
    weights.push_back(std::to_string(label) + ":" + Json(weight).dump());
  set(configuration, "fit.class_weight", joined(weights));
  for (const std::string& callback : fit.callbacks) configuration.add("fit.callback", {callback, kOrigin});
  set(configuration, "fit.verbose", std::to_string(fit.verbose));
  set(configuration, "run.seed", std::to_string(fit.seed));
  set(configuration, "checkpoint.path", fit.checkpoint);
  for (const auto& [key, text] : fit.further) set(configuration, key, text);
}

void add_sources(bool weighted, bool validates, train::Configuration& configuration) {
  set(configuration, "data.inputs", "x");
  set(configuration, "data.targets", "y");
  if (weighted) set(configuration, "data.sample_weight", "sample_weight");
  if (!validates) return;
  set(configuration, "data.validation_inputs", "validation_x");
  set(configuration, "data.validation_targets", "validation_y");
}

std::optional<Compile> compile_of(const checkpoint::Contents& contents) {
  if (!contents.training_config.is_object()) return std::nullopt;
  const checkpoint::KerasCompile keras = checkpoint::compile_from_keras(contents.training_config);
  if (keras.loss.is_null() || keras.optimizer.is_null()) return std::nullopt;
  Compile compile;
  compile.loss = text_of(keras.loss);
  compile.optimizer = text_of(keras.optimizer);
  for (const Json& metric : keras.metrics) compile.metrics.push_back(text_of(metric));
  for (const Json& metric : keras.weighted_metrics) compile.weighted_metrics.push_back(text_of(metric));
  return compile;
}

History history_of(comm::Session& session, const checkpoint::History& history) {
  Json packed = Json::array();
  for (const auto& [name, column] : history.columns) packed.push_back({name, column});
  const std::vector<std::uint8_t> mine = Json::to_cbor(packed);  // keeps every bit, NaN too
  const std::string bytes = session.broadcast_text(std::string(mine.begin(), mine.end()));
  History result;
  for (const Json& entry : Json::from_cbor(bytes.begin(), bytes.end())) {
    const auto values = entry[1].get<std::vector<double>>();
    if (entry[0] == "epoch") {
      result.epoch.assign(values.begin(), values.end());
    } else {
      result.columns.emplace_back(entry[0].get<std::string>(), values);
    }
  }
  return result;
}

}  // namespace nntrain::library

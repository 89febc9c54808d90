#include "checkpoint/keras.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace nntrain::checkpoint {

namespace {

/// Not in Keras, or among the objects that it cannot read back from a file of its own (3.15: Lamb and the
/// generalized crossentropy): with them in training_config, load_model would fail.
bool keras_lacks(const Json& spec) {
  constexpr std::array<std::string_view, 4> kOurs = {"LARS", "LAMB", "Perceptron",
                                                     "CategoricalGeneralizedCrossEntropy"};
  if (!spec.is_object()) return false;
  const std::string name = spec.value("class_name", "");
  return std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end();
}

/// Keras 3's serialized object: module and registered_name tell it where to look.
Json object(const std::string& module, const Json& spec) {
  Json config = Json::object();
  for (const auto& [key, value] : spec["config"].items()) {
    if (!value.is_null()) config[key] = value;  // Keras' defaults are None where we keep none
  }
  return {{"module", module},
          {"class_name", spec["class_name"]},
          {"config", config},
          {"registered_name", nullptr}};
}

Json metric_list(const std::vector<Json>& metrics) {
  if (metrics.empty()) return nullptr;
  Json list = Json::array();
  for (const Json& metric : metrics)
    list.push_back(metric.is_object() ? object("keras.metrics", metric) : metric);
  return list;
}

void collect_metrics(const Json& value, std::vector<Json>& metrics) {
  if (value.is_array()) {  // old files nest lists by output
    for (const Json& item : value) collect_metrics(item, metrics);
  } else if (!value.is_null() && !(value.is_object() && !value.contains("class_name"))) {
    metrics.push_back(value);
  }
}

}  // namespace

Json keras_training_config(const Json& loss, const Json& optimizer, const std::vector<Json>& metrics,
                           const std::vector<Json>& weighted_metrics) {
  const auto ours = [](const std::vector<Json>& specs) {
    return std::any_of(specs.begin(), specs.end(), keras_lacks);
  };
  if (keras_lacks(loss) || keras_lacks(optimizer) || ours(metrics) || ours(weighted_metrics)) return nullptr;
  Json optimizer_config = object("keras.optimizers", optimizer);
  Json& config = optimizer_config["config"];
  config["name"] = optimizer["class_name"];
  if (config.contains("learning_rate") && config["learning_rate"].is_object()) {
    config["learning_rate"] = object("keras.optimizers.schedules", config["learning_rate"]);
  }
  return {{"loss", object("keras.losses", loss)},
          {"metrics", metric_list(metrics)},
          {"weighted_metrics", metric_list(weighted_metrics)},
          {"loss_weights", nullptr},
          {"optimizer_config", optimizer_config}};
}

KerasCompile compile_from_keras(const Json& training_config) {
  KerasCompile compile;
  if (!training_config.is_object()) return compile;
  compile.loss = training_config.value("loss", Json());
  if (compile.loss.is_array()) compile.loss = compile.loss.size() == 1 ? Json(compile.loss[0]) : Json();
  if (compile.loss.is_object() && !compile.loss.contains("class_name")) compile.loss = nullptr;  // per output
  compile.optimizer = training_config.value("optimizer_config", Json());
  collect_metrics(training_config.value("metrics", Json()), compile.metrics);
  collect_metrics(training_config.value("weighted_metrics", Json()), compile.weighted_metrics);
  return compile;
}

}  // namespace nntrain::checkpoint

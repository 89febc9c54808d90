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

/// An argument that says what goes without saying. Some versions of Keras lack it (3.9 the axis of
/// crossentropies, 2.x the averages of its optimizers), and an argument that they do not know makes the whole
/// file unreadable.
bool goes_without_saying(const std::string& key, const Json& value, const Json& spec) {
  const Json &config = spec["config"], class_name = spec.value("class_name", Json());
  if (key == "axis")  // the losses of whole images sum over all of it, the others over the last
    return class_name == "Dice" || class_name == "Tversky" ? value.is_null() : value == -1;
  if (key == "reduction") return value == "sum_over_batch_size";
  if (key == "from_logits" || key == "from_sorted_ids" || key == "use_ema") return value == false;
  if (key == "label_smoothing") return value == 0;
  if (key == "ema_momentum" || key == "ema_overwrite_frequency")
    return config.value("use_ema", false) == false;
  return value.is_null();  // Keras' defaults are None where we keep none
}

/// Keras 3's serialized object: module and registered_name tell it where to look.
Json object(const std::string& module, const Json& spec) {
  Json config = Json::object();
  for (const auto& [key, value] : spec["config"].items()) {
    if (!goes_without_saying(key, value, spec)) config[key] = value;
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

/// The name in a wrapper's "fn": a text, or Keras' object of a function. "": there is none.
std::string function_name(const Json& config) {
  const Json fn = config.is_object() ? config.value("fn", Json()) : Json();
  if (fn.is_string()) return fn.get<std::string>();
  const Json name = fn.is_object() ? fn.value("config", Json()) : Json();
  return name.is_string() ? name.get<std::string>() : "";
}

/// TF 2 writes MeanMetricWrapper(fn) for a metric by name, LossFunctionWrapper(fn) for a loss by function,
/// and "fn" beside the arguments of built-in ones.
Json unwrapped(Json spec) {
  if (!spec.is_object() || !spec.contains("config") || !spec["config"].is_object()) return spec;
  Json& config = spec["config"];
  const std::string name =
      spec.value("class_name", Json()).is_string() ? spec["class_name"].get<std::string>() : "";
  const std::string fn = function_name(config);
  const bool wrapper = name.ends_with("Wrapper");
  if (wrapper && fn.empty()) return spec;
  if (wrapper) spec["class_name"] = fn;
  config.erase("fn");
  if (config.value("reduction", Json()) == "auto") config["reduction"] = "sum_over_batch_size";  // Keras 2
  if (wrapper && (fn == "accuracy" || fn == "acc")) return fn;
  return spec;
}

void collect_metrics(const Json& value, std::vector<Json>& metrics) {
  const bool by_output = value.is_object() && !value.contains("class_name");
  if (value.is_array() || by_output) {  // old files nest lists by output
    for (const Json& item : value) collect_metrics(item, metrics);
  } else if (!value.is_null()) {
    metrics.push_back(unwrapped(value));
  }
}

/// Of a value for each output, the only one; null when there are several.
Json of_only_output(const Json& value) {
  const bool by_output = value.is_array() || (value.is_object() && !value.contains("class_name"));
  if (!by_output) return value;
  return value.size() == 1 ? value.front() : Json();
}

/// Keras 2's spelling of an optimizer in today's: `lr`, `decay`, and what concerns TensorFlow alone.
Json modern_optimizer(Json optimizer) {
  if (!optimizer.is_object() || !optimizer.contains("config") || !optimizer["config"].is_object())
    return optimizer;
  Json& config = optimizer["config"];
  for (const char* key : {"jit_compile", "is_legacy_optimizer", "iterations", "build_config"})
    config.erase(key);
  if (config.contains("lr") && !config.contains("learning_rate")) config["learning_rate"] = config["lr"];
  config.erase("lr");
  const Json decay = config.value("decay", Json());
  config.erase("decay");
  if (decay.is_number() && decay.get<double>() != 0 && config.value("learning_rate", Json()).is_number()) {
    config["learning_rate"] = {
        {"class_name", "InverseTimeDecay"},
        {"config",
         {{"initial_learning_rate", config["learning_rate"]}, {"decay_steps", 1}, {"decay_rate", decay}}}};
  }
  return optimizer;
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

Json without_what_goes_without_saying(Json training_config) {
  if (!training_config.is_object()) return training_config;
  const auto trim = [](Json& spec) {
    if (!spec.is_object() || !spec.contains("config") || !spec["config"].is_object()) return;
    Json config = Json::object();
    for (const auto& [key, value] : spec["config"].items()) {
      if (!goes_without_saying(key, value, spec)) config[key] = value;
    }
    spec["config"] = std::move(config);
  };
  for (const char* one : {"loss", "optimizer_config"}) {
    if (training_config.contains(one)) trim(training_config[one]);
  }
  for (const char* list : {"metrics", "weighted_metrics"}) {
    if (!training_config.contains(list) || !training_config[list].is_array()) continue;
    for (Json& metric : training_config[list]) trim(metric);
  }
  return training_config;
}

KerasCompile compile_from_keras(const Json& training_config) {
  KerasCompile compile;
  if (!training_config.is_object()) return compile;
  compile.loss = unwrapped(of_only_output(training_config.value("loss", Json())));
  compile.loss_weights = of_only_output(training_config.value("loss_weights", Json()));
  compile.optimizer = modern_optimizer(training_config.value("optimizer_config", Json()));
  collect_metrics(training_config.value("metrics", Json()), compile.metrics);
  collect_metrics(training_config.value("weighted_metrics", Json()), compile.weighted_metrics);
  return compile;
}

}  // namespace nntrain::checkpoint

// model_config of Keras files, both ways (keras/src/models/sequential.py; docs/checkpoint-format.md).

#include "core/error.h"
#include "nn/layers/input_layer.h"
#include "nn/model/sequential.h"

namespace nntrain::nn {

namespace {

/// Arguments that some version of Keras writes and that say nothing here while they have this value.
struct Harmless {
  const char* key;
  Json value;
};

/// Drops what Keras adds for itself, so that the registry sees a layer's own arguments, and brings old
/// spellings up to date. What is left and unknown, the registry refuses.
Json cleaned(const Json& layer, const std::string& name) {
  Json config = layer["config"];
  for (const char* key :
       {"batch_input_shape", "batch_shape", "input_shape", "input_dtype", "build_input_shape", "fused"}) {
    config.erase(key);
  }
  if (name != "Embedding") config.erase("input_dim");
  if (name == "Embedding") {
    config.erase("input_length");  // Keras 2
    if (config.value("activity_regularizer", Json()).is_null()) config.erase("activity_regularizer");
  }
  if (name == "IntegerLookup" || name == "StringLookup") config.erase("vocabulary_size");  // Keras counts it
  static const std::vector<Harmless> kHarmless = {{"sparse", false},
                                                  {"ragged", false},
                                                  {"optional", false},
                                                  {"synchronized", true},
                                                  {"synchronized", false},
                                                  {"renorm", false},
                                                  {"renorm_clipping", nullptr},
                                                  {"renorm_momentum", 0.99},
                                                  {"rms_scaling", false},
                                                  {"virtual_batch_size", nullptr},
                                                  {"adjustment", nullptr}};
  for (const auto& [key, value] : kHarmless) {
    if (config.contains(key) && (config[key] == value || config[key].is_null())) config.erase(key);
  }
  for (auto& [key, value] : config.items()) {  // Keras 3.15 writes these into initializers
    if (!value.is_object() || !value.contains("config") || !value["config"].is_object()) continue;
    for (const char* axes : {"input_axes", "output_axes"}) {
      if (value["config"].value(axes, Json()).is_null()) value["config"].erase(axes);
    }
  }
  if (name == "LeakyReLU" && config.contains("alpha") && !config.contains("negative_slope")) {  // Keras 2
    config["negative_slope"] = config["alpha"];
    config.erase("alpha");
  }
  return {{"class_name", name}, {"config", config}};
}

const Json& checked_layer(const Json& layer, std::size_t position) {
  const std::string where = "model_config: layer " + std::to_string(position + 1);
  if (!layer.is_object() || !layer.contains("class_name")) throw InputError(where + " has no class_name");
  if (!layer["class_name"].is_string()) throw InputError(where + ": class_name is no text");
  if (!layer.contains("config") || !layer["config"].is_object()) throw InputError(where + " has no config");
  return layer;
}

std::string text_or(const Json& object, const char* key, const std::string& otherwise) {
  const Json value = object.is_object() ? object.value(key, Json()) : Json();
  return value.is_string() ? value.get<std::string>() : otherwise;
}

}  // namespace

Architecture architecture_from_keras(const Json& model_config) {
  if (!model_config.is_object() || !model_config.contains("config"))
    throw InputError("model_config is no Keras model");
  const std::string kind = text_or(model_config, "class_name", "Sequential");
  if (kind != "Sequential") {
    throw InputError("the file holds a " + kind +
                     " model; only Sequential is supported: rebuild it with keras.Sequential in Keras");
  }
  const Json& config = model_config["config"];
  Architecture architecture;
  architecture.name = text_or(config, "name", "sequential");
  const Json layers =
      config.is_object() ? config.value("layers", Json()) : config;  // a list: Keras up to 2.2
  if (!layers.is_array()) throw InputError("model_config: the Sequential model has no list of layers");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Json& layer = checked_layer(layers[i], i);
    if (architecture.layers.empty() && !architecture.has_input) {
      if (const std::optional<Shape> shape = declared_input_shape(layer["config"])) {
        architecture.input = *shape;
        architecture.has_input = true;
      }
    }
    if (is_input(layer)) {
      if (architecture.has_input && layer["config"].value("dtype", Json()) == "string")
        architecture.layers.push_back(
            {{"class_name", "Input"},
             {"config", {{"shape", architecture.input.extents()}, {"dtype", "string"}}}});
      continue;
    }
    try {
      architecture.layers.push_back(
          nn::layers().canonical(cleaned(layer, detail::spec_name("layer", layer))));
    } catch (const InputError& error) {
      throw InputError("model_config, layer " + std::to_string(i + 1) + " (" +
                       text_or(layer["config"], "name", "unnamed") + "): " + error.what());
    }
  }
  if (!architecture.has_input && config.is_object() && config.value("build_input_shape", Json()).is_array()) {
    architecture.input = *declared_input_shape({{"batch_shape", config["build_input_shape"]}});
    architecture.has_input = true;
  }
  return architecture;
}

namespace {

const Signature& signature_of(const Layer& layer) {
  for (const Signature* signature : layers().signatures()) {
    if (signature->class_name == layer.spec()["class_name"]) return *signature;
  }
  throw RuntimeError("internal: a layer that no registry made");
}

/// Arguments that have no meaning here (they can only hold their default) would trouble the versions of Keras
/// that do not know them, and so would None where it is the default.
bool is_written(const Parameter& parameter, const Json& value) {
  for (const char* only_default : {"noise_shape", "lora_rank", "lora_alpha", "quantization_config", "renorm",
                                   "renorm_clipping", "renorm_momentum", "synchronized"}) {
    if (parameter.name == only_default) return false;
  }
  for (const char* unknown_to_some : {"oov_method", "sparse"}) {  // to 3.9; to 3.0's CategoryEncoding
    if (parameter.name == unknown_to_some && value == parameter.default_value) return false;
  }
  return !(value.is_null() && parameter.default_value.is_null());
}

/// A layer as an activation (LeakyReLU(0.1)) needs its module; names and the other objects do not. Keras 3.0
/// to 3.3 have no class "Orthogonal", and every version takes its name.
Json for_keras(const Parameter& parameter, const Json& value) {
  if (!value.is_object() || !value.contains("class_name")) return value;
  if (value["class_name"] == "Orthogonal") return {{"class_name", "orthogonal"}, {"config", value["config"]}};
  if (parameter.name != "activation") return value;  // Identity is an initializer, too
  for (const Signature* layer : layers().signatures()) {
    if (value["class_name"] != layer->class_name) continue;
    return {{"module", "keras.layers"},
            {"class_name", layer->class_name},
            {"config", value["config"]},
            {"registered_name", nullptr}};
  }
  return value;
}

/// Keras 2 knows LeakyReLU's slope as alpha alone; Keras 3 takes this word, too.
std::string written_name(const Layer& layer, const Parameter& parameter) {
  return layer.spec()["class_name"] == "LeakyReLU" && parameter.name == "negative_slope" ? "alpha"
                                                                                         : parameter.name;
}

/// What every layer's entry has, as its class in Keras takes it.
Json common_config(const Layer& layer) {
  const Json& kind = layer.spec()["class_name"];
  Json config = {{"name", layer.name()}, {"trainable", layer.trainable()}, {"dtype", "float32"}};
  if (kind == "Discretization") config.erase("trainable");
  if (kind == "Hashing" && layer.spec()["config"]["output_mode"] == "int") config["dtype"] = "int64";
  return config;
}

/// Keras' legacy loader drops an axis that is a list of several (newest), or any (3.0 to 3.3), in silence; of
/// a layer with its module, the loader of the newer format keeps every axis.
bool needs_module(const Json& config) { return config.contains("axis") && config["axis"] != -1; }

}  // namespace

Json Sequential::config() const {
  Json batch_shape = Json::array({nullptr});
  for (const std::int64_t extent : input_shape().extents()) batch_shape.push_back(extent);
  Json list = Json::array();
  list.push_back({{"class_name", "InputLayer"},
                  {"config",
                   {{"batch_input_shape", batch_shape},
                    {"dtype", takes_text() ? "string" : "float32"},
                    {"name", "input_1"}}}});
  for (const auto& layer : layers()) {
    Json config = common_config(*layer);
    const Signature& signature = signature_of(*layer);
    for (const Parameter& parameter : signature.parameters) {
      const Json& value = layer->spec()["config"][parameter.name];
      const bool common = parameter.name == "trainable" || config.contains(parameter.name);
      if (!common && is_written(parameter, value))
        config[written_name(*layer, parameter)] = for_keras(parameter, value);
    }
    Json entry = {{"class_name", layer->spec()["class_name"]}, {"config", config}};
    if (needs_module(config)) {
      entry["module"] = "keras.layers";
      entry["registered_name"] = nullptr;
    }
    list.push_back(std::move(entry));
  }
  return {{"class_name", "Sequential"}, {"config", {{"name", name()}, {"layers", list}}}};
}

}  // namespace nntrain::nn

// model_config of Keras files, both ways (keras/src/models/sequential.py; docs/checkpoint-format.md).

#include "nntrain/core/error.h"
#include "nntrain/nn/sequential.h"

namespace nntrain::nn {

namespace {

/// batch_input_shape (Keras 2), batch_shape (Keras 3), shape or input_shape -> the sample's shape.
bool input_shape_of(const Json& config, Shape& shape) {
  for (const char* key : {"batch_input_shape", "batch_shape", "shape", "input_shape"}) {
    if (!config.contains(key) || config[key].is_null()) continue;
    Json extents = config[key];
    if (extents.is_number_integer()) extents = Json::array({extents});
    if (!extents.is_array()) throw InputError("model_config: " + std::string(key) + " is no list: " + extents.dump());
    const bool with_batch = std::string(key).find("batch") != std::string::npos;
    std::vector<std::int64_t> sample;
    for (std::size_t i = with_batch ? 1 : 0; i < extents.size(); ++i) {
      if (!extents[i].is_number_integer() || extents[i].get<std::int64_t>() < 1) {
        throw InputError("model_config: the input shape " + extents.dump() + " has an unknown extent; only the batch may be open");
      }
      sample.push_back(extents[i].get<std::int64_t>());
    }
    shape = Shape(sample);
    return true;
  }
  return false;
}

/// Drops what Keras adds for itself, so that the registry sees a layer's own arguments.
Json cleaned(const Json& layer) {
  Json config = layer.value("config", Json::object());
  for (const char* key : {"batch_input_shape", "batch_shape", "input_shape", "sparse", "ragged", "optional", "build_input_shape",
                          "synchronized", "renorm", "virtual_batch_size", "fused", "input_dim", "input_dtype"}) {
    config.erase(key);
  }
  for (auto& [key, value] : config.items()) {  // Keras 3.15 writes these into initializers
    if (!value.is_object() || !value.contains("config") || !value["config"].is_object()) continue;
    value["config"].erase("input_axes");
    value["config"].erase("output_axes");
  }
  if (config.value("rms_scaling", Json()) == false) config.erase("rms_scaling");
  if (config.contains("data_format") && config["data_format"] == "channels_last") config.erase("data_format");
  return {{"class_name", layer["class_name"]}, {"config", config}};
}

}  // namespace

Architecture architecture_from_keras(const Json& model_config) {
  if (!model_config.is_object() || !model_config.contains("config")) throw InputError("model_config is no Keras model");
  const std::string kind = model_config.value("class_name", "Sequential");
  if (kind != "Sequential") {
    throw InputError("the file holds a " + kind + " model; only Sequential is supported: rebuild it with keras.Sequential in Keras");
  }
  const Json& config = model_config["config"];
  Architecture architecture;
  architecture.name = config.is_object() ? config.value("name", "sequential") : "sequential";
  const Json layers = config.is_array() ? config : config.value("layers", Json::array());
  for (const Json& layer : layers) {
    if (!layer.is_object() || !layer.contains("class_name")) throw InputError("model_config: a layer without class_name");
    Json own = layer.value("config", Json::object());
    if (layer.contains("args") && !layer["args"].empty() && !own.contains("shape")) own["shape"] = layer["args"][0];
    Shape shape;
    if (architecture.layers.empty() && !architecture.has_input && input_shape_of(own, shape)) {
      architecture.input = shape;
      architecture.has_input = true;
    }
    const std::string name = detail::spec_name("layer", layer);
    if (name == "InputLayer" || name == "Input") continue;
    architecture.layers.push_back(nn::layers().canonical(cleaned(layer)));
  }
  return architecture;
}

Json Sequential::config() const {
  Json batch_shape = Json::array({nullptr});
  for (const std::int64_t extent : input_shape().extents()) batch_shape.push_back(extent);
  Json list = Json::array();
  list.push_back({{"class_name", "InputLayer"},
                  {"config", {{"batch_input_shape", batch_shape}, {"dtype", "float32"}, {"name", "input_1"}}}});
  for (const auto& layer : layers()) {
    Json config = {{"name", layer->name()}, {"trainable", layer->trainable()}, {"dtype", "float32"}};
    for (const auto& [key, value] : layer->spec()["config"].items()) {
      // None is Keras' own default wherever we keep null; leaving it out spares files that Keras 2 does not know.
      if (!value.is_null() && !config.contains(key)) config[key] = value;
    }
    list.push_back({{"class_name", layer->spec()["class_name"]}, {"config", config}});
  }
  return {{"class_name", "Sequential"}, {"config", {{"name", name()}, {"layers", list}}}};
}

}  // namespace nntrain::nn

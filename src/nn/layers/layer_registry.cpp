#include "nn/layers/layer_registry.h"

#include "core/call.h"
#include "nn/activations/activation.h"

namespace nntrain::nn {

namespace {

/// Functions with arguments that are layers too. A Keras file keeps a function by its name alone, so one with
/// other arguments than its own defaults is kept as that layer.
constexpr std::pair<const char*, const char*> kFunctionsWithLayers[] = {
    {"relu", "ReLU"}, {"leaky_relu", "LeakyReLU"}, {"elu", "ELU"}};

std::string name_of_function(const std::string& name) {
  for (const auto& [function, layer] : kFunctionsWithLayers) {
    if (name == layer) return function;
  }
  return name;
}

/// None is "linear"; a name without arguments stays a name, as in Keras' files; the layers ReLU, ELU and
/// Softmax with their defaults are the functions of that name.
Json canonical_activation(const Json& spec) {
  if (spec.is_null()) return "linear";
  Json own = spec;
  if (own.is_object() && own.contains("config") && own["config"].is_object()) {
    for (const char* key : {"name", "trainable", "dtype"}) own["config"].erase(key);
    if (own["config"].value("axis", Json()) == -1) own["config"].erase("axis");
  }
  Json canonical = activations().canonical(own);
  const std::string name = canonical["class_name"].get<std::string>();
  const std::string function = name_of_function(name);
  if (canonical["config"] == activations().canonical(function)["config"]) return function;
  for (const auto& [known, layer] : kFunctionsWithLayers) {
    if (name == known) canonical["class_name"] = layer;
  }
  return canonical;
}

}  // namespace

Parameter activation_parameter() {
  return {"activation", Kind::kObject, nullptr, false, true, canonical_activation};
}

Parameter dtype_parameter() {
  return {"dtype", Kind::kObject, nullptr, false, true, [](const Json& dtype) -> Json {
            Json name = dtype;
            if (dtype.is_object() && dtype.contains("config") && dtype["config"].is_object()) {
              name = dtype["config"].value("name", Json());
            }
            if (name.is_null() || name == "float32") return nullptr;
            throw InputError("only float32 is supported, got " + format_call(dtype));
          }};
}

namespace {

void add_with_dtype(Registry<Layer>& registry, Signature signature, Parameter dtype,
                    std::function<std::unique_ptr<Layer>(const Json&)> make) {
  signature.parameters.push_back({"name", Kind::kText, nullptr, false, true});
  signature.parameters.push_back({"trainable", Kind::kBoolean, true});
  signature.parameters.push_back(std::move(dtype));
  registry.add(std::move(signature), [make](const Json& config) {
    std::unique_ptr<Layer> layer = make(config);
    if (config["name"].is_string()) layer->set_name(config["name"].get<std::string>());
    layer->set_trainable(config["trainable"].get<bool>());
    return layer;
  });
}

}  // namespace

void add_layer(Registry<Layer>& registry, Signature signature,
               std::function<std::unique_ptr<Layer>(const Json&)> make) {
  add_with_dtype(registry, std::move(signature), dtype_parameter(), std::move(make));
}

void add_preprocessing_layer(Registry<Layer>& registry, Signature signature,
                             std::function<std::unique_ptr<Layer>(const Json&)> make) {
  Parameter any = {"dtype", Kind::kAny, nullptr, false, true, [](const Json&) -> Json { return nullptr; }};
  add_with_dtype(registry, std::move(signature), std::move(any), std::move(make));
}

Registry<Layer>& layers() {
  static Registry<Layer> registry = [] {
    Registry<Layer> made("layer");
    add_input(made);
    add_dense(made);
    add_shape_layers(made);
    add_activation_layers(made);
    add_prelu(made);
    add_rescaling(made);
    add_random_layers(made);
    add_batch_normalization(made);
    add_layer_normalization(made);
    add_normalization(made);
    add_activity_regularization(made);
    add_group_normalization(made);
    add_embedding(made);
    add_category_layers(made);
    add_integer_lookup(made);
    add_string_lookup(made);
    refuse_layers(made);
    return made;
  }();
  return registry;
}

}  // namespace nntrain::nn

#include "checkpoint/flat_model.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "core/error.h"
#include "core/registry.h"

namespace nntrain::checkpoint {

namespace {

constexpr int kDeepestModel = 16;

/// Null where there is none, and where `object` is no object.
Json member(const Json& object, const char* key) {
  return object.is_object() ? object.value(key, Json()) : Json();
}

std::string text_at(const Json& object, const char* key, const std::string& otherwise) {
  const Json value = member(object, key);
  return value.is_string() ? value.get<std::string>() : otherwise;
}

bool is_functional(const std::string& kind) { return kind == "Functional" || kind == "Model"; }
bool is_model(const std::string& kind) { return kind == "Sequential" || is_functional(kind); }
bool is_input(const std::string& kind) { return kind == "InputLayer" || kind == "Input"; }

std::string layer_name(const Json& layer) {
  const Json config = member(layer, "config");
  return text_at(config, "name", text_at(layer, "name", ""));
}

/// The name of a layer's group in a .weights.h5: keras/src/utils/naming.py, to_snake_case.
std::string snake_case(const std::string& class_name) {
  const auto upper = [&](std::size_t i) {
    return i < class_name.size() && std::isupper(static_cast<unsigned char>(class_name[i]));
  };
  const auto lower = [&](std::size_t i) {
    return i < class_name.size() && std::islower(static_cast<unsigned char>(class_name[i]));
  };
  std::string snake;
  for (std::size_t i = 0; i < class_name.size(); ++i) {
    const bool word = i > 0 && upper(i) && lower(i + 1), edge = i > 0 && upper(i) && lower(i - 1);
    if (word || edge) snake += '_';
    snake += class_name[i];
  }
  std::transform(snake.begin(), snake.end(), snake.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return snake;
}

/// One functional model: which layer feeds which.
class Chain {
 public:
  Chain(const Json& config, const std::string& model) : config_(config), model_(model) {}

  /// The layers in the order in which a sample passes them.
  std::vector<Json> layers() {
    const Json list = member(config_, "layers");
    if (!list.is_array())
      throw InputError("model_config: the model \"" + model_ + "\" has no list of layers");
    std::map<std::string, Json> by_name;
    for (const Json& layer : list) {
      if (!layer.is_object()) throw InputError("model_config: a layer of \"" + model_ + "\" is no object");
      const std::string name = text_at(layer, "name", layer_name(layer));
      if (!by_name.emplace(name, layer).second)
        throw InputError("model_config: the layer \"" + name + "\" is there twice");
    }
    only_name("input_layers", "inputs");
    std::vector<Json> chain;
    std::string name = only_name("output_layers", "outputs");
    std::set<std::string> seen;
    while (!name.empty()) {
      const auto found = by_name.find(name);
      if (found == by_name.end() || !seen.insert(name).second)
        throw InputError("model_config: the layers of \"" + model_ + "\" do not form a chain at \"" + name +
                         "\"");
      chain.push_back(found->second);
      name = source_of(found->second, name);
    }
    for (const auto& [other, layer] : by_name) {
      if (seen.contains(other)) continue;
      throw InputError(
          "the layer \"" + other + "\" of the functional model \"" + model_ +
          "\" lies beside the chain from its input to its output; only a single chain of layers is "
          "supported");
    }
    std::reverse(chain.begin(), chain.end());
    return chain;
  }

 private:
  /// ["dense", 0, 0], or a list of one such.
  std::string only_name(const char* key, const char* what) const {
    Json tensors = config_.value(key, Json());
    if (tensors.is_array() && !tensors.empty() && tensors[0].is_array()) {
      if (tensors.size() > 1)
        throw InputError("the functional model \"" + model_ + "\" has " + std::to_string(tensors.size()) +
                         " " + what + "; only a single chain of layers is supported");
      tensors = tensors[0];
    }
    if (!tensors.is_array() || tensors.empty() || !tensors[0].is_string())
      throw InputError("model_config: the model \"" + model_ + "\" has no " + key);
    return tensors[0].get<std::string>();
  }

  /// Names of all tensors in a node's arguments, as Keras 3 writes them.
  static void collect(const Json& value, std::vector<std::string>& names) {
    if (value.is_object() && text_at(value, "class_name", "") == "__keras_tensor__") {
      const Json history = member(member(value, "config"), "keras_history");
      names.push_back(history.is_array() && !history.empty() && history[0].is_string()
                          ? history[0].get<std::string>()
                          : "");
    } else if (value.is_structured()) {
      for (const Json& item : value) collect(item, names);
    }
  }

  static void check_arguments(const Json& arguments, const std::string& name) {
    if (!arguments.is_object()) return;
    for (const auto& [key, value] : arguments.items()) {
      if (value.is_null() || (key == "training" && value == false)) continue;
      throw InputError("the layer \"" + name + "\" is called with the argument \"" + key +
                       "\", which a Sequential model cannot do");
    }
  }

  /// The layer before `layer`; "" for an input.
  std::string source_of(const Json& layer, const std::string& name) const {
    const Json nodes = member(layer, "inbound_nodes");
    if (!nodes.is_array() || nodes.empty()) {
      if (is_input(text_at(layer, "class_name", ""))) return "";
      throw InputError("model_config: the layer \"" + name + "\" has no input");
    }
    if (nodes.size() > 1)
      throw InputError("the layer \"" + name + "\" is used " + std::to_string(nodes.size()) +
                       " times (shared); only a single chain of layers is supported");
    std::vector<std::string> sources;
    const Json& node = nodes[0];
    if (node.is_object()) {  // Keras 3
      collect(node.value("args", Json()), sources);
      check_arguments(node.value("kwargs", Json()), name);
    } else if (node.is_array() && !node.empty()) {  // Keras 2: [["input_1", 0, 0, {}]]
      for (const Json& tensor : node[0].is_string() ? Json::array({node}) : node) {
        if (!tensor.is_array() || tensor.empty() || !tensor[0].is_string()) continue;
        sources.push_back(tensor[0].get<std::string>());
        if (tensor.size() > 3) check_arguments(tensor[3], name);
      }
    }
    if (sources.size() != 1 || sources[0].empty())
      throw InputError("the layer \"" + name + "\" has " + std::to_string(sources.size()) +
                       " inputs; only a single chain of layers is supported");
    return sources[0];
  }

  const Json& config_;
  const std::string& model_;
};

class Flattener {
 public:
  FlatModel model;

  void add(const Json& model_config, const std::string& outer, const std::string& store, int depth) {
    if (depth > kDeepestModel) throw InputError("model_config: models are nested too deeply");
    const std::string kind = detail::spec_name("model", model_config);
    if (!is_model(kind)) {
      throw InputError("the file holds a model of the class " + kind +
                       "; only keras.Sequential and functional models of one chain are supported");
    }
    const Json config = model_config.value("config", Json());
    const std::string name = text_at(config, "name", "sequential");
    std::vector<Json> layers;
    if (is_functional(kind)) {
      layers = Chain(config, name).layers();
    } else {
      const Json list =
          config.is_object() ? config.value("layers", Json()) : config;  // a list: Keras up to 2.2
      if (!list.is_array()) throw InputError("model_config: the Sequential model has no list of layers");
      layers.assign(list.begin(), list.end());
    }
    std::map<std::string, int> groups;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const Json& layer = layers[i];
      const std::string where = "model_config: layer " + std::to_string(i + 1);
      if (!layer.is_object() || !layer.contains("class_name")) throw InputError(where + " has no class_name");
      if (!layer["class_name"].is_string()) throw InputError(where + ": class_name is no text");
      if (!layer.contains("config") || !layer["config"].is_structured())
        throw InputError(where + " has no config");
      add_layer(layer, outer, store, groups, depth);
    }
    if (config.is_object() && list_.empty() == false && !has_input_) keep_build_shape(config);
    if (depth == 0) finish(name, config);
  }

 private:
  void add_layer(const Json& layer, const std::string& outer, const std::string& store,
                 std::map<std::string, int>& groups, int depth) {
    const std::string kind = class_of(layer);
    const std::string name = layer_name(layer);
    if (is_input(kind)) {
      if (list_.empty()) {
        list_.push_back(layer);
        has_input_ = true;
      }
      return;
    }
    std::string group = snake_case(kind);
    const int used = groups[group]++;
    if (used > 0) group += "_" + std::to_string(used);
    const std::string place = store + "/" + group;
    const std::string top = depth == 0 ? name : outer;
    if (is_model(kind)) {
      add(layer, top, place + "/layers", depth + 1);
      return;
    }
    if (!layer["config"].is_object())
      throw InputError("model_config: the layer \"" + name + "\" has no config");
    Json own = layer;
    own.erase("inbound_nodes");
    std::string unique = name;
    for (int k = 1; !unique.empty() && !names_.insert(unique).second; ++k)
      unique = (top == name ? name : top + "_" + name) + (k == 1 ? "" : "_" + std::to_string(k));
    if (unique != name) own["config"]["name"] = unique;
    list_.push_back(own);
    model.layers.push_back({unique, name, top, place, own});
  }

  static std::string class_of(const Json& layer) {
    try {
      return detail::spec_name("layer", layer);
    } catch (const InputError& error) {
      throw InputError("model_config, layer \"" + layer_name(layer) + "\": " + error.what());
    }
  }

  /// A Sequential model without an Input keeps the shape that it was built with.
  void keep_build_shape(const Json& config) {
    const Json shape = member(config, "build_input_shape");
    if (shape.is_array()) build_shape_ = shape;
  }

  void finish(const std::string& name, const Json& config) {
    model.config = {{"class_name", "Sequential"}, {"config", {{"name", name}, {"layers", list_}}}};
    const Json shape = config.is_object() ? config.value("build_input_shape", build_shape_) : build_shape_;
    if (shape.is_array()) model.config["config"]["build_input_shape"] = shape;
  }

  Json list_ = Json::array();
  Json build_shape_;
  bool has_input_ = false;
  std::set<std::string> names_;
};

}  // namespace

FlatModel flat_model(const Json& model_config) {
  if (!model_config.is_object() || !model_config.contains("config"))
    throw InputError("model_config is no Keras model");
  Json whole = model_config;
  if (!whole.contains("class_name")) whole["class_name"] = "Sequential";
  Flattener flattener;
  flattener.add(whole, "", "layers", 0);
  return std::move(flattener.model);
}

FlatModel flat_model(const std::string& path, const Json& model_config) {
  try {
    return flat_model(model_config);
  } catch (const InputError& error) {
    throw InputError("\"" + path + "\": " + error.what());
  }
}

FlatModel flat_model_of(const std::vector<Json>& layers) {
  Json list = Json::array();
  for (const Json& layer : layers) {
    Json config = layer.is_object() ? layer.value("config", Json::object()) : Json::object();
    list.push_back({{"class_name", detail::spec_name("layer", layer)}, {"config", std::move(config)}});
  }
  return flat_model({{"class_name", "Sequential"}, {"config", {{"name", "sequential"}, {"layers", list}}}});
}

Json parse_json(const std::string& path, const std::string& what, const std::string& text) {
  return nntrain::parse_json(text, "\"" + path + "\": " + what);
}

}  // namespace nntrain::checkpoint

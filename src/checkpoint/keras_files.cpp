// Files that Keras writes: keras/src/legacy/saving/legacy_h5_format.py, keras/src/saving/saving_lib.py.

#include "checkpoint/keras_files.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "checkpoint/keras_optimizer.h"
#include "core/error.h"
#include "core/registry.h"
#include "io/input_file.h"
#include "io/zip_archive.h"

namespace nntrain::checkpoint {

namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 40;
constexpr std::int64_t kMostJsonBytes = std::int64_t{256} << 20;

/// "sequential/dense/kernel:0" -> {"sequential/dense", "kernel"}.
std::pair<std::string, std::string> split_name(const std::string& weight) {
  const std::size_t slash = weight.find_last_of('/');
  std::string name = slash == std::string::npos ? weight : weight.substr(slash + 1);
  return {slash == std::string::npos ? "" : weight.substr(0, slash), name.substr(0, name.find(':'))};
}

bool is_state(const std::string& name) {
  return name == "moving_mean" || name == "moving_variance" || name == "mean" || name == "variance" ||
         name == "count";
}

bool is_frozen(const FlatLayer& layer) {
  return layer.spec["config"].value("trainable", Json(true)) == false;
}

/// Which of the weights' names belong to a path that is, or ends in, a layer's:
/// "sequential/inner/dense/kernel:0" is found at "dense", "inner/dense" and "sequential/inner/dense". In
/// order.
std::unordered_map<std::string, std::vector<std::size_t>> places_by_ending(
    const std::vector<std::string>& names) {
  std::unordered_map<std::string, std::vector<std::size_t>> places;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string parent = split_name(names[i]).first;
    places[parent].push_back(i);
    for (std::size_t slash = parent.find('/'); slash != std::string::npos;
         slash = parent.find('/', slash + 1))
      places[parent.substr(slash + 1)].push_back(i);
  }
  return places;
}

WeightArray read_array(const std::string& path, io::Hdf5Dataset dataset, const std::string& layer,
                       const std::string& name, Unread* unread = nullptr) {
  if (dataset.info().type == io::Hdf5Type::kOther && dataset.info().element_bytes == 2) {
    throw InputError(
        dataset.name() + ", layer \"" + layer +
        "\", holds 2-byte elements that are no numbers of HDF5: bfloat16 weights; only float32 models "
        "are supported, cast it in Keras (load, set the dtype policy to float32, save)");
  }
  if (dataset.info().shape.size() > kMostElements)
    throw InputError("\"" + path + "\": " + dataset.name() + " is absurdly large");
  WeightArray array{layer, name, dataset.info().shape, !is_state(name), {}};
  if (unread == nullptr) {
    array.values = dataset.read_all<float>();
  } else {
    unread->push_back(std::move(dataset));
  }
  return array;
}

/// Names of a layer's weights in Keras' order (layer.weights), for stores, which only number them.
std::vector<std::string> weight_names(const FlatLayer& layer) {
  const std::string kind = detail::spec_name("layer", layer.spec);
  const Json& config = layer.spec["config"];
  const auto on = [&](const char* key) { return config.value(key, Json(true)) != false; };
  std::vector<std::string> names;
  if (kind == "Embedding") {
    names = {"embeddings"};
  } else if (kind == "Dense") {
    names = {"kernel"};
    if (on("use_bias")) names.push_back("bias");
  } else if (kind == "PReLU") {
    names = {"alpha"};
  } else if (kind == "Normalization") {
    names = {"mean", "variance", "count"};
  } else if (kind == "RMSNormalization") {
    names = {"scale"};
  } else if (kind == "BatchNormalization" || kind == "LayerNormalization" || kind == "GroupNormalization") {
    if (on("scale")) names.push_back("gamma");
    if (on("center")) names.push_back("beta");
    if (kind == "BatchNormalization") names.insert(names.end(), {"moving_mean", "moving_variance"});
  }
  return names;
}

/// "0", "1", ..., "10" in the order of the numbers.
std::vector<std::string> numbered(const io::Hdf5Group& group) {
  std::vector<std::pair<long, std::string>> found;
  for (const std::string& child : group.children()) {
    long number = -1;
    const auto [end, error] = std::from_chars(child.data(), child.data() + child.size(), number);
    if (error != std::errc() || end != child.data() + child.size())
      throw InputError(group.name() + " has the entry \"" + child + "\" where numbers are expected");
    found.emplace_back(number, child);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> names;
  for (auto& [number, name] : found) names.push_back(std::move(name));
  return names;
}

/// Groups below `group` that hold weights of layers; random layers keep their generators' state beside. Each
/// group once: sixty of them with two links each to the next one would be 2^60 paths.
void collect_stores(const io::Hdf5Group& group, const std::string& path, int depth,
                    std::set<std::string>& stores, std::unordered_set<std::uint64_t>& seen) {
  if (depth > 64) throw InputError(group.name() + " is nested too deeply");
  if (!seen.insert(group.address()).second)
    throw InputError(group.name() + " is there under another name, too");
  for (const std::string& child : group.children()) {
    if (child == "seed_generator" || group.kind(child) != io::Hdf5Kind::kGroup) continue;
    const io::Hdf5Group inner = group.group(child);
    if (child == "vars") {
      if (!inner.children().empty()) stores.insert(path);
    } else {
      collect_stores(inner, path + "/" + child, depth + 1, stores, seen);
    }
  }
}

std::vector<double> numbers_of(const io::Hdf5Dataset& dataset) { return dataset.read_all<double>(); }

}  // namespace

std::vector<WeightArray> read_legacy_weights(const std::string& path, const io::Hdf5Group& group,
                                             const FlatModel& model, std::vector<std::string>& layer_names,
                                             Unread* unread) {
  layer_names = group.read_texts("layer_names");
  std::set<std::string> seen;
  std::vector<WeightArray> weights;
  std::unordered_map<std::string_view, std::vector<const FlatLayer*>> inside_of;
  for (const FlatLayer& layer : model.layers) inside_of[layer.outer].push_back(&layer);
  for (const std::string& outer : layer_names) {
    if (!seen.insert(outer).second)
      throw InputError("\"" + path + "\" names the layer \"" + outer + "\" twice");
    if (!group.has(outer)) continue;
    const io::Hdf5Group layer_group = group.group(outer);
    if (!layer_group.has_texts("weight_names")) continue;
    const std::vector<const FlatLayer*>& inside = inside_of[outer];
    const std::vector<std::string> names = layer_group.read_texts("weight_names");
    if (inside.size() < 2) {
      const bool nested = !inside.empty() && inside[0]->inner != outer;
      for (const std::string& name : names) {
        weights.push_back(read_array(path, layer_group.dataset(name), nested ? inside[0]->name : outer,
                                     split_name(name).second, unread));
        if (!inside.empty() && is_frozen(*inside[0])) weights.back().trainable = false;
      }
      continue;
    }
    // A model in the model: Keras lists the trainable weights of all its layers, then the others.
    std::vector<bool> taken(names.size(), false);
    const auto by_ending = places_by_ending(names);
    for (const FlatLayer* layer : inside) {
      const auto places = by_ending.find(layer->inner);
      if (places == by_ending.end()) continue;
      for (const std::size_t i : places->second) {
        if (taken[i]) continue;
        taken[i] = true;
        weights.push_back(read_array(path, layer_group.dataset(names[i]), layer->name,
                                     split_name(names[i]).second, unread));
        if (is_frozen(*layer)) weights.back().trainable = false;
      }
    }
    const auto left = std::find(taken.begin(), taken.end(), false);
    if (left != taken.end())
      throw InputError("\"" + path + "\": the weight \"" +
                       names[static_cast<std::size_t>(left - taken.begin())] +
                       "\" belongs to no layer of the nested model \"" + outer + "\"");
  }
  return weights;
}

std::vector<WeightArray> read_store_weights(const std::string& path, const io::Hdf5Group& root,
                                            const FlatModel& model) {
  // Keras 2.12's archives name the list of layers otherwise.
  const std::string top = root.has("layers") ? "layers" : "_layer_checkpoint_dependencies";
  std::set<std::string> stores;
  std::unordered_set<std::uint64_t> seen;
  if (root.has(top)) collect_stores(root.group(top), "layers", 0, stores, seen);
  std::vector<WeightArray> weights;
  for (const FlatLayer& layer : model.layers) {
    if (stores.erase(layer.store) == 0) continue;
    const io::Hdf5Group vars = root.group(top + layer.store.substr(6) + "/vars");
    const std::vector<std::string> names = weight_names(layer), numbers = numbered(vars);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      weights.push_back(
          read_array(path, vars.dataset(numbers[i]), layer.name, i < names.size() ? names[i] : numbers[i]));
      if (is_frozen(layer)) weights.back().trainable = false;
    }
  }
  if (!stores.empty())
    throw InputError("\"" + path + "\" holds weights in \"" + *stores.begin() +
                     "\", for which the model has no layer");
  return weights;
}

void read_optimizer(const io::Hdf5Group& root, const Json& optimizer, Contents& contents) {
  std::vector<OptimizerArray> arrays;
  const auto add = [&](const std::string& name, const io::Hdf5Dataset& dataset) {
    arrays.push_back({name, dataset.info().shape, numbers_of(dataset)});
  };
  if (root.has("optimizer_weights")) {
    const io::Hdf5Group group = root.group("optimizer_weights");
    if (!group.has_texts("weight_names")) return;
    for (const std::string& name : group.read_texts("weight_names")) add(name, group.dataset(name));
  } else if (root.has("optimizer/vars")) {
    const io::Hdf5Group group = root.group("optimizer/vars");
    for (const std::string& name : numbered(group)) add("", group.dataset(name));
  }
  take_optimizer_state(optimizer, std::move(arrays), contents);
}

namespace {

/// What an IntegerLookup or StringLookup (`text`) has learned by adapt() stands beside the configuration, a
/// word a line.
Json read_vocabulary(const io::ZipReader& archive, const std::string& path, const std::string& entry,
                     bool text) {
  Json words = Json::array();
  std::istringstream lines(archive.text(entry, kMostJsonBytes));
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (text) {
      words.push_back(line);
      continue;
    }
    std::int64_t word = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), word);
    if (error != std::errc() || end != line.data() + line.size())
      throw InputError(path + ": " + entry + " holds \"" + line + "\" where whole numbers are expected");
    words.push_back(word);
  }
  while (text && !words.empty() && words.back() == "") words.erase(words.end() - 1);  // as Keras
  return words;
}

void take_vocabularies(const io::ZipReader& archive, const std::string& path, const FlatModel& model,
                       Json& config) {
  for (const FlatLayer& layer : model.layers) {
    const std::string entry = "assets/" + layer.store + "/vocabulary.txt";
    const std::string kind = detail::spec_name("layer", layer.spec);
    if ((kind != "IntegerLookup" && kind != "StringLookup") || !archive.has(entry)) continue;
    for (Json& one : config["config"]["layers"]) {
      if (one["config"].value("name", Json()) == layer.name)
        one["config"]["vocabulary"] = read_vocabulary(archive, path, entry, kind == "StringLookup");
    }
  }
}

}  // namespace

Contents read_archive(const std::string& path) {
  const io::ZipReader archive(path);
  for (const char* entry : {"config.json", "model.weights.h5"}) {
    if (archive.has(entry)) continue;
    const bool sharded = archive.has("model.weights.json");
    throw InputError(
        "\"" + path + "\" is no Keras archive: it has no " + entry +
        (sharded ? " (its weights are cut into several files; save it in Keras without max_shard_size)"
                 : ""));
  }
  Contents contents;
  contents.origin = path;
  const Json config = parse_json(path, "config.json", archive.text("config.json", kMostJsonBytes));
  const FlatModel model = flat_model(path, config);
  contents.model_config = model.config;
  take_vocabularies(archive, path, model, contents.model_config);
  const Json compiled = config.value("compile_config", Json());
  if (compiled.is_object() && !compiled.empty()) {
    contents.training_config = compiled;
    contents.training_config["optimizer_config"] = compiled.value("optimizer", Json());
    contents.training_config.erase("optimizer");
  }
  for (const FlatLayer& layer : model.layers) contents.layer_names.push_back(layer.name);
  const io::MemoryFile weights = archive.file("model.weights.h5");
  const io::Hdf5File file = io::Hdf5File::open(weights.path(), path + ":model.weights.h5");
  contents.weights = read_store_weights(path, file.root(), model);
  if (contents.training_config.is_object())
    read_optimizer(file.root(), contents.training_config["optimizer_config"], contents);
  return contents;
}

Contents read_architecture(const std::string& path) {
  io::require_regular_file(path, "\"" + path + "\"");
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw InputError("cannot read \"" + path + "\": " + std::strerror(errno));
  if (static_cast<std::int64_t>(file.tellg()) > kMostJsonBytes)
    throw InputError("\"" + path + "\" is too large for a model's JSON");
  file.seekg(0);
  std::ostringstream text;
  text << file.rdbuf();
  Contents contents;
  contents.origin = path;
  contents.architecture_only = true;
  const Json config = parse_json(path, "the file", text.str());
  const FlatModel model = flat_model(path, config);
  contents.model_config = model.config;
  for (const FlatLayer& layer : model.layers) contents.layer_names.push_back(layer.name);
  return contents;
}

}  // namespace nntrain::checkpoint

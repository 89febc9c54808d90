// Keras' own formats: keras/src/saving/saving_lib.py (.keras, .weights.h5), keras/src/legacy/saving (.h5).

#include <algorithm>

#include "checkpoint/export_formats.h"
#include "checkpoint/flat_model.h"
#include "checkpoint/keras_optimizer.h"
#include "core/error.h"
#include "io/hdf5.h"
#include "io/zip_archive.h"

namespace nntrain::checkpoint {

namespace {

constexpr const char* kKerasVersion = "3.0.0";

/// Keras 3 looks an object up by its module.
Json with_module(const char* module, const Json& object) {
  return {{"module", module},
          {"class_name", object["class_name"]},
          {"config", object["config"]},
          {"registered_name", nullptr}};
}

/// Our model_config, which Keras 2 reads too, in the words of Keras 3.
Json keras3_model(const Exportable& what) {
  const Json& model = what.contents.model_config["config"];
  Json layers = Json::array();
  Json shape;
  std::size_t i = 0;
  for (const Json& layer : model["layers"]) {
    Json entry = with_module("keras.layers", layer);
    Json& config = entry["config"];
    if (config.contains("alpha") && layer["class_name"] == "LeakyReLU") {
      config["negative_slope"] = config["alpha"];
      config.erase("alpha");
    }
    if (layer["class_name"] == "InputLayer") {
      shape = config["batch_input_shape"];
      config.erase("batch_input_shape");
      config["batch_shape"] = shape;
    } else {
      Json built = Json::array({nullptr});
      for (const std::int64_t extent : what.shapes.at(i++).extents()) built.push_back(extent);
      entry["build_config"] = {{"input_shape", built}};
    }
    layers.push_back(std::move(entry));
  }
  return {
      {"module", "keras"},
      {"class_name", "Sequential"},
      {"config", {{"name", model["name"]}, {"trainable", true}, {"dtype", "float32"}, {"layers", layers}}},
      {"registered_name", nullptr},
      {"build_config", {{"input_shape", shape}}}};
}

Json compile_config(const Json& training_config) {
  Json compiled = training_config;
  compiled["optimizer"] = training_config["optimizer_config"];
  compiled.erase("optimizer_config");
  return compiled;
}

void write_array(io::Hdf5Group& group, const std::string& name, const WeightArray& weight) {
  group.write_dataset(name, weight.shape, weight.values);
}

/// A group "vars" with what it belongs to.
io::Hdf5Group make_vars(io::Hdf5Group& root, const std::string& place, const std::string& name) {
  io::Hdf5Group vars = root.create_group((place.empty() ? "" : place + "/") + "vars");
  vars.write_attribute("name", name);
  return vars;
}

void write_optimizer(io::Hdf5Group& root, const Contents& contents, Notes& notes) {
  if (!contents.training_config.is_object()) return;
  const Json& optimizer = contents.training_config["optimizer_config"];
  const std::vector<OptimizerArray> arrays = contents.optimizer.empty()
                                                 ? std::vector<OptimizerArray>{}
                                                 : keras_optimizer_arrays(optimizer, contents);
  if (arrays.empty()) {
    notes.push_back("the optimizer's state is left out; in Keras it starts as new");
    return;
  }
  io::Hdf5Group vars = make_vars(root, "optimizer", "optimizer");
  vars.write_dataset("0", Shape{}, std::vector<std::int64_t>{contents.state.iteration});
  for (std::size_t i = 1; i < arrays.size(); ++i) {
    vars.write_dataset(std::to_string(i), arrays[i].shape,
                       std::vector<float>(arrays[i].values.begin(), arrays[i].values.end()));
  }
}

void write_store(io::Hdf5File file, const Exportable& what, Notes& notes) {
  const Contents& contents = what.contents;
  {
    io::Hdf5Group root = file.root();
    root.write_attribute(kExportMarkKey, kExportMark);
    const FlatModel model = flat_model(contents.model_config);
    LayerWeights weights = weights_by_layer(contents.weights);
    for (const FlatLayer& layer : model.layers) {
      io::Hdf5Group vars = make_vars(root, layer.store, layer.name);
      int number = 0;
      for (const WeightArray* weight : weights[layer.name])
        write_array(vars, std::to_string(number++), *weight);
    }
    make_vars(root, "", model.config["config"]["name"].get<std::string>());
    write_optimizer(root, contents, notes);
  }
  file.close();
}

/// Of the weights: the room that is asked for before anything is written.
std::int64_t bytes_of(const Contents& contents) {
  std::int64_t bytes = 0;
  for (const WeightArray& weight : contents.weights)
    bytes += static_cast<std::int64_t>(weight.values.size() * sizeof(float));
  return bytes;
}

void note_training(const Contents& contents, Notes& notes) {
  if (!contents.training_config.is_object())
    notes.push_back("Keras has no such loss or optimizer: the file is not compiled");
}

}  // namespace

void export_weights(io::AtomicFile& file, const Exportable& what, Notes& notes) {
  write_store(io::Hdf5File::create(file, bytes_of(what.contents)), what, notes);
}

void export_keras(io::AtomicFile& file, const Exportable& what, Notes& notes) {
  note_training(what.contents, notes);
  Json config = keras3_model(what);
  if (what.contents.training_config.is_object())
    config["compile_config"] = compile_config(what.contents.training_config);
  const io::MemoryFile weights("model.weights.h5");
  write_store(io::Hdf5File::create(weights.path()), what, notes);
  io::ZipWriter archive(file.temporary_path());
  const Json metadata = {{"keras_version", kKerasVersion}, {"date_saved", "1980-01-01@00:00:00"}};
  archive.add("metadata.json", metadata.dump());
  archive.add("config.json", config.dump());
  archive.add_file("model.weights.h5", weights.path());
  archive.finish(kExportMark);
}

void export_architecture(io::AtomicFile& file, const Exportable& what, Notes&) {
  // First in the file, where it is looked for; Keras passes over keys that it does not know.
  const Json mark = {{kExportMarkKey, kExportMark}};
  const std::string start = mark.dump(), model = keras3_model(what).dump();
  file.append(start.substr(0, start.size() - 1) + "," + model.substr(1) + "\n");
}

void export_legacy(io::AtomicFile& file, const Exportable& what, Notes& notes) {
  const Contents& contents = what.contents;
  note_training(contents, notes);
  io::Hdf5File hdf5 = io::Hdf5File::create(file, bytes_of(contents));
  {
    io::Hdf5Group root = hdf5.root();
    root.write_attribute(kExportMarkKey, kExportMark);
    root.write_attribute("keras_version", kKerasVersion);
    root.write_attribute("backend", "tensorflow");
    root.write_attribute("model_config", contents.model_config.dump());
    if (contents.training_config.is_object())
      root.write_attribute("training_config", contents.training_config.dump());
    io::Hdf5Group group = root.create_group("model_weights");
    group.write_attribute("layer_names", contents.layer_names);
    group.write_attribute("backend", "tensorflow");
    group.write_attribute("keras_version", kKerasVersion);
    LayerWeights weights = weights_by_layer(contents.weights);
    for (const std::string& layer : contents.layer_names) {
      io::Hdf5Group layer_group = group.create_group(layer);
      std::vector<std::string> names;
      for (const WeightArray* weight : weights[layer]) {
        names.push_back(layer + "/" + weight->name + ":0");
        write_array(layer_group, names.back(), *weight);
      }
      layer_group.write_attribute("weight_names", names);
    }
  }
  hdf5.close();
  if (!contents.optimizer.empty())
    notes.push_back("the optimizer's state is left out: in .h5 files, Keras cannot take it; .keras holds it");
}

}  // namespace nntrain::checkpoint

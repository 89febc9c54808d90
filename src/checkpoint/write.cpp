// Keras' legacy whole-model HDF5 (keras/src/legacy/saving/legacy_h5_format.py) with /nntrain_dist beside it.

#include <filesystem>
#include <unordered_map>

#include "checkpoint/checkpoint.h"
#include "checkpoint/digest.h"
#include "checkpoint/run_file.h"
#include "checkpoint/written_file.h"
#include "core/error.h"
#include "core/json.h"
#include "io/atomic_file.h"
#include "io/hdf5.h"

namespace nntrain::checkpoint {

namespace {

constexpr const char* kKerasVersion = "3.0.0";  // the layout every Keras from 2.x to 3.16 reads

std::int64_t payload_bytes(const Contents& contents) {
  std::int64_t floats = 0;
  for (const WeightArray& weight : contents.weights) floats += weight.shape.size();
  for (const Slot& slot : contents.slots) {
    for (const auto& values : slot.values) floats += static_cast<std::int64_t>(values.size());
  }
  for (const auto& [name, weights] : contents.extra_weights) {
    for (const WeightArray& weight : weights) floats += weight.shape.size();
  }
  std::size_t texts = contents.config.size() + 8 * contents.metric_sums.size();
  for (const auto& [name, column] : contents.history.columns) texts += 8 * column.size() + 1024;
  return file_bytes(floats, static_cast<std::int64_t>(texts + 2048 * contents.layer_names.size()));
}

/// layer_names -> weight_names -> datasets; the order inside a layer is trainable first, as Keras reads it.
void write_weights(io::Hdf5Group group, const std::vector<std::string>& layer_names,
                   const std::vector<WeightArray>& weights) {
  group.write_attribute("layer_names", layer_names);
  group.write_attribute("backend", "tensorflow");
  group.write_attribute("keras_version", kKerasVersion);
  std::unordered_map<std::string, std::vector<const WeightArray*>> of_layer;
  for (const bool trainable : {true, false}) {
    for (const WeightArray& weight : weights) {
      if (weight.trainable == trainable) of_layer[weight.layer].push_back(&weight);
    }
  }
  std::size_t written = 0;
  for (const std::string& layer : layer_names) {
    io::Hdf5Group layer_group = group.create_group(layer);
    std::vector<std::string> names;
    for (const WeightArray* weight : of_layer[layer]) {
      names.push_back(layer + "/" + weight->name + ":0");
      layer_group.write_dataset(names.back(), weight->shape, weight->values);
      ++written;
    }
    layer_group.write_attribute("weight_names", names);
  }
  if (written != weights.size())
    throw RuntimeError("internal: " + std::to_string(weights.size() - written) + " weights are of no layer");
}

void write_run(io::Hdf5Group ours, const Contents& contents) {
  io::Hdf5Group state = ours.create_group("state");
  state.write_attribute("epoch", contents.state.epoch);
  state.write_attribute("step", contents.state.step);
  state.write_attribute("iteration", contents.state.iteration);
  state.write_attribute("seed", static_cast<std::int64_t>(contents.state.seed));
  state.write_attribute("shards", contents.state.shards);
  state.write_attribute("finished", contents.state.finished);
  state.write_attribute("epoch_seconds", contents.state.epoch_seconds);
  state.write_attribute("weights_digest", weights_digest(contents.weights));
  io::Hdf5Group history = ours.create_group("history");
  std::vector<std::string> columns;
  for (const auto& [name, values] : contents.history.columns) {
    columns.push_back(name);
    history.write_dataset(name, Shape{static_cast<std::int64_t>(values.size())}, values);
  }
  history.write_attribute("columns", columns);
  io::Hdf5Group optimizer = ours.create_group("optimizer");
  optimizer.write_attribute("class_name", contents.optimizer);
  std::vector<std::string> slots;
  for (const Slot& slot : contents.slots) {
    slots.push_back(slot.name);
    std::size_t i = 0;
    for (const WeightArray& weight : contents.weights) {
      if (!weight.trainable) continue;
      optimizer.write_dataset(slot.name + "/" + weight.layer + "/" + weight.name, weight.shape,
                              slot.values.at(i++));
    }
  }
  std::vector<std::string>
      stepped;  // "layer/weight" of the trainable weights, the order of each slot's values
  for (const WeightArray& weight : contents.weights) {
    if (weight.trainable) stepped.push_back(weight.layer + "/" + weight.name);
  }
  optimizer.write_attribute("slots", slots);
  optimizer.write_attribute("trainable_weights", stepped);
  optimizer.write_dataset("scalars", Shape{static_cast<std::int64_t>(contents.optimizer_scalars.size())},
                          contents.optimizer_scalars);
  io::Hdf5Group metrics = ours.create_group("metrics");
  metrics.write_attribute("width", contents.metric_width);
  metrics.write_dataset("sums", Shape{static_cast<std::int64_t>(contents.metric_sums.size())},
                        contents.metric_sums);
  ours.write_attribute("config", contents.config);
  ours.write_attribute("data", json_text(contents.data));
  ours.write_attribute("environment", json_text(contents.environment));
  ours.write_attribute("callbacks", json_text(contents.callbacks));
  io::Hdf5Group kept = ours.create_group("kept_weights");
  std::vector<std::string> kept_names;
  for (const auto& [name, weights] : contents.extra_weights) {
    kept_names.push_back(name);
    write_weights(kept.create_group(name), contents.layer_names, weights);
  }
  kept.write_attribute("names", kept_names);
  ours.write_attribute("payload_digest", payload_digest(contents));
}

void write_hdf5(io::AtomicFile& file, const Contents& contents) {
  io::Hdf5File hdf5 = io::Hdf5File::create(file, payload_bytes(contents));
  {
    io::Hdf5Group root = hdf5.root();
    root.write_attribute("keras_version", kKerasVersion);
    root.write_attribute("backend", "tensorflow");
    root.write_attribute("model_config", json_text(contents.model_config));
    if (!contents.training_config.is_null())
      root.write_attribute("training_config", json_text(contents.training_config));
    write_weights(root.create_group("model_weights"), contents.layer_names, contents.weights);
    write_run(root.create_group("nntrain_dist"), contents);
  }
  hdf5.close();
}

}  // namespace

std::int64_t file_bytes(std::int64_t floats, std::int64_t text_bytes) {
  return 4 * floats + text_bytes + (1 << 16);
}

void write_and_verify(io::AtomicFile& file, const Contents& contents) {
  write_hdf5(file, contents);
  try {
    read(file.temporary_path());  // the digests say whether the disk kept what it was given
  } catch (const InputError& error) {
    const std::string cause = error.what();
    throw RuntimeError("\"" + file.path() +
                       "\" was not written: what was read back is not what was written (" +
                       cause.substr(0, cause.find(';')) + "); a disk or memory fails");
  }
  file.synchronise();
}

void write(const std::string& path, const Contents& contents, io::System& system) {
  require_finite(path, contents);
  io::AtomicFile file(path, system);
  write_and_verify(file, contents);
  file.commit();
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

std::string set_aside(const std::string& path) {
  if (!is_ours(path)) {
    throw InputError("\"" + path +
                     "\" is no checkpoint that nntrain-dist wrote, so it is not moved aside; give another "
                     "checkpoint.path, or move it away");
  }
  const std::filesystem::path old(path);
  for (int k = 1; k < 1000000; ++k) {
    const std::filesystem::path aside =
        old.parent_path() / (old.stem().string() + "." + std::to_string(k) + old.extension().string());
    if (exists(aside.string())) continue;
    std::error_code failed;
    std::filesystem::rename(old, aside, failed);
    if (failed) {
      throw io::WriteError(
          "cannot rename \"" + path + "\" to \"" + aside.string() + "\": " + failed.message(),
          failed.value());
    }
    return aside.string();
  }
  throw RuntimeError("no free name to set \"" + path + "\" aside");
}

}  // namespace nntrain::checkpoint

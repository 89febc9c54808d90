// Keras' legacy whole-model HDF5 (keras/src/legacy/saving/legacy_h5_format.py) with /nntrain_dist beside it.

#include <filesystem>
#include <functional>
#include <unordered_map>

#include "checkpoint/checkpoint.h"
#include "checkpoint/digest.h"
#include "checkpoint/fields.h"
#include "checkpoint/run_file.h"
#include "checkpoint/written_file.h"
#include "core/background_job.h"
#include "core/error.h"
#include "core/json.h"
#include "io/atomic_file.h"
#include "io/hdf5.h"

namespace nntrain::checkpoint {

namespace {

constexpr const char* kKerasVersion = "3.0.0";  // the layout every Keras from 2.x to 3.16 reads

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

/// "layer/weight" of the trainable weights, the order of each slot's values.
std::vector<std::string> stepped_weights(const Contents& contents) {
  std::vector<std::string> names;
  for (const WeightArray& weight : contents.weights) {
    if (weight.trainable) names.push_back(weight.layer + "/" + weight.name);
  }
  return names;
}

/// Puts each field of /nntrain_dist into its place (docs/checkpoint-format.md).
struct Writer {
  io::Hdf5Group& ours;
  const Contents& contents;

  void operator()(const char* name, const Json& value) { ours.write_attribute(name, json_text(value)); }
  void operator()(const char* name, const std::string& value) {
    if (std::string_view(name) == "optimizer") {
      ours.create_group(name).write_attribute("class_name", value);
    } else {
      ours.write_attribute(name, value);
    }
  }
  void operator()(const char* name, const RunState& state) {
    io::Hdf5Group group = ours.create_group(name);
    each_state_field(state,
                     [&](const char* field, const auto& value) { group.write_attribute(field, value); });
  }
  void operator()(const char* name, const History& history) {
    io::Hdf5Group group = ours.create_group(name);
    std::vector<std::string> columns;
    for (const auto& [column, values] : history.columns) {
      columns.push_back(column);
      group.write_dataset(column, vector_of(values), values);
    }
    group.write_attribute("columns", columns);
  }
  void operator()(const char* name, const std::vector<Slot>& slots) {
    io::Hdf5Group optimizer = ours.create_group("optimizer");
    std::vector<std::string> names;
    for (const Slot& slot : slots) {
      names.push_back(slot.name);
      std::size_t i = 0;
      for (const WeightArray& weight : contents.weights) {
        if (!weight.trainable) continue;
        optimizer.write_dataset(slot.name + "/" + weight.layer + "/" + weight.name, weight.shape,
                                slot.values.at(i++));
      }
    }
    optimizer.write_attribute(name, names);
    optimizer.write_attribute("trainable_weights", stepped_weights(contents));
  }
  void operator()(const char* name, const std::vector<double>& values) {
    ours.create_group("optimizer").write_dataset(name, vector_of(values), values);
  }
  void operator()(const char*, const MetricSums& sums) {
    io::Hdf5Group metrics = ours.create_group("metrics");
    metrics.write_attribute("width", sums.width);
    metrics.write_dataset("sums", vector_of(sums.values), sums.values);
  }
  void operator()(const char* name, const KeptWeights& sets) {
    io::Hdf5Group kept = ours.create_group(name);
    std::vector<std::string> names;
    for (const auto& [set, weights] : sets) {
      names.push_back(set);
      write_weights(kept.create_group(set), contents.layer_names, weights);
    }
    kept.write_attribute("names", names);
  }

 private:
  static Shape vector_of(const std::vector<double>& values) {
    return Shape{static_cast<std::int64_t>(values.size())};
  }
};

/// What is hashed by other threads while the arrays are written.
using AwaitDigests = std::function<Digests()>;

void write_run(io::Hdf5Group ours, const Contents& contents, const AwaitDigests& await_digests) {
  each_run_field(contents, Writer{ours, contents});
  const Digests digests = await_digests();
  ours.create_group("state").write_attribute("weights_digest", digests.weights);
  ours.write_attribute("digest_rule", kDigestRule);
  ours.write_attribute("payload_digest", digests.payload);
}

void write_contents(io::Hdf5Group root, const Contents& contents, const AwaitDigests& await_digests) {
  root.write_attribute("keras_version", kKerasVersion);
  root.write_attribute("backend", "tensorflow");
  root.write_attribute("model_config", json_text(contents.model_config));
  if (!contents.training_config.is_null())
    root.write_attribute("training_config", json_text(contents.training_config));
  write_weights(root.create_group("model_weights"), contents.layer_names, contents.weights);
  write_run(root.create_group("nntrain_dist"), contents, await_digests);
}

void write_hdf5(io::AtomicFile& file, const Contents& contents, const AwaitDigests& await_digests) {
  io::Hdf5File hdf5 = io::Hdf5File::create(file, payload_bytes(contents));
  write_contents(hdf5.root(), contents, await_digests);
  hdf5.close();
}

}  // namespace

std::int64_t payload_bytes(const Contents& contents) {
  std::int64_t floats = 0;
  for (const WeightArray& weight : contents.weights) floats += weight.shape.size();
  for (const Slot& slot : contents.slots) {
    for (const auto& values : slot.values) floats += static_cast<std::int64_t>(values.size());
  }
  for (const auto& [name, weights] : contents.extra_weights) {
    for (const WeightArray& weight : weights) floats += weight.shape.size();
  }
  std::size_t texts = contents.config.size() + 8 * contents.metric_sums.values.size();
  for (const auto& [name, column] : contents.history.columns) texts += 8 * column.size() + 1024;
  return file_bytes(floats, static_cast<std::int64_t>(texts + 2048 * contents.layer_names.size()));
}

void write_contents(io::Hdf5Group root, const Contents& contents) {
  write_contents(std::move(root), contents, [&] { return digests_of(contents, array_digests(contents)); });
}

std::int64_t file_bytes(std::int64_t floats, std::int64_t text_bytes) {
  return 4 * floats + text_bytes + (1 << 16);
}

void write_and_verify(io::AtomicFile& file, const Contents& contents) {
  const std::string temporary = file.temporary_path();
  ArrayDigests arrays;
  // Both read while this thread waits for the disk; declared last, so that they end before what they read.
  BackgroundJob hashing, verifying;
  hashing.start([&] { arrays = array_digests(contents); });
  write_hdf5(file, contents, [&] {
    hashing.wait();
    return digests_of(contents, arrays);
  });
  verifying.start([&] { verify(temporary, contents, arrays); });
  file.synchronise();
  try {
    verifying.wait();
  } catch (const InputError& error) {
    const std::string cause = error.what();
    throw RuntimeError("\"" + file.path() +
                       "\" was not written: what was read back is not what was written (" +
                       cause.substr(0, cause.find(';')) + "); a disk or memory fails");
  }
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

// Our checkpoints and any Keras whole-model .h5. Keras loads by order: layer_names, then weight_names.

#include <unordered_set>

#include "checkpoint/checkpoint.h"
#include "checkpoint/digest.h"
#include "core/error.h"
#include "io/hdf5.h"

namespace nntrain::checkpoint {

namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 40;

Json parse(const std::string& path, const std::string& what, const std::string& text) {
  return parse_json(text, "\"" + path + "\": " + what);
}

/// "sequential/dense/kernel:0" -> "kernel".
std::string short_name(const std::string& weight) {
  std::string name = weight.substr(weight.find_last_of('/') + 1);
  return name.substr(0, name.find(':'));
}

bool is_state(const std::string& name) {
  return name == "moving_mean" || name == "moving_variance" || name == "mean" || name == "variance" ||
         name == "count";
}

std::vector<WeightArray> read_weights(const std::string& path, const io::Hdf5Group& group,
                                      std::vector<std::string>& layer_names) {
  layer_names = group.read_texts("layer_names");
  std::unordered_set<std::string> seen;
  std::vector<WeightArray> weights;
  for (const std::string& layer : layer_names) {
    if (!seen.insert(layer).second)
      throw InputError("\"" + path + "\" names the layer \"" + layer + "\" twice");
    if (!group.has(layer)) continue;
    const io::Hdf5Group layer_group = group.group(layer);
    if (!layer_group.has_texts("weight_names")) continue;
    for (const std::string& name : layer_group.read_texts("weight_names")) {
      const io::Hdf5Dataset dataset = layer_group.dataset(name);
      if (dataset.info().shape.size() > kMostElements)
        throw InputError("\"" + path + "\": " + dataset.name() + " is absurdly large");
      weights.push_back({layer, short_name(name), dataset.info().shape, !is_state(short_name(name)),
                         dataset.read_all<float>()});
    }
  }
  return weights;
}

void read_run(const std::string& path, const io::Hdf5Group& ours, Contents& contents) {
  const io::Hdf5Group state = ours.group("state");
  contents.state.epoch = state.read_integer("epoch");
  contents.state.step = state.read_integer("step");
  contents.state.iteration = state.read_integer("iteration");
  contents.state.seed = static_cast<std::uint64_t>(state.read_integer("seed"));
  contents.state.shards = static_cast<int>(state.read_integer("shards"));
  contents.state.finished = state.read_boolean("finished");
  contents.state.epoch_seconds = state.read_number("epoch_seconds");
  const io::Hdf5Group history = ours.group("history");
  for (const std::string& name : history.read_texts("columns")) {
    contents.history.columns.emplace_back(name, history.dataset(name).read_all<double>());
  }
  const io::Hdf5Group optimizer = ours.group("optimizer");
  contents.optimizer = optimizer.read_text("class_name");
  const std::vector<std::string> names = optimizer.read_texts("trainable_weights");
  const std::unordered_set<std::string> stepped(names.begin(), names.end());
  for (WeightArray& weight : contents.weights)
    weight.trainable = stepped.contains(weight.layer + "/" + weight.name);
  for (const std::string& name : optimizer.read_texts("slots")) {
    Slot slot{name, {}};
    for (const WeightArray& weight : contents.weights) {
      if (!weight.trainable) continue;
      slot.values.push_back(
          optimizer.dataset(name + "/" + weight.layer + "/" + weight.name).read_all<float>());
      if (slot.values.back().size() != weight.values.size()) {
        throw InputError("\"" + path + "\": the optimizer's " + name + " of " + weight.layer + "/" +
                         weight.name + " has another size than the weight");
      }
    }
    contents.slots.push_back(std::move(slot));
  }
  contents.optimizer_scalars = optimizer.dataset("scalars").read_all<double>();
  const io::Hdf5Group metrics = ours.group("metrics");
  contents.metric_width = metrics.read_integer("width");
  contents.metric_sums = metrics.dataset("sums").read_all<double>();
  contents.config = ours.read_text("config");
  contents.data = parse(path, "/nntrain_dist data", ours.read_text("data"));
  contents.environment = parse(path, "/nntrain_dist environment", ours.read_text("environment"));
  contents.callbacks = parse(path, "/nntrain_dist callbacks", ours.read_text("callbacks"));
  const io::Hdf5Group kept = ours.group("kept_weights");
  std::vector<std::string> layer_names;
  for (const std::string& name : kept.read_texts("names")) {
    contents.extra_weights.emplace_back(name, read_weights(path, kept.group(name), layer_names));
  }
}

void check_digest(const std::string& path, const std::string& what, const std::string& stored,
                  const std::string& computed) {
  if (stored == computed) return;
  throw InputError("\"" + path + "\" is damaged: the digest of its " + what + " is " +
                   computed.substr(0, 16) + "..., the file says " + stored.substr(0, 16) +
                   "...; take an older checkpoint, or start afresh with checkpoint.resume = never");
}

}  // namespace

Contents read(const std::string& path) {
  if (path.ends_with(".keras") || path.ends_with(".weights.h5")) {
    throw InputError("\"" + path +
                     "\" is no whole-model HDF5 file; in Keras, convert it with model.save(\"model.h5\")");
  }
  const io::Hdf5File file = io::Hdf5File::open(path);
  const io::Hdf5Group root = file.root();
  Contents contents;
  if (!root.has_attribute("model_config")) {
    throw InputError("No model config found in the file at \"" + path +
                     "\"; it holds weights only, or something else");
  }
  contents.model_config = parse(path, "model_config", root.read_text("model_config"));
  if (root.has_attribute("training_config")) {
    contents.training_config = parse(path, "training_config", root.read_text("training_config"));
  }
  contents.weights = read_weights(path, root.group("model_weights"), contents.layer_names);
  contents.ours = root.has("nntrain_dist");
  if (!contents.ours) return contents;
  const io::Hdf5Group ours = root.group("nntrain_dist");
  check_digest(path, "weights", ours.group("state").read_text("weights_digest"),
               weights_digest(contents.weights));
  read_run(path, ours, contents);
  check_digest(path, "run state", ours.read_text("payload_digest"), payload_digest(contents));
  return contents;
}

}  // namespace nntrain::checkpoint

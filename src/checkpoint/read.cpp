// Our checkpoints and any Keras whole-model .h5. Keras loads by order: layer_names, then weight_names.

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <type_traits>
#include <unordered_set>

#include "checkpoint/checkpoint.h"
#include "checkpoint/digest.h"
#include "checkpoint/fields.h"
#include "checkpoint/flat_model.h"
#include "checkpoint/keras_files.h"
#include "checkpoint/written_file.h"
#include "core/error.h"
#include "core/in_parallel.h"
#include "io/hdf5.h"

namespace nntrain::checkpoint {

namespace {

/// Takes each field of /nntrain_dist from its place; the model's weights are there already.
struct Reader {
  const std::string& path;
  const io::Hdf5Group& ours;
  const FlatModel& model;
  Contents& contents;
  Unread* unread;

  void operator()(const char* name, Json& value) {
    value = parse_json(path, std::string("/nntrain_dist ") + name, ours.read_text(name));
  }
  void operator()(const char* name, std::string& value) {
    value = std::string_view(name) == "optimizer" ? ours.group(name).read_text("class_name")
                                                  : ours.read_text(name);
  }
  void operator()(const char* name, RunState& state) {
    const io::Hdf5Group group = ours.group(name);
    each_state_field(state, [&](const char* field, auto& value) {
      using T = std::decay_t<decltype(value)>;
      if constexpr (std::is_same_v<T, bool>) {
        value = group.read_boolean(field);
      } else if constexpr (std::is_floating_point_v<T>) {
        value = group.read_number(field);
      } else {
        value = static_cast<T>(group.read_integer(field));
      }
    });
  }
  void operator()(const char* name, History& history) {
    const io::Hdf5Group group = ours.group(name);
    for (const std::string& column : group.read_texts("columns"))
      history.columns.emplace_back(column, group.dataset(column).read_all<double>());
  }
  void operator()(const char* name, std::vector<Slot>& slots) {
    const io::Hdf5Group optimizer = ours.group("optimizer");
    const std::vector<std::string> names = optimizer.read_texts("trainable_weights");
    const std::unordered_set<std::string> stepped(names.begin(), names.end());
    for (WeightArray& weight : contents.weights)
      weight.trainable = stepped.contains(weight.layer + "/" + weight.name);
    for (const std::string& slot : optimizer.read_texts(name)) slots.push_back(read_slot(optimizer, slot));
  }
  void operator()(const char* name, std::vector<double>& values) {
    values = ours.group("optimizer").dataset(name).read_all<double>();
  }
  void operator()(const char*, MetricSums& sums) {
    const io::Hdf5Group metrics = ours.group("metrics");
    sums.width = metrics.read_integer("width");
    sums.values = metrics.dataset("sums").read_all<double>();
  }
  void operator()(const char* name, KeptWeights& sets) {
    const io::Hdf5Group kept = ours.group(name);
    std::vector<std::string> layer_names;
    for (const std::string& set : kept.read_texts("names"))
      sets.emplace_back(set, read_legacy_weights(path, kept.group(set), model, layer_names, unread));
  }

 private:
  Slot read_slot(const io::Hdf5Group& optimizer, const std::string& name) const {
    Slot slot{name, {}};
    for (const WeightArray& weight : contents.weights) {
      if (!weight.trainable) continue;
      io::Hdf5Dataset dataset = optimizer.dataset(name + "/" + weight.layer + "/" + weight.name);
      if (dataset.info().shape.size() != weight.shape.size()) {
        throw InputError("\"" + path + "\": the optimizer's " + name + " of " + weight.layer + "/" +
                         weight.name + " has another size than the weight");
      }
      slot.values.emplace_back();
      if (unread == nullptr) {
        slot.values.back() = dataset.read_all<float>();
      } else {
        unread->push_back(std::move(dataset));
      }
    }
    return slot;
  }
};

void check_digest(const std::string& path, const std::string& what, const std::string& stored,
                  const std::string& computed) {
  if (stored == computed) return;
  throw InputError("\"" + path + "\" is damaged: the digest of its " + what + " is " +
                   computed.substr(0, 16) + "..., the file says " + stored.substr(0, 16) +
                   "...; take an older checkpoint, or start afresh with checkpoint.resume = never");
}

/// What a file is compared with when it has just been written.
struct Written {
  const Contents& contents;
  const ArrayDigests& arrays;
};

/// Is it in the file, byte by byte? Row by row, so that little memory is taken.
bool holds(const io::Hdf5Dataset& dataset, const std::vector<float>& values) {
  constexpr std::int64_t kPieceFloats = std::int64_t{1} << 18;  // 1 MiB: stays in the second-level cache
  const Shape& shape = dataset.info().shape;
  if (shape.size() != static_cast<std::int64_t>(values.size())) return false;
  const auto equal = [&](const std::vector<float>& piece, std::int64_t first, std::int64_t count) {
    return std::memcmp(piece.data(), values.data() + first,
                       static_cast<std::size_t>(count) * sizeof(float)) == 0;
  };
  if (shape.rank() == 0 || shape.size() <= kPieceFloats)
    return equal(dataset.read_all<float>(), 0, shape.size());
  const std::int64_t row = shape.size() / shape.extents()[0];
  const std::int64_t rows = std::max<std::int64_t>(1, kPieceFloats / row);
  std::vector<float> piece(static_cast<std::size_t>(rows * row));
  for (std::int64_t first = 0; first < shape.extents()[0]; first += rows) {
    const std::int64_t count = std::min(rows, shape.extents()[0] - first);
    dataset.read_rows(first, count, std::span(piece.data(), static_cast<std::size_t>(count * row)));
    if (!equal(piece, first * row, count * row)) return false;
  }
  return true;
}

/// As many slots, arrays and sets?
bool same_structure(const Contents& a, const Contents& b) {
  bool same = a.slots.size() == b.slots.size() && a.extra_weights.size() == b.extra_weights.size();
  for (std::size_t i = 0; same && i < a.slots.size(); ++i)
    same = a.slots[i].values.size() == b.slots[i].values.size();
  return same;
}

/// Array by array, in the order of AddArray.
void compare_arrays(const std::string& path, const Contents& in_file, const Unread& unread,
                    const Contents& written) {
  const std::vector<const std::vector<float>*> arrays = arrays_of(written);
  std::atomic<bool> equal = unread.size() == arrays.size() && same_structure(in_file, written);
  std::vector<std::function<void()>> tasks;
  for (std::size_t i = 0; equal && i < arrays.size(); ++i) {
    tasks.emplace_back([&, i] {
      if (equal && !holds(unread[i], *arrays[i])) equal = false;
    });
  }
  in_parallel(tasks);
  if (!equal) throw InputError("\"" + path + "\" is damaged: its weights are not those that were written");
}

/// By the rule that the file was written with.
void check_digests(const std::string& path, const io::Hdf5Group& ours, const Contents& contents,
                   const Written* written) {
  const std::int64_t rule = ours.has_attribute("digest_rule") ? ours.read_integer("digest_rule") : 1;
  if (rule < 1 || rule > kDigestRule) {
    throw InputError("\"" + path + "\" says digest_rule = " + std::to_string(rule) +
                     "; this program knows 1 to " + std::to_string(kDigestRule) +
                     ": a newer nntrain-dist wrote the file, or it is damaged");
  }
  Digests digests;
  if (written != nullptr) {
    digests = digests_of(contents, written->arrays);
  } else if (rule == kDigestRule) {
    digests = digests_of(contents, array_digests(contents));
  } else {
    digests = {weights_digest(contents.weights), payload_digest(contents, 1)};
  }
  check_digest(path, "weights", ours.group("state").read_text("weights_digest"), digests.weights);
  check_digest(path, "run state", ours.read_text("payload_digest"), digests.payload);
}

/// `written` null: everything is read. Else the arrays stay in the file and are compared.
Contents read_hdf5(const std::string& path, const Written* written) {
  Unread in_file;
  Unread* const unread = written == nullptr ? nullptr : &in_file;
  const io::Hdf5File file = io::Hdf5File::open(path);
  const io::Hdf5Group root = file.root();
  Contents contents;
  contents.origin = path;
  if (!root.has_attribute("model_config")) {
    throw InputError("No model config found in the file at \"" + path +
                     "\"; it holds weights only, or something else. A configuration with model.layer and "
                     "model.from = " +
                     path + " gives weights their model");
  }
  contents.model_config = parse_json(path, "model_config", root.read_text("model_config"));
  const FlatModel model = flat_model(path, contents.model_config);
  if (root.has_attribute("training_config")) {
    contents.training_config = parse_json(path, "training_config", root.read_text("training_config"));
  }
  contents.weights =
      read_legacy_weights(path, root.group("model_weights"), model, contents.layer_names, unread);
  contents.ours = root.has("nntrain_dist");
  if (!contents.ours) {
    contents.model_config = model.config;
    if (contents.training_config.is_object())
      read_optimizer(root, contents.training_config.value("optimizer_config", Json()), contents);
    return contents;
  }
  const io::Hdf5Group ours = root.group("nntrain_dist");
  each_run_field(contents, Reader{path, ours, model, contents, unread});
  if (written != nullptr) compare_arrays(path, contents, in_file, written->contents);
  check_digests(path, ours, contents, written);
  return contents;
}

}  // namespace

Contents read(const std::string& path) {
  if (path.ends_with(".keras")) return read_archive(path);
  if (path.ends_with(".json")) return read_architecture(path);
  return read_hdf5(path, nullptr);
}

void verify(const std::string& path, const Contents& written, const ArrayDigests& arrays) {
  const Written both{written, arrays};
  if (!read_hdf5(path, &both).ours) throw InputError("\"" + path + "\" is no checkpoint of nntrain-dist");
}

Contents read_weights(const std::string& path, const std::vector<Json>& layers) {
  const io::Hdf5File file = io::Hdf5File::open(path);
  const io::Hdf5Group root = file.root();
  Contents contents;
  contents.origin = path;
  if (root.has_attribute("model_config")) {
    throw InputError("\"" + path +
                     "\" holds a whole model, and model.layer describes another; give one of the two");
  }
  const FlatModel model = flat_model_of(layers);
  if (root.has_texts("layer_names")) {  // Keras 2's save_weights()
    contents.weights = read_legacy_weights(path, root, model, contents.layer_names);
  } else if (root.has("layers") || root.has("_layer_checkpoint_dependencies")) {
    contents.weights = read_store_weights(path, root, model);
  } else {
    throw InputError("\"" + path +
                     "\" holds no weights that Keras wrote: neither layer_names nor a group layers");
  }
  return contents;
}

}  // namespace nntrain::checkpoint

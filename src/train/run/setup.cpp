#include "train/run/setup.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <string_view>
#include <type_traits>
#include <unordered_set>

#include "checkpoint/fields.h"
#include "checkpoint/keras.h"
#include "core/call.h"
#include "core/error.h"
#include "nn/layers/layer_error.h"
#include "nn/layers/text_demand.h"

namespace nntrain::train {

namespace {

ModelSource from_architecture(const nn::Architecture& architecture) {
  ModelSource source;
  source.name = architecture.name;
  source.layers = architecture.layers;
  source.input = architecture.input;
  source.has_input = architecture.has_input;
  return source;
}

/// The activation that the last layer would give up.
nn::Head output_head(const nn::Sequential& model) {
  if (model.layers().empty()) return nn::Head::kNone;
  const Json& config = model.layers().back()->spec()["config"];
  if (!config.contains("activation") || config["activation"].is_null()) return nn::Head::kNone;
  const std::string name = detail::spec_name("activation", config["activation"]);
  return name == "softmax" ? nn::Head::kSoftmax : name == "sigmoid" ? nn::Head::kSigmoid : nn::Head::kNone;
}

/// One slot as the flat trainable array; empty when `slots` has none of that name.
std::vector<float> flat_slot(const nn::Sequential& model, const std::vector<checkpoint::Slot>& slots,
                             const std::string& name) {
  const auto slot = std::find_if(slots.begin(), slots.end(),
                                 [&](const checkpoint::Slot& other) { return other.name == name; });
  if (slot == slots.end()) return {};
  std::vector<float> flat(static_cast<std::size_t>(model.trainable_floats()));
  std::size_t i = 0;
  for (const nn::Variable& variable : model.variables()) {
    if (!variable.trainable) continue;
    if (i >= slot->values.size() || static_cast<std::int64_t>(slot->values[i].size()) != variable.size())
      return {};
    std::copy(slot->values[i].begin(), slot->values[i].end(), flat.begin() + variable.offset);
    ++i;
  }
  return flat;
}

/// Training waits for this copy: looked at piece by piece while it lies in the cache. Whether all are finite.
bool copy_checked(std::span<const float> from, std::vector<float>& to) {
  constexpr std::size_t kPiece = std::size_t{1} << 14;
  bool finite = true;
  to.reserve(from.size());
  while (!from.empty()) {
    const std::span<const float> piece = from.first(std::min(kPiece, from.size()));
    to.insert(to.end(), piece.begin(), piece.end());
    for (const float value : piece) finite &= std::isfinite(value);  // no early end: a vector loop
    from = from.subspan(piece.size());
  }
  return finite;
}

}  // namespace

checkpoint::Contents read_contents(comm::Session& session, const std::string& path) {
  checkpoint::Contents contents;
  comm::collectively(session, "read " + path, [&] {
    if (session.is_root()) contents = checkpoint::read(path);
  });
  return share_contents(session, std::move(contents));
}

namespace {

/// Packs what all ranks take from a file into JSON. The large arrays (weights, slots, kept weights), the sums
/// and the history stay on rank 0, which gives of them what is asked for.
struct Packer {
  Json& packed;
  void operator()(const char* name, const checkpoint::RunState& state) {
    checkpoint::each_state_field(state,
                                 [&](const char* field, const auto& value) { packed[name][field] = value; });
  }
  template <class T>
  void operator()(const char* name, const T& value) {
    if constexpr (std::is_constructible_v<Json, const T&>) packed[name] = value;
  }
};

struct Unpacker {
  const Json& packed;
  void operator()(const char* name, checkpoint::RunState& state) {
    checkpoint::each_state_field(state,
                                 [&](const char* field, auto& value) { packed[name][field].get_to(value); });
  }
  template <class T>
  void operator()(const char* name, T& value) {
    if constexpr (std::is_constructible_v<Json, const T&>) packed[name].get_to(value);
  }
};

/// What is known of the file itself, beside checkpoint::each_field.
template <class C, class Visitor>
void each_fact(C& contents, Visitor&& visit) {
  visit("origin", contents.origin);
  visit("notes", contents.notes);
  visit("architecture_only", contents.architecture_only);
  visit("ours", contents.ours);
  visit("layer_names", contents.layer_names);
  checkpoint::each_field(contents, visit);
}

}  // namespace

checkpoint::Contents share_contents(comm::Session& session, checkpoint::Contents contents) {
  Json packed;
  if (session.is_root()) each_fact(contents, Packer{packed});
  // As CBOR, which keeps every bit of a float64, a NaN too.
  std::vector<std::uint8_t> mine = session.is_root() ? Json::to_cbor(packed) : std::vector<std::uint8_t>{};
  const std::string bytes = session.broadcast_text(std::string(mine.begin(), mine.end()));
  if (session.is_root()) return contents;
  packed = Json::from_cbor(bytes.begin(), bytes.end());
  each_fact(contents, Unpacker{packed});
  return contents;
}

ModelSource model_source_of(const checkpoint::Contents& contents) {
  ModelSource source = with_origin(
      contents.origin, [&] { return from_architecture(nn::architecture_from_keras(contents.model_config)); });
  source.weights = contents.weights;
  source.has_weights = !contents.architecture_only;
  source.training_config = contents.training_config;
  source.optimizer = {contents.optimizer, contents.slots, contents.optimizer_scalars,
                      contents.state.iteration};
  source.notes = contents.notes;
  source.data = contents.data;
  if (contents.data.is_object())
    source.target_scale = TargetScale::from(contents.data.value("target_scale", Json()));
  return source;
}

ModelSource read_model_source(comm::Session& session, const ModelSettings& settings) {
  ModelSource source;
  if (settings.from.empty()) {
    if (settings.layers.empty()) {
      throw InputError(
          "the model has no layers; give model.layer = Dense(10) and so on, or model.from = a Keras file");
    }
    source.name = settings.name;
    source.layers = settings.layers;
    source.origins = settings.layer_origins;
  } else if (!settings.layers.empty()) {
    comm::collectively(session, "read " + settings.from, [&] {
      if (session.is_root())
        source.weights = checkpoint::read_weights(settings.from, settings.layers).weights;
    });
    source.name = settings.name;
    source.layers = settings.layers;
    source.origins = settings.layer_origins;
    source.has_weights = true;
  } else {
    const checkpoint::Contents contents = read_contents(session, settings.from);
    comm::collectively(session, "model.from", [&] { source = model_source_of(contents); });
  }
  if (settings.input_shape) {
    source.input = *settings.input_shape;
    source.has_input = true;
  }
  return source;
}

namespace {

/// Runs `use`; an error that blames a layer comes with the key, and where it is, of what gave the layer.
template <class Use>
auto with_layer_origin(const ModelSource& source, Use&& use) {
  try {
    return use();
  } catch (const nn::LayerError& error) {
    if (source.origins.empty()) throw;
    const std::size_t bad = error.index();
    throw InputError(source.origins[bad] + ": model.layer " + std::to_string(bad + 1) + " (" +
                     detail::spec_name("layer", source.layers[bad]) + "): " + error.what());
  }
}

}  // namespace

std::optional<TextCodes> text_demand(const ModelSource& source) {
  return with_layer_origin(source, [&] { return nn::text_demand(source.layers); });
}

std::unique_ptr<nn::Sequential> build_model(const ModelSource& source, const Shape& data_shape) {
  const Shape input = source.has_input ? source.input : data_shape;
  return with_layer_origin(
      source, [&] { return std::make_unique<nn::Sequential>(source.name, source.layers, input); });
}

void assign_weights(nn::Sequential& model, const std::vector<checkpoint::WeightArray>& weights,
                    const std::string& where) {
  std::unordered_set<std::string_view> layers;
  for (const checkpoint::WeightArray& weight : weights) layers.insert(weight.layer);
  for (const nn::Variable& variable : model.variables()) {
    if (!layers.contains(variable.layer) && weights.size() < model.variables().size())
      throw InputError(where + " holds no weights for the layer \"" + variable.layer + "\"");
  }
  if (weights.size() != model.variables().size()) {
    throw InputError(where + ": Weight count mismatch: the model expects " +
                     std::to_string(model.variables().size()) + " weight arrays, the file holds " +
                     std::to_string(weights.size()));
  }
  std::size_t i = 0;
  for (nn::Variable& variable : model.variables()) {
    const checkpoint::WeightArray& weight = weights[i++];
    if (weight.shape.size() != variable.size() ||
        (weight.shape != variable.shape && weight.shape.rank() > 0)) {
      throw InputError(where + ": Shape mismatch in layer " + variable.layer + " for weight " +
                       variable.layer + "/" + variable.name + ". Weight expects shape " +
                       variable.shape.to_string() + ". Received saved weight with shape " +
                       weight.shape.to_string());
    }
    std::copy(weight.values.begin(), weight.values.end(), variable.values);
  }
}

std::vector<checkpoint::WeightArray> weights_of(const nn::Sequential& model, bool* all_finite,
                                                std::vector<checkpoint::WeightArray> old) {
  bool finite = true;
  std::vector<checkpoint::WeightArray> weights;
  for (const nn::Variable& variable : model.variables()) {
    std::vector<float> spent;
    if (weights.size() < old.size()) spent = std::move(old[weights.size()].values);
    spent.clear();
    weights.push_back({variable.layer, variable.name, variable.shape, variable.trainable, std::move(spent)});
    finite &=
        copy_checked({variable.values, static_cast<std::size_t>(variable.size())}, weights.back().values);
  }
  if (all_finite != nullptr) *all_finite = finite;
  return weights;
}

void choose_loss(CompileSettings& settings, const Shape& output) {
  if (settings.loss_by_output)
    settings.loss =
        nn::losses().canonical(output.last() == 1 ? "binary_crossentropy" : "categorical_crossentropy");
  settings.loss_by_output = false;
}

void take_compile(CompileSettings& compile, const Configuration& configuration, const Json& training_config,
                  const std::string& where) {
  const checkpoint::KerasCompile keras = checkpoint::compile_from_keras(training_config);
  const auto take = [&](const char* key, const Json& spec, std::string& origin, auto&& canonical) {
    if (configuration.has(key) || spec.is_null()) return;
    origin = where + ", its " + key + " (give another by that key)";
    with_origin(origin, [&] { canonical(spec); });
  };
  take("compile.loss", keras.loss, compile.loss_origin, [&](const Json& spec) {
    const Json& factor = keras.loss_weights;
    if (!factor.is_null() && factor != 1)
      throw InputError("its loss_weights = " + format_call(factor) + " are not supported");
    compile.loss = nn::losses().canonical(spec);
  });
  take("compile.metrics", keras.metrics, compile.metrics_origin,
       [&](const Json& specs) { compile.metrics.assign(specs.begin(), specs.end()); });
  take("compile.weighted_metrics", keras.weighted_metrics, compile.weighted_metrics_origin,
       [&](const Json& specs) { compile.weighted_metrics.assign(specs.begin(), specs.end()); });
}

void take_optimizer(CompileSettings& compile, const Configuration& configuration, const Json& training_config,
                    const std::string& where) {
  const Json optimizer = checkpoint::compile_from_keras(training_config).optimizer;
  if (configuration.has("compile.optimizer") || optimizer.is_null()) return;
  compile.optimizer_origin = where + ", its compile.optimizer (give another by that key)";
  compile.optimizer =
      with_origin(compile.optimizer_origin, [&] { return optim::optimizers().canonical(optimizer); });
  compile.optimizer_from_file = true;
}

std::int64_t take_optimizer_state(comm::Session& session, const nn::Sequential& model,
                                  const OptimizerState& state, Updater& updater,
                                  optim::Optimizer& optimizer) {
  const std::vector<std::string> names = optimizer.slot_names();
  for (std::size_t k = 0; k < names.size(); ++k) {
    std::vector<float> flat;
    if (session.is_root()) flat = flat_slot(model, state.slots, names[k]);
    if (session.maximum(static_cast<std::int64_t>(flat.size())) > 0)
      updater.scatter_slot(static_cast<int>(k), flat);
  }
  if (!state.scalars.empty()) {
    std::vector<double> scalars = state.scalars;
    if (!optimizer.has_schedule()) optimizer.set_learning_rate(scalars.back());
    scalars.pop_back();
    optimizer.set_scalars(scalars);
  }
  return state.iteration;
}

bool depends_on_batch(const nn::Loss& loss) {
  return loss.reduction() != nn::Reduction::kSumOverBatchSize || loss.has_mask() || loss.batch_sums(1, 1) > 0;
}

std::unique_ptr<nn::Loss> make_loss(const CompileSettings& settings) {
  if (settings.loss.is_null()) {
    throw InputError("compile.loss is not set; give a loss, e.g. sparse_categorical_crossentropy");
  }
  return with_origin(settings.loss_origin, [&] { return nn::losses().make(settings.loss); });
}

namespace {

/// The columns of a history that a metric fills: one by its name, or one for each class, name_0, name_1, ..
std::vector<std::string> columns_of(const NamedMetric& entry) {
  std::vector<double> values;
  entry.metric->result(std::vector<double>(static_cast<std::size_t>(entry.metric->size()), 0.0), values);
  if (values.size() == 1) return {entry.name};
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < values.size(); ++i) columns.push_back(entry.name + "_" + std::to_string(i));
  return columns;
}

/// F1Score() of three classes fills f1_score_0 to f1_score_2, which may be another metric's name.
void check_columns(const std::vector<NamedMetric>& metrics) {
  std::map<std::string, const NamedMetric*> owners;
  for (const NamedMetric& entry : metrics) {
    for (const std::string& column : columns_of(entry)) {
      const auto [owner, is_new] = owners.emplace(column, &entry);
      if (is_new) continue;
      const auto class_of = [](const NamedMetric& one) {
        return one.metric->spec()["class_name"].get<std::string>();
      };
      throw InputError("the column \"" + column + "\" of the history would be that of " +
                       class_of(*owner->second) + " (name \"" + owner->second->name + "\") and of " +
                       class_of(entry) + " (name \"" + entry.name + "\"); give one of them another name");
    }
  }
}

}  // namespace

void make_metrics(const CompileSettings& settings, const Shape& target, const Shape& output,
                  Compiled& compiled) {
  const auto add = [&](const Json& spec, NamedMetric::Weighting weighting, std::vector<Json>& specs) {
    NamedMetric entry;
    entry.metric = metrics::make_metric(spec, target, output, entry.name);
    entry.metric->build(target, output);
    entry.weighting = weighting;
    const auto taken = [&](const std::string& name) {
      return std::any_of(compiled.metrics.begin(), compiled.metrics.end(),
                         [&](const NamedMetric& other) { return other.name == name; });
    };
    // Keras' names: a weighted metric beside an unweighted one of the same name gets a prefix.
    if (taken(entry.name) && weighting == NamedMetric::Weighting::kSampleWeights)
      entry.name = "weighted_" + entry.name;
    const std::string base = entry.name;
    for (int k = 1; taken(entry.name); ++k) entry.name = base + "_" + std::to_string(k);
    Json spec_in_files = entry.metric->spec();
    spec_in_files["config"]["name"] = entry.name;  // so that Keras' history has our name: "accuracy"
    specs.push_back(std::move(spec_in_files));
    compiled.metrics.push_back(std::move(entry));
  };
  with_origin(settings.metrics_origin, [&] {
    for (const Json& spec : settings.metrics) add(spec, NamedMetric::Weighting::kNone, compiled.metric_specs);
  });
  with_origin(settings.weighted_metrics_origin, [&] {
    for (const Json& spec : settings.weighted_metrics)
      add(spec, NamedMetric::Weighting::kSampleWeights, compiled.weighted_specs);
  });
  with_origin(settings.weighted_metrics.empty() ? settings.metrics_origin : settings.weighted_metrics_origin,
              [&] { check_columns(compiled.metrics); });
}

void fuse_head(nn::Sequential& model, const nn::Loss& loss) {
  const bool softmax = loss.fuses(nn::Head::kSoftmax);
  const bool sigmoid = loss.fuses(nn::Head::kSigmoid);
  if (!softmax && !sigmoid) return;
  const nn::Head head = output_head(model);
  if ((head == nn::Head::kSoftmax && softmax) || (head == nn::Head::kSigmoid && sigmoid))
    model.release_head();
}

}  // namespace nntrain::train

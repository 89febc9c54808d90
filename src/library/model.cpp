#include "nntrain/model.h"

#include <algorithm>

#include "checkpoint/export.h"
#include "checkpoint/keras.h"
#include "core/error.h"
#include "core/log.h"
#include "io/output_guard.h"
#include "library/configuration.h"
#include "train/inference/inference.h"
#include "train/loop/fit.h"
#include "train/run/setup.h"
#include "train/run/snapshot.h"

namespace nntrain {

struct Model::Implementation {
  explicit Implementation(comm::Session& its_session)
      : session(its_session), log(its_session.is_root() ? Log::Voice::kSpeaks : Log::Voice::kSilent) {}

  comm::Session& session;
  Log log;
  std::unique_ptr<nn::Sequential> model;
  std::vector<float> values;  ///< the model's, on every rank
  std::vector<Json> layers;   ///< as given
  bool fresh = true;          ///< values are the initial ones: a fit makes them itself, and adapts layers
  std::uint64_t seed = 0;     ///< of the initial weights
  Compile compile;
  bool compiled = false;
  train::OptimizerState optimizer;  ///< slots on rank 0
  std::int64_t epochs = 0;          ///< of all fits

  void build(const train::ModelSource& source) {
    layers = source.layers;
    model = train::build_model(source, source.input);
    values.assign(static_cast<std::size_t>(model->total_floats()), 0.0F);
    model->bind(values);
  }
  train::ModelSource source() const;
  checkpoint::Contents contents() const;
  void take_back(train::Run& run);
  void require_compiled() const {
    if (!compiled) throw InputError("You must call compile() before using the model");
  }
};

namespace {

/// As a type of nntrain/error.h, for those who catch by type: the ranks share it by its code.
[[noreturn]] void throw_public(const comm::SharedError& error) {
  switch (error.code()) {
    case ExitCode::kInput:
      throw InputError(error.what());
    case ExitCode::kDiverged:
      throw DivergedError(error.what());
    case ExitCode::kRuntime:
      throw RuntimeError(error.what());
    default:
      throw Error(error.code(), error.what());
  }
}

std::vector<std::int64_t> shape_of(const Shape& shape) { return shape.extents(); }

/// Data by the names that library/configuration gives them.
void add_arrays(const std::string& prefix, const Data& data, data::MemoryArrays& arrays) {
  const auto add = [&](const char* name, const ArrayView& view) {
    if (view.empty()) return;
    if (Shape(view.shape).size() != static_cast<std::int64_t>(view.values.size())) {
      throw InputError(prefix + name + ": shape " + Shape(view.shape).to_string() + " for " +
                       std::to_string(view.values.size()) + " values");
    }
    arrays[prefix + name] = {view.values.data(), view.shape};
  };
  add("x", data.x);
  add("y", data.y);
  add("sample_weight", data.sample_weight);
}

}  // namespace

train::ModelSource Model::Implementation::source() const {
  train::ModelSource source;
  source.name = model->name();
  source.layers = layers;
  source.input = model->input_shape();
  source.has_input = true;
  source.has_weights = !fresh;
  if (!fresh && session.is_root()) source.weights = train::weights_of(*model);
  source.optimizer = optimizer;
  return source;
}

/// The model as a file without a run would hold it.
checkpoint::Contents Model::Implementation::contents() const {
  checkpoint::Contents contents;
  contents.origin = "the model";
  contents.model_config = model->config();
  for (const auto& layer : model->layers()) contents.layer_names.push_back(layer->name());
  contents.weights = train::weights_of(*model);
  if (!compiled) return contents;
  const train::Settings settings = train::read_settings(library::configuration_of(compile));
  contents.training_config =
      checkpoint::keras_training_config(settings.compile.loss, settings.compile.optimizer,
                                        settings.compile.metrics, settings.compile.weighted_metrics);
  return contents;
}

void Model::Implementation::take_back(train::Run& run) {
  checkpoint::Contents contents = train::take(run);
  const std::span<const float> trained = run.engine->exchange().values();
  session.barrier();  // nobody's values are being written
  std::copy(trained.begin(), trained.end(), values.begin());
  session.barrier();
  fresh = false;
  epochs = run.past.state.epoch;
  optimizer = {run.optimizer->spec()["class_name"].get<std::string>(), std::move(contents.slots),
               run.optimizer->scalars(), run.past.state.iteration};
  optimizer.scalars.push_back(run.optimizer->has_schedule() ? 0.0 : run.optimizer->learning_rate(0));
}

Model::Model(Session& session, const std::vector<std::string>& layers, std::vector<std::int64_t> input,
             std::uint64_t seed, const std::string& name)
    : impl_(std::make_unique<Implementation>(session.internal())) {
  train::ModelSource source;
  const train::ModelSettings settings = train::read_settings(library::configuration_of(layers, name)).model;
  source.name = name;
  source.layers = settings.layers;
  source.origins = settings.layer_origins;
  source.input = Shape(std::move(input));
  source.has_input = true;
  impl_->seed = seed;
  impl_->build(source);
  impl_->model->initialize(seed);
}

Model::Model(std::unique_ptr<Implementation> implementation) : impl_(std::move(implementation)) {}
Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

Model Model::load(Session& session, const std::string& path) try {
  comm::Session& ranks = session.internal();
  const checkpoint::Contents contents = train::read_contents(ranks, path);
  const train::ModelSource source = train::model_source_of(contents);
  auto made = std::make_unique<Implementation>(ranks);
  comm::collectively(ranks, "load " + path, [&] {
    made->build(source);
    if (ranks.is_root()) train::assign_weights(*made->model, source.weights, path);
  });
  ranks.broadcast(std::as_writable_bytes(std::span(made->values)));
  made->fresh = false;
  made->optimizer = source.optimizer;
  const std::optional<Compile> compile = library::compile_of(contents);
  made->compiled = compile.has_value();
  if (compile) made->compile = *compile;
  return Model(std::move(made));
} catch (const comm::SharedError& error) {
  throw_public(error);
}

std::vector<LayerInfo> Model::layers() const {
  std::vector<LayerInfo> all;
  for (std::size_t i = 0; i < impl_->model->layers().size(); ++i)
    all.push_back(get_layer(static_cast<int>(i)));
  return all;
}

LayerInfo Model::get_layer(int index) const {
  const auto& layers = impl_->model->layers();
  const int count = static_cast<int>(layers.size());
  if (index < -count || index >= count)
    throw InputError("the model has " + std::to_string(count) + " layers; there is no layer " +
                     std::to_string(index));
  const int at = index < 0 ? index + count : index;
  const nn::Layer& layer = *layers[static_cast<std::size_t>(at)];
  LayerInfo info{layer.name(), layer.spec()["class_name"].get<std::string>(),
                 shape_of(impl_->model->layer_output_shape(at)), 0, layer.trainable()};
  for (const nn::Variable& variable : impl_->model->variables()) {
    if (variable.layer == info.name) info.parameters += variable.size();
  }
  return info;
}

LayerInfo Model::get_layer(const std::string& name) const {
  std::string names;
  for (const LayerInfo& layer : layers()) {
    if (layer.name == name) return layer;
    names += (names.empty() ? "" : ", ") + layer.name;
  }
  throw InputError("No such layer: " + name + ". Existing layers are: " + names);
}

std::int64_t Model::count_params() const { return impl_->model->parameter_count(); }
std::string Model::summary() const { return nn::summary_table(*impl_->model); }

std::vector<Array> Model::get_weights(const std::string& layer) const {
  (void)get_layer(layer);
  std::vector<Array> arrays;
  for (const nn::Variable& variable : impl_->model->variables()) {
    if (variable.layer != layer) continue;
    arrays.push_back({{variable.values, variable.values + variable.size()}, shape_of(variable.shape)});
  }
  return arrays;
}

void Model::set_weights(const std::string& layer, const std::vector<Array>& weights) {
  (void)get_layer(layer);
  std::vector<nn::Variable*> variables;
  for (nn::Variable& variable : impl_->model->variables()) {
    if (variable.layer == layer) variables.push_back(&variable);
  }
  if (weights.size() != variables.size()) {
    throw InputError("layer \"" + layer + "\" has " + std::to_string(variables.size()) +
                     " arrays of weights, got " + std::to_string(weights.size()));
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Shape given(weights[i].shape);
    if (given != variables[i]->shape || given.size() != static_cast<std::int64_t>(weights[i].values.size())) {
      throw InputError("Layer " + layer + " weight shape " + variables[i]->shape.to_string() +
                       " is not compatible with provided weight shape " + given.to_string());
    }
    std::copy(weights[i].values.begin(), weights[i].values.end(), variables[i]->values);
  }
  impl_->fresh = false;
}

void Model::compile(const Compile& compile) {
  (void)train::read_settings(library::configuration_of(compile));  // names the mistake now
  impl_->compile = compile;
  impl_->compiled = true;
  impl_->optimizer = {};
}

History Model::fit(const Data& training, const Fit& fit, const Data& validation, StopToken* stop) try {
  impl_->require_compiled();
  data::MemoryArrays arrays;
  comm::collectively(impl_->session, "fit", [&] {
    add_arrays("", training, arrays);
    add_arrays("validation_", validation, arrays);
  });
  const bool weighted = impl_->session.maximum(std::int64_t{arrays.count("sample_weight") != 0}) != 0;
  const bool validates = impl_->session.maximum(std::int64_t{arrays.count("validation_x") != 0}) != 0;
  train::Configuration configuration = library::configuration_of(impl_->compile);
  library::add_fit(fit, impl_->epochs, configuration);
  library::add_sources(weighted, validates, configuration);
  if (impl_->fresh) library::set(configuration, "run.seed", std::to_string(impl_->seed));
  StopToken none;
  const train::ModelSource source = impl_->source();
  History history;
  {
    const train::RunInputs inputs{&arrays, &source};
    const auto run = train::open_run(impl_->session, configuration,
                                     {impl_->log, stop == nullptr ? none : *stop, "library"}, inputs);
    (void)train::fit(*run);
    impl_->take_back(*run);
    history = library::history_of(impl_->session, run->past.history);
  }
  impl_->session.release_unused();
  return history;
} catch (const comm::SharedError& error) {
  throw_public(error);
}

Results Model::evaluate(const Data& data) try {
  impl_->require_compiled();
  data::MemoryArrays arrays;
  comm::collectively(impl_->session, "evaluate", [&] { add_arrays("", data, arrays); });
  train::Configuration configuration = library::configuration_of(impl_->compile);
  const bool weighted = impl_->session.maximum(std::int64_t{arrays.count("sample_weight") != 0}) != 0;
  library::add_sources(weighted, false, configuration);
  Results results;
  {
    train::Inference inference(impl_->session, impl_->log, impl_->contents(), configuration,
                               train::Inference::Task::kEvaluate, &arrays);
    for (const auto& [name, value] : inference.evaluate().logs.values) results[name] = value;
  }
  impl_->session.release_unused();
  return results;
} catch (const comm::SharedError& error) {
  throw_public(error);
}

Array Model::predict(const ArrayView& x) try {
  data::MemoryArrays arrays;
  comm::collectively(impl_->session, "predict", [&] { add_arrays("", {x, {}, {}}, arrays); });
  train::Configuration configuration;
  library::set(configuration, "data.inputs", "x");
  Array result;
  {
    train::Inference inference(impl_->session, impl_->log, impl_->contents(), configuration,
                               train::Inference::Task::kPredict, &arrays);
    train::Predictions predictions = inference.predict();
    result.shape = shape_of(predictions.output_shape);
    result.shape.insert(result.shape.begin(), predictions.rows);
    result.values = std::move(predictions.values);
    result.values.resize(static_cast<std::size_t>(Shape(result.shape).size()));
    impl_->session.broadcast(std::as_writable_bytes(std::span(result.values)));
  }
  impl_->session.release_unused();
  return result;
} catch (const comm::SharedError& error) {
  throw_public(error);
}

void Model::save(const std::string& path) try {
  comm::collectively(impl_->session, "save " + path, [&] {
    checkpoint::check_export_path(path);
    if (!impl_->session.is_root()) return;
    io::OutputGuard guard;
    guard.add_output(path, "save", checkpoint::is_export);
    checkpoint::Exportable what{impl_->contents(), {impl_->model->input_shape()}};
    for (std::size_t i = 0; i < impl_->model->layers().size(); ++i)
      what.shapes.push_back(impl_->model->layer_output_shape(static_cast<int>(i)));
    (void)checkpoint::export_file(path, what);
  });
} catch (const comm::SharedError& error) {
  throw_public(error);
}

}  // namespace nntrain

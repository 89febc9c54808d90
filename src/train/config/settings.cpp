#include "train/config/settings.h"

#include <charconv>
#include <cmath>

#include "core/call.h"
#include "core/error.h"
#include "metrics/metric.h"
#include "nn/layers/layer.h"
#include "nn/losses/loss.h"
#include "optim/optimizer.h"
#include "train/callbacks/callback.h"
#include "train/config/settings_reader.h"

namespace nntrain::train {

namespace {

/// A line copied out of a Python list ends in a comma.
std::string without_comma(const std::string& text) {
  const std::string value = trim(text);
  return value.ends_with(',') ? value.substr(0, value.size() - 1) : value;
}

/// Keras' first layer may tell the shape of the samples: Dense(8, input_shape=(4,)). It becomes an Input of
/// its own; the other layers' are ignored, as in Keras.
void add_layer(Json layer, const std::string& origin, ModelSettings& model) {
  const std::string name = detail::spec_name("layer", layer);
  if (name == "Input" || name == "InputLayer") {
    model.layers.push_back(layer);
    model.layer_origins.push_back(origin);
    return;
  }
  for (const char* key : {"input_shape", "input_dim", "batch_input_shape", "batch_shape"}) {
    if (!layer.is_object() || !layer["config"].contains(key)) continue;
    const Json shape = layer["config"][key];
    layer["config"].erase(key);
    if (!model.layers.empty()) continue;
    const char* argument = std::string(key).starts_with("batch") ? "batch_shape" : "shape";
    model.layers.push_back({{"class_name", "Input"},
                            {"config", {{argument, shape.is_number() ? Json::array({shape}) : shape}}}});
    model.layer_origins.push_back(origin);
  }
  model.layers.push_back(nn::layers().canonical(layer));
  model.layer_origins.push_back(origin);
}

ModelSettings read_model(const Reader& reader, const Configuration& configuration) {
  ModelSettings model;
  model.name = reader.text("model.name");
  model.from = reader.text("model.from");
  if (!reader.text("model.input_shape").empty()) {
    Json shape = reader.json("model.input_shape");
    if (shape.is_number_integer()) shape = Json::array({shape});
    std::vector<std::int64_t> extents;
    for (const Json& extent : shape.is_array() ? shape : Json::array({nullptr})) {
      if (!extent.is_number_integer() || extent.get<std::int64_t>() <= 0) {
        reader.fail("model.input_shape",
                    "a shape such as (28, 28) is expected, got \"" + reader.text("model.input_shape") + "\"");
      }
      extents.push_back(extent.get<std::int64_t>());
    }
    model.input_shape = Shape(extents);
  }
  for (const Value& value : configuration.list("model.layer")) {
    read_value("model.layer", value, [&](const std::string& text) {
      add_layer(parse_call(without_comma(text)), value.origin, model);
    });
  }
  const bool weights_alone = model.from.ends_with(".h5") || model.from.ends_with(".hdf5");
  if (!model.layers.empty() && !model.from.empty() && !weights_alone) {
    reader.fail(
        "model.from",
        "stands beside model.layer; give one of the two (both only for weights alone, a .weights.h5)");
  }
  return model;
}

std::vector<Json> read_metrics(const Reader& reader, const std::string& key) {
  std::vector<Json> specs = reader.json_list(key);
  std::erase_if(specs, [](const Json& spec) { return spec.is_null(); });  // None: not even the file's
  for (const Json& spec : specs) with_origin(reader.origin(key), [&] { metrics::check_metric(spec); });
  return specs;
}

CompileSettings read_compile(const Reader& reader) {
  CompileSettings compile;
  const std::string loss = reader.text("compile.loss");
  compile.loss_by_output = loss == "crossentropy" || loss == "ce";
  if (!loss.empty() && !compile.loss_by_output) compile.loss = reader.canonical("compile.loss", nn::losses());
  compile.optimizer = reader.canonical("compile.optimizer", optim::optimizers());
  compile.metrics = read_metrics(reader, "compile.metrics");
  compile.weighted_metrics = read_metrics(reader, "compile.weighted_metrics");
  compile.loss_origin = reader.origin("compile.loss");
  compile.optimizer_origin = reader.origin("compile.optimizer");
  compile.metrics_origin = reader.origin("compile.metrics");
  compile.weighted_metrics_origin = reader.origin("compile.weighted_metrics");
  return compile;
}

std::map<std::int64_t, double> read_class_weight(const Reader& reader) {
  std::map<std::int64_t, double> weights;
  std::string text = reader.text("fit.class_weight");
  if (!text.empty() && text.front() == '{' && text.back() == '}') text = text.substr(1, text.size() - 2);
  if (trim(text).empty() || text == "None") return weights;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    const std::string item = text.substr(start, comma - start);
    const std::size_t colon = item.find(':');
    bool good = true, repeated = false;
    try {
      const Json label = parse_call(item.substr(0, colon));
      const Json weight = parse_call(item.substr(std::min(colon, item.size() - 1) + 1));
      if (colon == std::string::npos || !label.is_number_integer() || !weight.is_number())
        throw InputError("");
      repeated = !weights.emplace(label.get<std::int64_t>(), weight.get<double>()).second;
      good = weight.get<double>() >= 0 && std::isfinite(weight.get<double>());
    } catch (const InputError&) {
      reader.fail("fit.class_weight", "\"" + item + "\" is not of the form 0:1.0");
    }
    if (!good)
      reader.fail("fit.class_weight", "\"" + trim(item) + "\": a weight is a finite number, not below 0");
    if (repeated)
      reader.fail("fit.class_weight", "\"" + trim(item) + "\": this class has a weight already in \"" + text +
                                          "\"; give each class one");
    start = comma + 1;
  }
  return weights;
}

void read_shuffle(const Reader& reader, FitSettings& fit) {
  const std::string text = reader.text("fit.shuffle");
  if (!text.starts_with("blocks")) {
    fit.shuffle = reader.boolean("fit.shuffle", "true, false or blocks(window=K)");
    return;
  }
  const Json call = reader.json("fit.shuffle");
  Json config = call.is_object() ? call.value("config", Json::object()) : Json::object();
  const Json arguments = call.is_object() ? call.value("args", Json::array()) : Json::array();
  const bool one = arguments.size() + config.size() == 1;
  if (one && !arguments.empty()) config["window"] = arguments[0];
  const bool good = one && config.contains("window") && config["window"].is_number_integer() &&
                    config["window"].get<std::int64_t>() >= 1;
  if (!good || call.value("class_name", "") != "blocks") {
    reader.fail(
        "fit.shuffle",
        "blocks(window=K) is expected, K blocks, at least 1, whose rows are mixed; got \"" + text + "\"");
  }
  fit.shuffle_window = config["window"].get<std::int64_t>();
}

FitSettings read_fit(const Reader& reader, const Configuration& configuration) {
  FitSettings fit;
  fit.epochs = reader.integer("fit.epochs", 0);
  fit.initial_epoch = reader.integer("fit.initial_epoch", 0);
  fit.batch_size = reader.integer("fit.batch_size", 1, 32);
  fit.steps_per_epoch = reader.integer("fit.steps_per_epoch", 1);
  read_shuffle(reader, fit);
  fit.validation_split = reader.number("fit.validation_split", 0);
  if (fit.validation_split >= 1) reader.fail("fit.validation_split", "must be below 1");
  fit.validation_freq = reader.integer("fit.validation_freq", 1, 1);
  fit.validation_batch_size = reader.integer("fit.validation_batch_size", 1);
  fit.class_weight = read_class_weight(reader);
  for (const Value& value : configuration.list("fit.callback")) {
    read_value("fit.callback", value, [&](const std::string& text) {
      const Json parsed = parse_call(without_comma(text));
      for (const Json& spec : parsed.is_array() ? parsed : Json::array({parsed})) {
        fit.callbacks.push_back(callbacks().canonical(spec));
        fit.callback_origins.push_back(value.origin + ": fit.callback");
      }
    });
  }
  fit.verbose = reader.choice("fit.verbose", {"auto", "0", "1", "2"});
  fit.learning_rate_scaling = reader.choice("fit.learning_rate_scaling", {"none", "linear", "sqrt"});
  fit.reference_batch_size = reader.integer("fit.reference_batch_size", 1, 32);
  fit.warmup_epochs = reader.number("fit.warmup_epochs", 0);
  if (reader.choice("fit.on_nan", {"stop", "rollback"}) == "rollback") fit.on_nan = OnNan::kRollback;
  fit.max_rollbacks = reader.integer("fit.max_rollbacks", 1, 3);
  return fit;
}

void read_products(const Reader& reader, RunSettings& run) {
  const std::string products = reader.choice("run.products", {"auto", "chains", "blas"});
  run.products = products == "auto"     ? ProductsWanted::kAuto
                 : products == "chains" ? ProductsWanted::kChains
                                        : ProductsWanted::kBlas;
  run.blas = reader.choice("run.blas", {"openblas", "onednn"}) == "onednn" ? BlasLibrary::kOneDnn
                                                                           : BlasLibrary::kOpenBlas;
  if (!has_blas(run.blas))
    reader.fail("run.blas",
                "this program was built without oneDNN; take openblas, or build it where CMake finds oneDNN "
                "(Debian: libdnnl-dev)");
  run.strict = reader.boolean("run.strict");
}

}  // namespace

const char* wire_name(SumFormat wire) { return wire == SumFormat::kBfloat16 ? "bfloat16" : "float32"; }

Settings read_settings(const Configuration& configuration) {
  const Reader reader(configuration);
  Settings settings;
  settings.data = read_data(reader);
  settings.model = read_model(reader, configuration);
  settings.compile = read_compile(reader);
  settings.fit = read_fit(reader, configuration);
  settings.checkpoint.path = reader.text("checkpoint.path");
  const std::string resume = reader.choice("checkpoint.resume", {"auto", "never", "require"});
  settings.checkpoint.resume = resume == "auto"    ? Resume::kAuto
                               : resume == "never" ? Resume::kNever
                                                   : Resume::kRequire;
  settings.checkpoint.keep = reader.integer("checkpoint.keep", 1, 2);
  settings.checkpoint.every_epochs = reader.integer("checkpoint.every_epochs", 1, 1);
  settings.checkpoint.every_steps = reader.integer("checkpoint.every_steps", 1);
  settings.checkpoint.every_minutes = reader.number("checkpoint.every_minutes", 0);
  settings.run.seed = static_cast<std::uint64_t>(reader.integer("run.seed", 0));
  if (reader.text("run.shards") != "auto") {
    const std::int64_t shards = reader.integer("run.shards", 1);
    if (shards > 65536) reader.fail("run.shards", "must be at most 65536");
    settings.run.shards = static_cast<int>(shards);
  }
  if (reader.choice("run.wire", {"float32", "bfloat16"}) == "bfloat16")
    settings.run.wire = SumFormat::kBfloat16;
  read_products(reader, settings.run);
  if (!reader.text("run.max_time").empty()) {
    const double seconds =
        read_value("run.max_time", {reader.text("run.max_time"), configuration.origin("run.max_time")},
                   [](const std::string& text) { return parse_duration(text); });
    settings.run.max_seconds = std::isfinite(seconds) ? seconds : 0;
  }
  settings.run.stall_timeout = reader.text("run.stall_timeout");
  settings.run.stall_seconds =
      read_value("run.stall_timeout", {settings.run.stall_timeout, configuration.origin("run.stall_timeout")},
                 [](const std::string& text) { return parse_duration(text); });
  settings.run.verify_every = reader.integer("run.verify_every", 0, 1000);
  settings.run.log = reader.text("run.log");
  settings.run.profile = reader.text("run.profile");
  settings.run.plot = reader.text("run.plot");
  return settings;
}

}  // namespace nntrain::train

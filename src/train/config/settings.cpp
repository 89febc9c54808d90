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

namespace nntrain::train {

namespace {

/// read(text), with origin and key before the message of an error.
template <class Read>
auto read_value(const std::string& key, const Value& value, Read&& read) {
  return with_origin(value.origin + ": " + key, [&] { return read(value.text); });
}

std::string trim(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

class Reader {
 public:
  explicit Reader(const Configuration& configuration) : configuration_(configuration) {}

  std::string text(const std::string& key) const {
    std::string value = trim(configuration_.text(key));
    const bool quoted =
        value.size() >= 2 && value.front() == value.back() && (value.front() == '"' || value.front() == '\'');
    return quoted ? value.substr(1, value.size() - 2) : value;
  }

  std::string raw(const std::string& key) const { return trim(configuration_.text(key)); }

  std::int64_t integer(const std::string& key, std::int64_t minimum, std::int64_t when_empty = 0) const {
    const std::string value = text(key);
    if (value.empty() || value == "None") return when_empty;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size()) {
      fail(key, "a whole number is expected, got \"" + value + "\"");
    }
    if (number < minimum) fail(key, "must be at least " + std::to_string(minimum) + ", got " + value);
    return number;
  }

  double number(const std::string& key, double minimum, double when_empty = 0) const {
    const std::string value = text(key);
    if (value.empty() || value == "None") return when_empty;
    const Json parsed = json(key);
    if (!parsed.is_number()) fail(key, "a number is expected, got \"" + value + "\"");
    if (!(parsed.get<double>() >= minimum))
      fail(key, "must be at least " + std::to_string(minimum) + ", got " + value);
    return parsed.get<double>();
  }

  bool boolean(const std::string& key) const {
    const std::string value = text(key);
    if (value == "true" || value == "True" || value == "1" || value == "yes" || value == "on") return true;
    if (value == "false" || value == "False" || value == "0" || value == "no" || value == "off") return false;
    fail(key, "true or false is expected, got \"" + value + "\"");
  }

  std::string choice(const std::string& key, const std::vector<std::string>& choices) const {
    const std::string value = text(key);
    std::string list;
    for (const std::string& option : choices) {
      if (option == value) return value;
      list += (list.empty() ? "" : ", ") + option;
    }
    fail(key, "\"" + value + "\" is none of: " + list);
  }

  Json json(const std::string& key) const {
    return read_value(key, {text_with_quotes(key), configuration_.origin(key)},
                      [](const std::string& value) { return parse_call(value); });
  }

  std::vector<Json> json_list(const std::string& key) const {
    return read_value(key, {text_with_quotes(key), configuration_.origin(key)}, [](std::string value) {
      if (!value.empty() && value.front() == '[' && value.back() == ']')
        value = value.substr(1, value.size() - 2);
      return parse_call_list(value);
    });
  }

  template <class Family>
  Json canonical(const std::string& key, const Family& family) const {
    return read_value(key, {text_with_quotes(key), configuration_.origin(key)},
                      [&](const std::string& value) { return family.canonical(parse_call(value)); });
  }

  std::vector<std::string> names(const std::string& key) const {
    std::vector<std::string> all;
    const std::string value = text(key);
    std::size_t start = 0;
    while (start < value.size()) {
      const std::size_t comma = std::min(value.find(',', start), value.size());
      all.push_back(trim(value.substr(start, comma - start)));
      start = comma + 1;
    }
    return all;
  }

  /// "file:line: key", what messages about the key begin with.
  std::string origin(const std::string& key) const { return configuration_.origin(key) + ": " + key; }

  [[noreturn]] void fail(const std::string& key, const std::string& what) const {
    throw InputError(configuration_.origin(key) + ": " + key + ": " + what);
  }

 private:
  std::string text_with_quotes(const std::string& key) const { return trim(configuration_.text(key)); }

  const Configuration& configuration_;
};

void read_table(const Reader& reader, data::TableOptions& table) {
  table.header = reader.text("data.header");
  table.delimiter = reader.text("data.delimiter");
  table.decimal = reader.text("data.decimal");
  table.thousands = reader.text("data.thousands");
  table.comment = reader.text("data.comment");
  table.encoding = reader.text("data.encoding");
  table.columns = reader.raw("data.columns");
  table.missing = reader.raw("data.missing");
  with_origin(reader.origin("data.columns"), [&] { return data::has_part(table, ""); });
}

void read_split(const Reader& reader, SplitSettings& split) {
  split.seed = static_cast<std::uint64_t>(reader.integer("run.seed", 0));
  split.folds = reader.integer("data.folds", 2);
  split.fold = reader.integer("fit.fold", 0);
  if (split.folds > 0 && split.fold >= split.folds) {
    reader.fail("fit.fold", "must be below data.folds = " + std::to_string(split.folds) + ", got " +
                                std::to_string(split.fold));
  }
  const std::string text = reader.text("data.validation");
  if (text.empty()) return;
  const Json call = reader.json("data.validation");
  const auto bad = [&] {
    reader.fail("data.validation",
                "split(0.1, shuffle=True, stratify=True) is expected, got \"" + text + "\"");
  };
  if (!call.is_object() || call.value("class_name", "") != "split") bad();
  Json config = call.value("config", Json::object());
  const Json arguments = call.value("args", Json::array());
  constexpr const char* kNames[] = {"fraction", "shuffle", "stratify"};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i > 2) bad();
    config[kNames[i]] = arguments[i];
  }
  for (const auto& [name, value] : config.items()) {
    if (name == "fraction" && value.is_number()) {
      split.fraction = value.get<double>();
    } else if (name == "shuffle" && value.is_boolean()) {
      split.shuffle = value.get<bool>();
    } else if (name == "stratify" && value.is_boolean()) {
      split.stratify = value.get<bool>();
    } else {
      bad();
    }
  }
  if (!(split.fraction > 0 && split.fraction < 1))
    reader.fail("data.validation", "the fraction must lie between 0 and 1");
  if (split.stratify && !split.shuffle) {
    reader.fail("data.validation", "stratify=True needs shuffle=True, as in scikit-learn");
  }
  if (split.folds > 0) reader.fail("data.validation", "stands beside data.folds; give one of the two");
}

DataSettings read_data(const Reader& reader) {
  DataSettings data;
  data.inputs = reader.text("data.inputs");
  data.targets = reader.text("data.targets");
  data.sample_weight = reader.text("data.sample_weight");
  data.validation_inputs = reader.text("data.validation_inputs");
  data.validation_targets = reader.text("data.validation_targets");
  data.validation_sample_weight = reader.text("data.validation_sample_weight");
  data.test_inputs = reader.text("data.test_inputs");
  data.test_targets = reader.text("data.test_targets");
  data.rows = reader.text("data.rows");
  data.validation_rows = reader.text("data.validation_rows");
  data.input_columns = reader.text("data.input_columns");
  data.target_columns = reader.text("data.target_columns");
  data.positive_class = reader.text("data.positive_class");
  const Json scale = reader.json("data.scale");
  if (!scale.is_number())
    reader.fail("data.scale",
                "a number such as 1/255 is expected, got \"" + reader.text("data.scale") + "\"");
  data.scale = scale.get<double>();
  if (!std::isfinite(data.scale)) reader.fail("data.scale", "must be finite");
  data.class_names = reader.names("data.class_names");
  read_table(reader, data.table);
  read_split(reader, data.split);
  return data;
}

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
    bool good = true;
    try {
      const Json label = parse_call(item.substr(0, colon));
      const Json weight = parse_call(item.substr(std::min(colon, item.size() - 1) + 1));
      if (colon == std::string::npos || !label.is_number_integer() || !weight.is_number())
        throw InputError("");
      weights[label.get<std::int64_t>()] = weight.get<double>();
      good = weight.get<double>() >= 0 && std::isfinite(weight.get<double>());
    } catch (const InputError&) {
      reader.fail("fit.class_weight", "\"" + item + "\" is not of the form 0:1.0");
    }
    if (!good)
      reader.fail("fit.class_weight", "\"" + trim(item) + "\": a weight is a finite number, not below 0");
    start = comma + 1;
  }
  return weights;
}

FitSettings read_fit(const Reader& reader, const Configuration& configuration) {
  FitSettings fit;
  fit.epochs = reader.integer("fit.epochs", 0);
  fit.initial_epoch = reader.integer("fit.initial_epoch", 0);
  fit.batch_size = reader.integer("fit.batch_size", 1, 32);
  fit.steps_per_epoch = reader.integer("fit.steps_per_epoch", 1);
  fit.shuffle = reader.boolean("fit.shuffle");
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

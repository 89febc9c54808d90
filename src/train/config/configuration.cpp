#include "train/config/configuration.h"

#include "core/registry.h"

namespace nntrain::train {

const std::vector<Key>& keys() {
  constexpr auto kRepeated = Key::Repeats::kYes;
  static const std::vector<Key> table = {
      {"data.inputs", "",
       "source of the inputs: PATH or PATH:DATASET (IDX, CSV, HDF5, NPY; .gz too), a list or a pattern of "
       "them",
       kRepeated},
      {"data.targets", "",
       "source of the targets; may be left out when inputs and targets are columns of one CSV", kRepeated},
      {"data.sample_weight", "", "source of one weight per sample; supersedes fit.class_weight", kRepeated},
      {"data.validation_inputs", "", "source of the validation inputs, when they are files of their own",
       kRepeated},
      {"data.validation_targets", "", "source of the validation targets", kRepeated},
      {"data.validation_sample_weight", "", "source of the validation weights", kRepeated},
      {"data.test_inputs", "", "source of the test inputs: what `evaluate` uses", kRepeated},
      {"data.test_targets", "", "source of the test targets", kRepeated},
      {"data.rows", "", "Python slice of the rows that train, e.g. 5000: (default: all)"},
      {"data.validation_rows", "", "Python slice of the rows that validate, e.g. :5000"},
      {"data.input_columns", "", "CSV: names or Python slices of the input columns (default: all others)"},
      {"data.target_columns", "", "CSV: names or Python slices of the target columns"},
      {"data.positive_class", "", "one class against the rest: targets become 1 and 0"},
      {"data.scale", "1", "multiplies the inputs, e.g. 1/255; kept in the checkpoint"},
      {"data.class_names", "", "names of the classes, comma separated"},
      {"data.header", "auto", "tables: auto, yes, no, skip N (lines before the header)"},
      {"data.delimiter", "auto", "tables: what stands between cells: auto, one character, tab, blank"},
      {"data.quote", "auto",
       "tables: what stands round cells that hold delimiters: auto (\"), one character, none"},
      {"data.decimal", "auto", "tables: auto, . or ,"},
      {"data.thousands", "auto", "tables: what stands between thousands: auto, none, one character"},
      {"data.comment", "auto", "tables: lines that begin with it are skipped: auto, none, one character"},
      {"data.encoding", "auto", "tables: auto (UTF-8), latin-1, windows-1252, utf-16"},
      {"data.columns", "",
       "tables: NAME: kind, ... with kinds numeric, categorical, boolean, date, id, weight, target, ignore, "
       "group; auto finds the kinds of columns that are not named"},
      {"data.missing", "error",
       "tables: error, mean, median, most_frequent, constant(v), indicator; or NAME: one of these, ..."},
      {"data.target_scale", "none",
       "none, or standardize: the loss sees targets of mean 0 and deviation 1; metrics and predictions keep "
       "the units"},
      {"data.block_rows", "", "rows of a block of fit.shuffle = blocks(..) (default: chunks of about 1 MB)"},
      {"data.memory", "auto",
       "resident (all inputs in each node's memory), stream (read from disk, block by block, while "
       "training), "
       "or auto: resident where they fit in half of the free memory"},
      {"data.cache", "4GB", "memory of a node for blocks that are read ahead: 512MB, 4GB, 4GiB"},
      {"data.fingerprint", "auto",
       "full (SHA-256 of all inputs), sampled (of a few rows), or auto: sampled where inputs are streamed"},
      {"data.validation", "", "split(0.1, shuffle=True, stratify=True): a part of the rows validates"},
      {"data.folds", "", "cut the rows into so many parts at random, of which fit.fold validates"},
      {"model.name", "sequential", "name of the model"},
      {"model.input_shape", "", "shape of one sample, e.g. (28, 28) (default: from the data)"},
      {"model.layer", "", "a Keras layer, e.g. Dense(500, activation=\"relu\"); repeated, in order",
       kRepeated},
      {"model.from", "", "instead of layers: a Keras .h5 (architecture and weights) or model JSON"},
      {"compile.loss", "", "a Keras loss, e.g. sparse_categorical_crossentropy"},
      {"compile.optimizer", "rmsprop", "a Keras optimizer, e.g. SGD(learning_rate=0.01)"},
      {"compile.metrics", "", "Keras metrics, comma separated, e.g. accuracy"},
      {"compile.weighted_metrics", "", "metrics that use sample and class weights"},
      {"fit.epochs", "1", "the last epoch's number (Keras' epochs)"},
      {"fit.initial_epoch", "0", "the first epoch's index of a fresh run"},
      {"fit.batch_size", "32", "the global mini-batch, all ranks together"},
      {"fit.steps_per_epoch", "", "mini-batches an epoch (default: the whole data set)"},
      {"fit.shuffle", "true",
       "a new order of samples every epoch: true, false, or blocks(window=K): of blocks, and of the rows in "
       "K "
       "of them"},
      {"fit.validation_split", "0", "the last fraction of the training rows validates"},
      {"fit.fold", "0", "which of data.folds parts validates, from 0"},
      {"fit.validation_freq", "1", "validate every so many epochs"},
      {"fit.validation_batch_size", "", "rows of an evaluation batch (default: chosen for speed)"},
      {"fit.class_weight", "", "weights of classes, e.g. 0:1.0, 1:2.5"},
      {"fit.callback", "",
       "a Keras callback, e.g. EarlyStopping(monitor=\"val_loss\", patience=10); repeated", kRepeated},
      {"fit.verbose", "auto", "auto, 0 (silent), 1 (progress bar), 2 (a line an epoch)"},
      {"fit.learning_rate_scaling", "none", "none, linear or sqrt, relative to fit.reference_batch_size"},
      {"fit.reference_batch_size", "32", "the mini-batch for which the learning rate was chosen"},
      {"fit.warmup_epochs", "0", "epochs over which a scaled learning rate rises from the unscaled one"},
      {"fit.on_nan", "stop",
       "a loss or a weight is NaN or Inf: stop (exit code 3), or rollback (to the last checkpoint, with half "
       "the learning rate)"},
      {"fit.max_rollbacks", "3", "so often, then the run ends as with stop"},
      {"checkpoint.path", "",
       "the checkpoint (default: the configuration's name with .h5, in the working directory)"},
      {"checkpoint.resume", "auto", "auto (go on if the file is there), never (start afresh), require"},
      {"checkpoint.keep", "2", "files that are kept: the newest, and copies before it (run.h5.1, ...)"},
      {"checkpoint.every_epochs", "1", "write a checkpoint every so many epochs"},
      {"checkpoint.every_steps", "", "also every so many steps"},
      {"checkpoint.every_minutes", "", "also every so many minutes"},
      {"run.seed", "0", "the seed of shuffling, initial weights and random layers"},
      {"run.shards", "auto", "shards of a mini-batch, which fix the bits; auto: from fit.batch_size alone"},
      {"run.wire", "float32",
       "float32 or bfloat16: sums of gradients, which cross the network, are rounded to it"},
      {"run.products", "auto",
       "what multiplies matrices: chains (bits of no library), blas, or auto: chains where written for the "
       "CPU"},
      {"run.blas", "openblas",
       "the library of run.products = blas: openblas (or the CBLAS built in) or onednn"},
      {"run.strict", "false",
       "true: a run that would go on with other products than it began with ends instead of saying so"},
      {"run.max_time", "",
       "H:MM:SS, D-HH:MM:SS, minutes or UNLIMITED; stop in time with a checkpoint, exit code 75"},
      {"run.stall_timeout", "10:00",
       "M:SS, H:MM:SS, minutes or UNLIMITED; ranks that wait so long for another end the run and name it"},
      {"run.verify_every", "1000",
       "compare the nodes' weights every so many steps and at every checkpoint; 0: never"},
      {"run.log", "", "also write the log to this file"},
      {"run.profile", "", "write a Chrome trace of all ranks to this file"},
      {"run.plot", "", "draw the learning curves to this file while training: .png, .svg, .pdf or .txt"},
  };
  return table;
}

const Key* find_key(std::string_view name) {
  for (const Key& key : keys()) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

const Key& known_key(std::string_view name, const std::string& origin) {
  if (const Key* key = find_key(name)) return *key;
  std::vector<std::string> known;
  for (const Key& key : keys()) known.push_back(key.name);
  const std::string near = nearest(name, known);
  throw InputError(origin + ": unknown key \"" + std::string(name) + "\"" +
                   (near.empty() ? "; --help lists the keys" : "; did you mean " + near + "?"));
}

void Configuration::add(const std::string& key, Value value) {
  const Key& entry = known_key(key, value.origin);
  if (value.text.find_first_not_of(" \t\r\n") == std::string::npos) return;
  std::vector<Value>& values = values_[key];
  if (entry.repeats == Key::Repeats::kNo && !values.empty()) {
    throw InputError(value.origin + ": " + key + " is set twice, to \"" + values.front().text + "\" (" +
                     values.front().origin + ") and \"" + value.text + "\"; keep one of them");
  }
  values.push_back(std::move(value));
}

std::string Configuration::text(const std::string& key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? known_key(key, "internal").default_value : found->second.front().text;
}

std::vector<Value> Configuration::list(const std::string& key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? std::vector<Value>{} : found->second;
}

std::string Configuration::origin(const std::string& key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? "default" : found->second.front().origin;
}

Json settings_json(const Configuration& configuration) {
  Json settings = Json::object();
  for (const Key& key : keys()) {
    for (const Value& value : configuration.list(key.name)) settings[key.name].push_back(value.text);
  }
  return settings;
}

std::string Configuration::to_ini() const {
  std::string ini;
  std::string section;
  for (const Key& key : keys()) {
    const std::size_t dot = key.name.find('.');
    for (const Value& value : list(key.name)) {
      if (key.name.substr(0, dot) != section) {
        section = key.name.substr(0, dot);
        ini += (ini.empty() ? "[" : "\n[") + section + "]\n";
      }
      ini += key.name.substr(dot + 1) + " = " + value.text + "\n";
    }
  }
  return ini;
}

}  // namespace nntrain::train

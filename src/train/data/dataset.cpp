#include "train/data/dataset.h"

#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/json.h"
#include "train/data/targets.h"

namespace nntrain::train {

namespace {

Json to_json(const data::ArrayInfo& info) {
  return {{"uint8", info.element == data::Element::kUint8},
          {"rows", info.rows},
          {"sample", info.sample.extents()},
          {"class_names", info.class_names},
          {"columns", info.columns}};
}

data::ArrayInfo info_from(const Json& json) {
  data::ArrayInfo info;
  info.element = json["uint8"].get<bool>() ? data::Element::kUint8 : data::Element::kFloat32;
  info.rows = json["rows"].get<std::int64_t>();
  info.sample = Shape(json["sample"].get<std::vector<std::int64_t>>());
  info.class_names = json["class_names"].get<std::vector<std::string>>();
  info.columns = json["columns"].get<std::vector<std::string>>();
  return info;
}

std::string node_broadcast_text(comm::Session& session, const std::string& mine) {
  std::int64_t length = static_cast<std::int64_t>(mine.size());
  session.node_broadcast(std::as_writable_bytes(std::span(&length, 1)));
  std::string text = session.local_rank() == 0 ? mine : std::string(static_cast<std::size_t>(length), ' ');
  session.node_broadcast(std::as_writable_bytes(std::span(text.data(), text.size())));
  return text;
}

/// `open` runs on the first rank of each node and returns what is to be shared; `read` fills the memory.
LoadedArray share(comm::Session& session, const std::string& key, const std::string& source,
                  const std::function<data::ArrayInfo()>& open,
                  const std::function<void(std::span<std::byte>)>& read) {
  const bool reads = session.local_rank() == 0;
  LoadedArray array;
  std::string header;
  comm::collectively(session, "open " + key, [&] {
    if (reads) header = json_text(to_json(open()));
  });
  array.info = info_from(Json::parse(node_broadcast_text(session, header)));
  array.source = source;
  array.memory = comm::SharedArray::allocate(session, std::max<std::int64_t>(array.info.bytes(), 64));
  comm::collectively(session, "read " + key, [&] {
    if (!reads) return;
    const auto bytes = array.memory.bytes().first(static_cast<std::size_t>(array.info.bytes()));
    read(bytes);
    array.fingerprint = data::fingerprint(array.info, bytes);
  });
  array.fingerprint = node_broadcast_text(session, array.fingerprint);
  const std::string root_fingerprint = session.broadcast_text(array.fingerprint);
  comm::collectively(session, "compare " + key, [&] {
    if (array.fingerprint != root_fingerprint) {
      throw InputError(key + ": \"" + source + "\" on this node differs from the first node's (SHA-256 " +
                       array.fingerprint.substr(0, 16) + " against " + root_fingerprint.substr(0, 16) +
                       "); copy the same file to every node");
    }
  });
  return array;
}

data::ArrayView view_of(const LoadedArray& array, data::RowRange rows) {
  return {array.memory.bytes().data(), array.info.element, array.info.sample.size(), rows.begin,
          rows.count()};
}

}  // namespace

DataLoader::DataLoader(comm::Session& session, const DataSettings& settings, const FitSettings& fit)
    : session_(session), settings_(settings), fit_(fit) {
  train_ = {"", settings.inputs, settings.targets, settings.sample_weight, 0, {}};
  validation_ = {"validation_",
                 settings.validation_inputs,
                 settings.validation_targets,
                 settings.validation_sample_weight,
                 0,
                 {}};
  own_validation_files_ = !settings.validation_inputs.empty();
  sets_.scale = static_cast<float>(settings.scale);
  sets_.class_names = settings.class_names;
}

data::SourceOptions DataLoader::input_options(const std::string& key, const std::string& source) const {
  data::SourceOptions options;
  options.source = source;
  options.role = data::Role::kInputs;
  options.columns = settings_.input_columns;
  options.exclude_columns = settings_.target_columns;
  options.key = key;
  return options;
}

data::SourceOptions DataLoader::target_options(const std::string& key, const std::string& source) const {
  data::SourceOptions options;
  options.source = source;
  options.role = data::Role::kTargets;
  options.columns = settings_.target_columns;
  options.key = key;
  return options;
}

std::size_t DataLoader::load(const std::string& name, const data::SourceOptions& options) {
  std::unique_ptr<data::ArraySource> source;
  sets_.arrays.push_back(share(
      session_, options.key, options.source,
      [&] {
        source = data::open_array(options);
        return source->info();
      },
      [&](std::span<std::byte> memory) { source->read(memory); }));
  const LoadedArray& array = sets_.arrays.back();
  sets_.bytes += array.info.bytes();
  sets_.fingerprints[name] = {{"source", options.source},
                              {"rows", array.info.rows},
                              {"sample", array.info.sample.extents()},
                              {"sha256", array.fingerprint}};
  return sets_.arrays.size() - 1;
}

void DataLoader::load_inputs() {
  if (settings_.inputs.empty()) {
    throw InputError(
        "data.inputs is not set; give the source of the inputs, e.g. data.inputs = images.h5:/x");
  }
  sets_.arrays.reserve(8);
  train_.inputs_array = load("inputs", input_options("data.inputs", settings_.inputs));
  sets_.input_shape = sets_.arrays[train_.inputs_array].info.sample;
  if (sets_.input_shape.rank() == 0) sets_.input_shape = Shape{1};
  if (own_validation_files_) {
    validation_.inputs_array =
        load("validation_inputs", input_options("data.validation_inputs", settings_.validation_inputs));
    Shape shape = sets_.arrays[validation_.inputs_array].info.sample;
    if (shape.rank() == 0) shape = Shape{1};
    if (shape != sets_.input_shape) {
      throw InputError("data.validation_inputs holds samples of shape " + shape.to_string() +
                       ", data.inputs of shape " + sets_.input_shape.to_string() + "; they must be equal");
    }
  }
  split_rows();
  sets_.train.inputs = view_of(sets_.arrays[train_.inputs_array], train_.rows);
  if (validation_.rows.count() > 0) {
    sets_.validation.emplace();
    sets_.validation->inputs = view_of(sets_.arrays[validation_.inputs_array], validation_.rows);
  }
}

void DataLoader::split_rows() {
  const std::int64_t rows = sets_.arrays[train_.inputs_array].info.rows;
  train_.rows = data::parse_row_slice(settings_.rows, rows, "data.rows");
  if (own_validation_files_) {
    const std::int64_t validation_rows = sets_.arrays[validation_.inputs_array].info.rows;
    validation_.rows =
        data::parse_row_slice(settings_.validation_rows, validation_rows, "data.validation_rows");
  } else if (!settings_.validation_rows.empty()) {
    validation_.rows = data::parse_row_slice(settings_.validation_rows, rows, "data.validation_rows");
    validation_.inputs_array = train_.inputs_array;
    if (validation_.rows.count() == 0) {
      throw InputError("data.validation_rows = " + settings_.validation_rows + " selects none of the " +
                       std::to_string(rows) + " rows of \"" + settings_.inputs + "\"");
    }
  } else if (fit_.validation_split > 0) {
    // As Keras: split_at = int(rows * (1 - validation_split)); the last rows validate.
    const auto split = static_cast<std::int64_t>(
        std::floor(static_cast<double>(train_.rows.count()) * (1.0 - fit_.validation_split)));
    if (split == 0 || split == train_.rows.count()) {
      throw InputError("fit.validation_split leaves " + std::to_string(split) + " of " +
                       std::to_string(train_.rows.count()) + " rows for training; both parts need rows");
    }
    validation_.rows = {train_.rows.begin + split, train_.rows.end};
    train_.rows.end = train_.rows.begin + split;
    validation_.inputs_array = train_.inputs_array;
  }
  if (train_.rows.count() == 0) {
    throw InputError("data.rows = " + settings_.rows + " selects none of the " + std::to_string(rows) +
                     " rows of \"" + settings_.inputs + "\"");
  }
}

LoadedArray DataLoader::load_prepared(const Part& part, const TargetPlan& plan) {
  const bool same_file = part.targets.empty();
  const std::string key = std::string("data.") + part.name + "targets";
  const std::string path = same_file ? part.inputs : part.targets;
  if (same_file && settings_.target_columns.empty()) {
    throw InputError(key +
                     " is not set; give the source of the targets, or data.target_columns when inputs and "
                     "targets are columns of one CSV");
  }
  PreparedTargets prepared;
  return share(
      session_, key, path,
      [&] {
        data::SourceOptions options = target_options(key, path);
        options.class_names = sets_.class_names;
        const std::unique_ptr<data::ArraySource> source = data::open_array(options);
        std::vector<std::byte> raw(static_cast<std::size_t>(source->info().bytes()));
        const std::int64_t input_rows = sets_.arrays[part.inputs_array].info.rows;
        if (source->info().rows != input_rows) {
          throw InputError(
              "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples. 'x' "
              "sizes: " +
              std::to_string(input_rows) + " (" + part.inputs +
              "), 'y' sizes: " + std::to_string(source->info().rows) + " (" + path + ")");
        }
        source->read(raw);
        TargetRules rules{plan.loss,         plan.output_shape,         settings_.positive_class,
                          sets_.class_names, key + " \"" + path + "\"", plan.loss_origin};
        prepared = prepare_targets(source->info(), raw, rules);
        return prepared.info;
      },
      [&](std::span<std::byte> memory) {
        std::memcpy(memory.data(), prepared.values.data(), memory.size());
      });
}

void DataLoader::load_part_targets(const Part& part, const TargetPlan& plan, Samples& samples) {
  sets_.arrays.push_back(load_prepared(part, plan));
  const LoadedArray& targets = sets_.arrays.back();
  const std::string name = std::string(part.name) + "targets";
  sets_.bytes += targets.info.bytes();
  sets_.fingerprints[name] = {
      {"source", targets.source}, {"rows", targets.info.rows}, {"sha256", targets.fingerprint}};
  samples.targets = view_of(targets, part.rows);
  sets_.target_shape = targets.info.sample;
  if (sets_.class_names.empty()) sets_.class_names = targets.info.class_names;

  const bool training = *part.name == '\0';
  const bool by_class = part.weights.empty() && training && !fit_.class_weight.empty();
  if (part.weights.empty() && !by_class) return;
  const std::string key = std::string("data.") + part.name + "sample_weight";
  std::vector<float> weights;
  const std::int64_t rows = targets.info.rows;
  sets_.arrays.push_back(share(
      session_, key, by_class ? "fit.class_weight" : part.weights,
      [&] {
        weights = by_class ? class_weights(targets.info, targets.memory.as<const float>(), fit_.class_weight)
                           : read_sample_weights(part.weights, key, rows);
        data::ArrayInfo info;
        info.rows = rows;
        return info;
      },
      [&](std::span<std::byte> memory) { std::memcpy(memory.data(), weights.data(), memory.size()); }));
  sets_.bytes += sets_.arrays.back().info.bytes();
  sets_.fingerprints[std::string(part.name) + "sample_weight"] = {
      {"source", sets_.arrays.back().source}, {"sha256", sets_.arrays.back().fingerprint}};
  samples.weights = view_of(sets_.arrays.back(), part.rows);
}

void DataLoader::load_targets(const TargetPlan& plan) {
  load_part_targets(train_, plan, sets_.train);
  if (!sets_.validation) return;
  if (own_validation_files_) {
    load_part_targets(validation_, plan, *sets_.validation);
    return;
  }
  // The same file: other rows of the arrays that are there.
  sets_.validation->targets = sets_.train.targets;
  sets_.validation->targets.first = validation_.rows.begin;
  sets_.validation->targets.rows = validation_.rows.count();
  if (sets_.train.has_weights() && !settings_.sample_weight.empty()) {
    sets_.validation->weights = sets_.train.weights;
    sets_.validation->weights.first = validation_.rows.begin;
    sets_.validation->weights.rows = validation_.rows.count();
  }
}

}  // namespace nntrain::train

#include "train/data/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>

#include "core/error.h"
#include "core/json.h"
#include "train/data/row_groups.h"
#include "train/data/split.h"
#include "train/data/target_rules.h"

namespace nntrain::train {

DataLoader::DataLoader(comm::Session& session, const DataSettings& settings, const FitSettings& fit)
    : session_(session), settings_(settings), fit_(fit), text_(settings.text) {
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

data::SourceOptions DataLoader::options_of(data::Role role, const Part& part) const {
  const bool targets = role == data::Role::kTargets;
  data::SourceOptions options;
  options.role = role;
  options.table = settings_.table;
  options.memory = settings_.memory;
  options.keep_ids = settings_.keep_ids && !targets;
  options.of_one_table = part.targets.empty();
  options.source = targets && !part.targets.empty() ? part.targets : part.inputs;
  options.key = std::string("data.") + part.name + (targets ? "targets" : "inputs");
  options.columns = targets ? settings_.target_columns : settings_.input_columns;
  if (!targets) options.exclude_columns = settings_.target_columns;
  if (!targets) options.text = text_;
  // Validation files are read as the training's; so is what evaluate and predict get.
  const bool training = *part.name == '\0' && settings_.training.is_null();
  const Json& known = *part.name == '\0' ? settings_.training : sets_.table;
  const char* side = targets ? "targets" : "inputs";
  if (!training && known.is_object() && known.contains(side)) options.training = known[side];
  if (*part.name != '\0') options.columns.clear();  // by name or position, as the training's
  if (options.columns.empty() && options.training.is_null() && *part.name != '\0')
    options.columns = targets ? settings_.target_columns : settings_.input_columns;
  return options;
}

std::size_t DataLoader::load(Part& part, const data::SourceOptions& source_options) {
  const bool training = part.is_training();
  data::SourceOptions options = source_options;
  options.by_rows = true;
  options.most_bytes = kept_bytes(settings_.where);
  RowGroups groups;
  RowSplit parts;
  const auto split_all = [&](std::int64_t rows) {
    return split_rows(
        rows, settings_, fit_, own_validation_files_, [&] { return row_classes(); }, groups);
  };
  if (training)
    options.training_rows = [&](std::int64_t rows) { return split_all(rows).training_rows(rows); };
  LoadedArray array = open_array(session_, options.key, options.source, [&] {
    if (training && settings_.training.is_null()) groups = row_groups(options);
    source_ = data::open_array(options);
    if (training) {
      parts = split_all(source_->info().rows);
      order_ = parts.order;
    }
    return source_->info();
  });
  // How many rows groups leave for training only the ranks know that read them.
  if (training) training_rows_ = session_.maximum(order_.empty() ? 0 : parts.train.count());
  if (std::is_sorted(order_.begin(), order_.end())) order_.clear();  // they lie as in the file
  choose_memory_of(part, array, options.key);
  if (training && source_ != nullptr) sets_.ids = source_->ids();
  if (part.streams) {
    part.source = source_;
    part.is_shared = files_are_shared(session_, options.source);
  } else {
    read_array(session_, options.key, array, [&](std::span<std::byte> memory) {
      source_->read(memory);
      if (!training) return;
      reorder_rows(memory, memory.size() / static_cast<std::size_t>(source_->info().rows), order_);
    });
    sets_.bytes += array.info.bytes();
  }
  take_fingerprints(part, array, options.key);
  source_.reset();
  Json& print = sets_.fingerprints[std::string(part.name) + "inputs"];
  print = {{"source", options.source}, {"rows", array.info.rows}, {"sample", array.info.sample.extents()}};
  if (!array.fingerprint.empty()) print["sha256"] = array.fingerprint;
  print["sampled"] = array.sampled;
  report(array.info, options.source);
  sets_.arrays.push_back(std::move(array));
  return sets_.arrays.size() - 1;
}

/// The first note of a table says how it was read; the others are advice.
void DataLoader::report(const data::ArrayInfo& info, const std::string& source) {
  if (info.notes.empty()) return;
  if (reported_.insert(source).second) sets_.report.push_back(info.notes.front());
  for (std::size_t i = 1; i < info.notes.size(); ++i) sets_.notes.push_back(info.notes[i]);
}

void DataLoader::take_inputs(const Part& part, const LoadedArray& array) {
  Shape shape = array.info.sample;
  if (shape.rank() == 0) shape = Shape{1};
  if (*part.name != '\0') {
    if (shape == sets_.input_shape) return;
    throw InputError("data.validation_inputs holds samples of shape " + shape.to_string() +
                     ", data.inputs of shape " + sets_.input_shape.to_string() + "; they must be equal");
  }
  sets_.input_shape = shape;
  if (!array.info.table.is_null()) sets_.table["inputs"] = array.info.table;
  sets_.columns = array.info.columns;
  sets_.vocabulary = array.info.vocabulary;
  if (text_ && !text_->vocabulary) text_->vocabulary = sets_.vocabulary;
  if (array.info.columns.empty()) return;
  std::string list;
  const std::size_t some = std::min<std::size_t>(array.info.columns.size(), 40);
  for (std::size_t i = 0; i < some; ++i) list += (i == 0 ? "" : ", ") + array.info.columns[i];
  sets_.report.push_back(fmt::format("inputs ({}): {}{}", array.info.columns.size(), list,
                                     some < array.info.columns.size() ? ", ..." : ""));
}

void DataLoader::load_inputs() {
  comm::collectively(session_, "data.inputs", [&] {
    if (text_ && settings_.scale != 1)
      throw InputError(
          fmt::format("data.scale = {}: the inputs are text, for the layer {}, and have no scale",
                      settings_.scale, text_->layer));
    if (!settings_.inputs.empty()) return;
    throw InputError(
        "data.inputs is not set; give the source of the inputs, e.g. data.inputs = images.h5:/x");
  });
  sets_.arrays.reserve(8);
  train_.inputs_array = load(train_, options_of(data::Role::kInputs, train_));
  take_inputs(train_, sets_.arrays[train_.inputs_array]);
  if (own_validation_files_) {
    validation_.inputs_array = load(validation_, options_of(data::Role::kInputs, validation_));
    comm::collectively(session_, "validation data",
                       [&] { take_inputs(validation_, sets_.arrays[validation_.inputs_array]); });
  }
  comm::collectively(session_, "rows", [&] { split(); });
  sets_.train.inputs = view_of(sets_.arrays[train_.inputs_array], train_.rows);
  choose_blocks(sets_.arrays[train_.inputs_array].info);
  if (validation_.rows.count() > 0) {
    sets_.validation.emplace();
    sets_.validation->inputs = view_of(sets_.arrays[validation_.inputs_array], validation_.rows);
  }
  make_streams();
}

void DataLoader::choose_blocks(const data::ArrayInfo& info) {
  sets_.block_rows = settings_.block_rows > 0 ? settings_.block_rows : data::block_rows_of(info);
  if (settings_.block_rows == 0) sets_.block_cuts = data::block_cuts(info, train_.rows, sets_.block_rows);
  if (fit_.shuffle_window == 0) return;
  const std::int64_t blocks = data::RowBlocks(sets_.train.rows(), sets_.block_rows, sets_.block_cuts).count();
  const std::int64_t window = std::min(fit_.shuffle_window, blocks);
  sets_.report.push_back(
      fmt::format("order: {} block{} of {} rows{}, each epoch in a new order; rows are mixed within {} of "
                  "them ({:.3g} %)",
                  blocks, blocks == 1 ? "" : "s", sets_.block_rows,
                  settings_.block_rows > 0 ? "" : " (data.block_rows: from the layout)", window,
                  100 * static_cast<double>(window) / static_cast<double>(blocks)));
}

void DataLoader::split() {
  const std::int64_t rows = sets_.arrays[train_.inputs_array].info.rows;
  RowSplit parts = split_rows(rows, settings_, fit_, own_validation_files_, nullptr);
  if (training_rows_ > 0) {
    parts.train.end = parts.train.begin + training_rows_;
    parts.validation.begin = parts.train.end;
  }
  train_.rows = parts.train;
  validation_.rows = parts.validation;
  if (own_validation_files_) {
    const std::int64_t validation_rows = sets_.arrays[validation_.inputs_array].info.rows;
    validation_.rows =
        data::parse_row_slice(settings_.validation_rows, validation_rows, "data.validation_rows");
  } else {
    validation_.inputs_array = train_.inputs_array;
    validation_.streams = train_.streams;
    validation_.is_shared = train_.is_shared;
  }
}

/// For stratify: rows with equal targets have equal numbers.
std::vector<std::int64_t> DataLoader::row_classes() const {
  const std::unique_ptr<data::ArraySource> source =
      data::open_array(options_of(data::Role::kTargets, train_));
  std::vector<std::byte> raw(static_cast<std::size_t>(source->info().bytes()));
  source->read(raw);
  const auto rows = static_cast<std::size_t>(source->info().rows);
  const std::size_t row_bytes = raw.size() / rows;
  std::map<std::string, std::int64_t> numbers;
  std::vector<std::int64_t> classes(rows), counts;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::string key(reinterpret_cast<const char*>(raw.data()) + row * row_bytes, row_bytes);
    const auto [found, is_new] = numbers.emplace(key, static_cast<std::int64_t>(numbers.size()));
    if (is_new) counts.push_back(0);
    classes[row] = found->second;
    ++counts[static_cast<std::size_t>(found->second)];
  }
  for (std::size_t row = 0; row < rows; ++row) {
    if (counts[static_cast<std::size_t>(classes[row])] > 1) continue;
    throw InputError(
        fmt::format("data.validation: stratify=True needs classes of two rows or more, and the target of row "
                    "{} is there once "
                    "({} different targets in {} rows); leave out stratify=True{}",
                    row, numbers.size(), rows, numbers.size() * 2 > rows ? "" : " or this row"));
  }
  return classes;
}

LoadedArray DataLoader::load_prepared(const Part& part, const TargetPlan& plan) {
  const std::string key = std::string("data.") + part.name + "targets";
  data::SourceOptions options = options_of(data::Role::kTargets, part);
  const bool chosen = !options.columns.empty() || data::has_part(settings_.table, "target") ||
                      options.training.contains("columns");
  TargetRules rules =
      target_rules(settings_, sets_, plan, key + " \"" + options.source + "\"", options.training);
  rules.after_training = *part.name != '\0' || !settings_.training.is_null();
  PreparedTargets prepared;
  return share_array(
      session_, key, options.source,
      [&] {
        if (part.targets.empty() && !chosen && !options.source.ends_with(".svm")) {
          throw InputError(
              key +
              " is not set; give the source of the targets, or data.target_columns when inputs and "
              "targets are columns of one CSV");
        }
        options.class_names = rules.class_names;
        options.labels = rules.labels;
        options.wants_numbers = rules.wants_numbers;
        const std::unique_ptr<data::ArraySource> source = data::open_array(options);
        std::vector<std::byte> raw(static_cast<std::size_t>(source->info().bytes()));
        const std::int64_t input_rows = sets_.arrays[part.inputs_array].info.rows;
        if (source->info().rows != input_rows) {
          throw InputError(
              "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples. 'x' "
              "sizes: " +
              std::to_string(input_rows) + " (" + part.inputs +
              "), 'y' sizes: " + std::to_string(source->info().rows) + " (" + options.source + ")");
        }
        source->read(raw);
        prepared = prepare_targets(source->info(), raw, rules);
        check_signs(prepared, rules.where, plan.sign_metric);
        return prepared.info;
      },
      [&](std::span<std::byte> memory) {
        std::memcpy(memory.data(), prepared.values.data(), memory.size());
        if (*part.name == '\0')
          reorder_rows(memory, memory.size() / static_cast<std::size_t>(prepared.info.rows), order_);
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
  report(targets.info, targets.source);
  if (*part.name == '\0') {
    if (!targets.info.table.is_null()) sets_.table["targets"] = targets.info.table;
    if (!targets.info.class_names.empty()) sets_.class_names = targets.info.class_names;
    std::string list;
    for (const std::string& column : targets.info.columns) list += (list.empty() ? "" : ", ") + column;
    if (!list.empty()) sets_.report.push_back("targets: " + list);
  }
  load_weights(part, plan, targets, samples);
}

void DataLoader::load_weights(const Part& part, const TargetPlan& plan, const LoadedArray& targets,
                              Samples& samples) {
  const bool training = *part.name == '\0';
  const bool by_column = part.weights.empty() && data::has_part(settings_.table, "weight");
  const bool by_class = part.weights.empty() && !by_column && training && !fit_.class_weight.empty();
  if (part.weights.empty() && !by_class && !by_column) return;
  const std::string key = std::string("data.") + part.name + "sample_weight";
  const std::string source = by_column ? part.inputs : by_class ? "fit.class_weight" : part.weights;
  std::vector<float> weights;
  const std::int64_t rows = targets.info.rows;
  sets_.arrays.push_back(share_array(
      session_, key, source,
      [&] {
        weights = by_class ? class_weights(targets.info, targets.memory.as<const float>(), fit_.class_weight,
                                           *plan.loss, plan.output_shape.last())
                           : read_sample_weights(source, key, rows,
                                                 by_column ? settings_.table : data::TableOptions(),
                                                 settings_.memory);
        data::ArrayInfo info;
        info.rows = rows;
        return info;
      },
      [&](std::span<std::byte> memory) {
        std::memcpy(memory.data(), weights.data(), memory.size());
        if (training && !by_class) reorder_rows(memory, sizeof(float), order_);
      }));
  sets_.bytes += sets_.arrays.back().info.bytes();
  sets_.fingerprints[std::string(part.name) + "sample_weight"] = {
      {"source", sets_.arrays.back().source}, {"sha256", sets_.arrays.back().fingerprint}};
  samples.weights = view_of(sets_.arrays.back(), part.rows);
  weights_of_samples_ = weights_of_samples_ || (training && !by_class);
}

/// Every rank measures the same rows in the same order.
void DataLoader::scale_targets(const TargetPlan& plan) {
  if (!settings_.standardize_targets) return;
  comm::collectively(session_, "data.target_scale", [&] {
    const std::vector<std::string> names = target_names(sets_.table);
    sets_.target_scale = measure_targets(sets_.train.targets, sets_.target_shape, *plan.loss, names);
    sets_.notes.push_back(describe(sets_.target_scale, names));
  });
}

void DataLoader::load_targets(const TargetPlan& plan) {
  load_part_targets(train_, plan, sets_.train);
  scale_targets(plan);
  if (!sets_.validation) return;
  if (own_validation_files_) {
    load_part_targets(validation_, plan, *sets_.validation);
    return;
  }
  // The same file: other rows of the arrays that are there.
  sets_.validation->targets = sets_.train.targets;
  sets_.validation->targets.first = validation_.rows.begin;
  sets_.validation->targets.rows = validation_.rows.count();
  if (sets_.train.has_weights() && weights_of_samples_) {
    sets_.validation->weights = sets_.train.weights;
    sets_.validation->weights.first = validation_.rows.begin;
    sets_.validation->weights.rows = validation_.rows.count();
  }
}

}  // namespace nntrain::train

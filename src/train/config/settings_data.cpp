// The section [data].

#include <cmath>

#include "train/config/settings_reader.h"

namespace nntrain::train {

namespace {

void read_table(const Reader& reader, data::TableOptions& table) {
  table.header = reader.text("data.header");
  table.delimiter = reader.text("data.delimiter");
  table.quote = reader.text("data.quote");
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

void read_memory(const Reader& reader, DataSettings& data) {
  const std::string where = reader.choice("data.memory", {"auto", "resident", "stream"});
  if (where != "auto") data.where = where == "stream" ? DataMemory::kStream : DataMemory::kResident;
  data.cache_text = reader.text("data.cache");
  data.cache_bytes = with_origin(reader.origin("data.cache"), [&] { return parse_size(data.cache_text); });
  const std::string fingerprint = reader.choice("data.fingerprint", {"auto", "full", "sampled"});
  if (fingerprint != "auto")
    data.fingerprint = fingerprint == "full" ? Fingerprint::kFull : Fingerprint::kSampled;
}

}  // namespace

DataSettings read_data(const Reader& reader) {
  DataSettings data;
  data.inputs = reader.source("data.inputs");
  data.targets = reader.source("data.targets");
  data.sample_weight = reader.source("data.sample_weight");
  data.validation_inputs = reader.source("data.validation_inputs");
  data.validation_targets = reader.source("data.validation_targets");
  data.validation_sample_weight = reader.source("data.validation_sample_weight");
  data.test_inputs = reader.source("data.test_inputs");
  data.test_targets = reader.source("data.test_targets");
  data.rows = reader.text("data.rows");
  data.validation_rows = reader.text("data.validation_rows");
  data.input_columns = reader.text("data.input_columns");
  data.target_columns = reader.text("data.target_columns");
  data.positive_class = reader.text("data.positive_class");
  data.standardize_targets =
      reader.choice("data.target_scale", {"none", "standardize", "None"}) == "standardize";
  const Json scale = reader.json("data.scale");
  if (!scale.is_number())
    reader.fail("data.scale",
                "a number such as 1/255 is expected, got \"" + reader.text("data.scale") + "\"");
  data.scale = scale.get<double>();
  if (!std::isfinite(data.scale)) reader.fail("data.scale", "must be finite");
  data.class_names = reader.names("data.class_names");
  data.block_rows = reader.integer("data.block_rows", 1);
  read_memory(reader, data);
  read_table(reader, data.table);
  read_split(reader, data.split);
  return data;
}

}  // namespace nntrain::train

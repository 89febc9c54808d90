#include <fmt/format.h>

#include "core/error.h"
#include "train/data/dataset.h"

namespace nntrain::train {

std::string check_sample_shape(const Shape& data, const Shape& model, const std::string& source) {
  if (data == model) return {};
  const auto without_ones = [](const Shape& shape) {
    std::vector<std::int64_t> extents;
    for (const std::int64_t extent : shape.extents()) {
      if (extent != 1) extents.push_back(extent);
    }
    return extents;
  };
  const bool flat = data.rank() <= 1 || model.rank() <= 1;
  if (data.size() == model.size() && (flat || without_ones(data) == without_ones(model))) {
    return fmt::format("samples of shape {} ({}) are taken as {}, value by value", data.to_string(), source,
                       model.to_string());
  }
  throw InputError("the data's samples have shape " + data.to_string() + " (data.inputs = " + source +
                   "), the model expects " + model.to_string());
}

std::vector<std::string> target_names(const Json& table) {
  std::vector<std::string> names;
  if (!table.is_object() || !table.contains("targets")) return names;
  for (const Json& column : table["targets"].value("columns", Json::array()))
    names.push_back(column.value("name", ""));
  return names;
}

Shape sample_shape(const DataSettings& settings) {
  data::SourceOptions options;
  options.source = settings.inputs;
  options.columns = settings.input_columns;
  options.exclude_columns = settings.target_columns;
  options.key = "data.inputs";
  options.table = settings.table;
  options.text = settings.text;
  options.of_one_table = settings.targets.empty();
  options.by_rows = true;  // the values are not wanted
  options.most_bytes = 0;
  return data::open_array(options)->info().sample;
}

}  // namespace nntrain::train

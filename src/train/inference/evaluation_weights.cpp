// Whether `evaluate` weighs rows: as the training did, where the file has what that takes.

#include <fmt/format.h>

#include <algorithm>

#include "train/inference/inference.h"

namespace nntrain::train {

namespace {

/// Does the table whose ArrayInfo::table this is have the column, a name or (without names) a number?
bool has_column(const Json& table, const std::string& column) {
  if (!table.is_object()) return false;
  const Json names = table.value("table_columns", Json::array());
  if (std::find(names.begin(), names.end(), Json(column)) != names.end()) return true;
  const bool number =
      !column.empty() && column.size() < 9 && column.find_first_not_of("0123456789") == std::string::npos;
  return names.empty() && number && std::stoul(column) < table.value("width", std::size_t{0});
}

}  // namespace

void Inference::choose_weights(const DataSets& sets) {
  if (!data_settings_.sample_weight.empty()) return;
  std::string& columns = data_settings_.table.columns;
  const std::vector<std::string> weights = data::columns_of_kind(data_settings_.table, "weight");
  const std::string cure =
      "--data.columns=\"NAME: weight\" (a column of data.inputs) or "
      "--data.sample_weight=SOURCE does it";
  if (!weights.empty()) {
    const std::string& column = weights.front();
    const bool there = has_column(sets.table.value("inputs", Json()), column);
    // What the command line wishes for and the file lacks is an error of reading it.
    if (there || !columns_as_trained_) {
      // The other wishes are the training table's, whose columns are matched by name.
      if (columns_as_trained_) columns = "\"" + column + "\": weight";
      notes_.push_back(fmt::format(
          "the loss and weighted metrics weigh rows by the column \"{}\" of {}{}; --data.columns=\"{}: "
          "ignore\" "
          "counts each row once",
          column, data_settings_.inputs, columns_as_trained_ ? ", as the training did" : "", column));
      return;
    }
    columns.clear();
    notes_.push_back(
        fmt::format("rows are not weighed: the training weighed them by the column \"{}\", which {} "
                    "does not have; {}",
                    column, data_settings_.inputs, cure));
    return;
  }
  if (!contents_.data.is_object()) return;
  const Json then = contents_.data.value("fingerprints", Json::object()).value("sample_weight", Json());
  // Classes' weights are the training's alone, as in Keras.
  if (!then.is_object() || then.value("source", "") == "fit.class_weight") return;
  notes_.push_back(fmt::format("rows are not weighed: the training weighed its rows by {}; {}",
                               then.value("source", ""), cure));
}

}  // namespace nntrain::train

#include "data/converted_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"
#include "core/json.h"

namespace nntrain::data {

namespace {

using Names = std::vector<std::string>;

/// The columns of a table, with those that read as categories: "town (Bonn, Ulm)".
Names columns_of(const Json& table) {
  Names names;
  for (const Json& column : table.value("columns", Json::array())) {
    std::string name = column.value("name", "");
    if (column.contains("categories"))
      name += fmt::format(" ({})", fmt::join(column["categories"].get<Names>(), ", "));
    names.push_back(std::move(name));
  }
  return names;
}

/// Throws Json::exception where the record is of another form than the readers of tables, who get it as that
/// of the training, take for granted: anybody may have written it.
void check_record(const Json& table) {
  table.value("named", false);
  table.value("width", std::int64_t{0});
  table.value("label_names", Names{});
  table.value("separator", "");
  table.value("table_columns", Names{});
  table.value("numbers", Json::object()).value("decimal", "");
  table.value("numbers", Json::object()).value("thousands", "");
  for (const Json& column : table.value("columns", Json::array())) {
    for (const char* text : {"name", "kind", "argument", "prefix", "suffix"}) column.value(text, "");
    for (const char* flag : {"times", "indicator"}) column.value(flag, false);
    column.value("index", std::int64_t{0});
    column.value("categories", Names{});
    if (column.contains("fill") && !column["fill"].is_string()) column.value("fill", 0.0);
  }
}

}  // namespace

void take_converted_names(const io::Hdf5Group& root, const std::string& dataset, Role role, ArrayInfo& info) {
  const std::string name = dataset.starts_with('/') ? dataset.substr(1) : dataset;
  if (!root.has_attribute("written_by") || root.read_text("written_by") != "nntrain-dist convert") return;
  if (name.find('/') != std::string::npos || !root.has_attribute(name + "_table")) return;
  const std::string what = root.name() + ": " + name + "_table";
  try {
    info.table = parse_json(root.read_text(name + "_table"), what);
    check_record(info.table);
    info.table.erase("table_columns");  // of what was converted: those that are no values are not in here
    if (root.has_texts(name + "_columns")) info.columns = root.read_texts(name + "_columns");
    if (role == Role::kTargets && root.has_texts("class_names"))
      info.class_names = root.read_texts("class_names");
  } catch (const Json::exception& error) {
    throw InputError(what + " is no record of how a table was read: " + error.what());
  }
  const std::int64_t values = info.sample.size();
  if (!info.columns.empty() && static_cast<std::int64_t>(info.columns.size()) != values) {
    throw InputError(fmt::format("{} names {} columns, \"{}\" holds {} values a row", root.name(),
                                 info.columns.size(), dataset, values));
  }
}

void check_same_columns(const ArrayInfo& info, const Json& training, const std::string& where) {
  if (!info.table.is_object() || !training.is_object()) return;
  if (!info.table.value("named", false) || !training.value("named", false)) return;
  const Names here = columns_of(info.table), there = columns_of(training);
  if (here == there || there.empty()) return;
  throw InputError(
      fmt::format("{} was converted with the columns {}; the others are {}. Give convert the same "
                  "columns in the same order (--data.input_columns), and all files at once where "
                  "categories differ",
                  where, fmt::join(here, ", "), fmt::join(there, ", ")));
}

std::vector<std::size_t> match_classes(ArrayInfo& info, const Json& training, const std::string& where) {
  if (info.class_names.empty() || !training.is_object()) return {};
  const Names known = training.value("label_names", Names{});
  if (known.empty() || known == info.class_names) return {};
  std::vector<std::size_t> places;
  for (const std::string& name : info.class_names) {
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) {
      throw InputError(fmt::format("{} holds the class \"{}\", which is none of the classes {}", where, name,
                                   fmt::join(known, ", ")));
    }
    places.push_back(static_cast<std::size_t>(found - known.begin()));
  }
  info.class_names = known;
  info.table["label_names"] = known;
  return places;
}

}  // namespace nntrain::data

#include "data/tables/table_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/error.h"
#include "core/registry.h"
#include "data/tables/table_choice.h"

namespace nntrain::data {

namespace {

std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  const std::size_t some = std::min<std::size_t>(names.size(), 12);
  for (std::size_t i = 0; i < some; ++i) list += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", names[i]);
  return some < names.size() ? list + ", ..." : list;
}

/// Names that people give to a row's number: id, index, "Unnamed: 0", PassengerId, house_id.
bool names_a_row(const std::string& name) {
  std::string lower = name;
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  constexpr std::array<std::string_view, 9> kNames = {"id",     "idx", "index", "row",       "rowid",
                                                      "row_id", "uid", "uuid",  "unnamed: 0"};
  if (std::find(kNames.begin(), kNames.end(), lower) != kNames.end()) return true;
  return lower.ends_with("_id") || (name.size() > 2 && name.ends_with("Id"));
}

class Planner {
 public:
  Planner(const TableLayout& layout, const SourceOptions& options, const std::string& name)
      : layout_(layout), options_(options), name_(name), rules_(options.table.missing) {
    read_wishes();
  }

  TablePlan plan() {
    if (!options_.columns.empty()) {
      for (const std::size_t column :
           choose_columns(options_.columns, layout_, UnknownNames::kRefused, name_))
        add(column);
      check_choice(layout_, options_, name_, wishes_, plan_);
    } else if (options_.role == Role::kInputs) {
      add_inputs();
    } else {
      add_others();
    }
    if (plan_.columns.empty()) throw InputError(name_ + ": no column is left to read");
    check_names();
    return std::move(plan_);
  }

 private:
  void read_wishes() {
    for (const ColumnWish& wish : parse_wishes(options_.table.columns)) {
      // In files of their own, inputs and targets are described by one data.columns.
      const bool of_targets = wish.kind == ColumnKind::kTarget;
      const bool elsewhere = !options_.of_one_table && (options_.role == Role::kWeights ||
                                                        of_targets == (options_.role == Role::kInputs));
      std::vector<std::size_t> found;
      try {
        found = choose_columns("\"" + wish.column + "\"", layout_,
                               elsewhere ? UnknownNames::kIgnored : UnknownNames::kRefused, name_);
      } catch (const InputError& error) {
        if (!elsewhere) throw InputError(fmt::format("data.columns: {}", error.what()));
      }
      for (const std::size_t column : found) {
        if (!wishes_.emplace(column, wish).second)
          throw InputError(fmt::format("data.columns: {} is described twice", layout_.describe(column)));
      }
    }
    if (!options_.of_one_table || options_.role != Role::kInputs) return;
    for (const std::string& column : rules_.columns()) {
      if (layout_.find(column).empty())
        throw InputError("data.missing: " + unknown_column(column, layout_, name_));
    }
  }

  ColumnKind wished(std::size_t column) const {
    const auto found = wishes_.find(column);
    return found == wishes_.end() ? ColumnKind::kAuto : found->second.kind;
  }

  ColumnPlan& add(std::size_t column) {
    ColumnPlan plan;
    plan.index = column;
    plan.is_target = options_.role == Role::kTargets;
    if (column < layout_.header.size()) plan.name = layout_.header[column];
    const ColumnKind kind = wished(column);
    const bool values = kind == ColumnKind::kNumeric || kind == ColumnKind::kCategorical ||
                        kind == ColumnKind::kBoolean || kind == ColumnKind::kDate;
    if (values) {
      plan.kind = kind;
      plan.argument = wishes_.at(column).argument;
    }
    if (options_.role == Role::kInputs) plan_text(plan, kind);
    if (plan.is_target && kind == ColumnKind::kCategorical && category_form(plan.argument).oov)
      throw InputError(fmt::format(
          "data.columns: {}: categorical({}): a target has no class for unknown labels; leave oov out",
          layout_.describe(column), plan.argument));
    if (options_.role == Role::kInputs) plan.missing = rules_.of(plan.name);
    plan_.columns.push_back(plan);
    return plan_.columns.back();
  }

  /// The inputs of a model are text, or none of them is.
  void plan_text(ColumnPlan& plan, ColumnKind kind) const {
    const std::string column = layout_.describe(plan.index);
    if (!options_.text) {
      if (kind != ColumnKind::kText) return;
      throw InputError(
          fmt::format("data.columns: {}: text: the model's first layer takes numbers; StringLookup "
                      "takes text, and categorical makes numbers of it",
                      column));
    }
    if (kind != ColumnKind::kAuto && kind != ColumnKind::kText) {
      throw InputError(
          fmt::format("data.columns: {}: {} makes numbers, but the model's layer {} takes text; "
                      "leave it out, or say text",
                      column, kind_name(kind), options_.text->layer));
    }
    plan.kind = ColumnKind::kText;
    if (rules_.of(plan.name).how == MissingHow::kIndicator) {
      throw InputError(
          fmt::format("data.missing = indicator makes a column of numbers of {}, but the model's "
                      "layer {} takes text; say most_frequent or constant(word)",
                      column, options_.text->layer));
    }
  }

  /// All columns but those that have another part, and numbers of rows.
  void add_inputs() {
    const UnknownNames unknown = options_.of_one_table ? UnknownNames::kRefused : UnknownNames::kIgnored;
    const std::vector<std::size_t> excluded =
        choose_columns(options_.exclude_columns, layout_, unknown,
                       options_.of_one_table ? "data.target_columns: " + name_ : name_);
    const bool has_target =
        !excluded.empty() || std::any_of(wishes_.begin(), wishes_.end(), [](const auto& wish) {
          return wish.second.kind == ColumnKind::kTarget;
        });
    for (std::size_t column = 0; column < layout_.columns; ++column) {
      if (std::find(excluded.begin(), excluded.end(), column) != excluded.end()) continue;
      const ColumnKind kind = wished(column);
      if (kind == ColumnKind::kId || kind == ColumnKind::kWeight || kind == ColumnKind::kTarget ||
          kind == ColumnKind::kIgnore || kind == ColumnKind::kGroup) {
        continue;
      }
      ColumnPlan& plan = add(column);
      plan.may_be_target = options_.of_one_table && !has_target;
      if (layout_.header.empty() || kind != ColumnKind::kAuto) continue;
      plan.unnamed_index = column == 0 && plan.name.empty();
      plan.may_be_index = plan.unnamed_index || names_a_row(plan.name) || plan.name.empty();
    }
  }

  /// Targets and weights: those of that kind, else all.
  void add_others() {
    const ColumnKind mine = options_.role == Role::kTargets ? ColumnKind::kTarget : ColumnKind::kWeight;
    for (std::size_t column = 0; column < layout_.columns; ++column) {
      if (wished(column) == mine) add(column);
    }
    if (!plan_.columns.empty()) return;
    for (std::size_t column = 0; column < layout_.columns; ++column) {
      const ColumnKind kind = wished(column);
      if (kind == ColumnKind::kId || kind == ColumnKind::kIgnore || kind == ColumnKind::kGroup) continue;
      ColumnPlan& plan = add(column);
      plan.unnamed_index = !layout_.header.empty() && column == 0 && plan.name.empty() && layout_.columns > 1;
      plan.may_be_index = plan.unnamed_index;
    }
  }

  /// Names are what other files are matched by: a doubled one is an error where it is used, unless the
  /// columns were chosen by index.
  void check_names() {
    plan_.named = !layout_.header.empty();
    for (const ColumnPlan& plan : plan_.columns) {
      if (plan.name.empty() && !plan.may_be_index) plan_.named = false;
      const std::vector<std::size_t> same = layout_.find(plan.name);
      if (same.size() < 2 || plan.name.empty()) continue;
      plan_.named = false;
      if (!options_.columns.empty()) continue;
      throw InputError(
          fmt::format("{} has {} columns named \"{}\" (columns {} and {}); rename them, or choose columns "
                      "by index: data.{} = {}",
                      name_, same.size(), plan.name, same[0], same[1],
                      options_.role == Role::kInputs ? "input_columns" : "target_columns", same[0]));
    }
  }

  const TableLayout& layout_;
  const SourceOptions& options_;
  const std::string& name_;
  MissingRules rules_;
  std::map<std::size_t, ColumnWish> wishes_;
  TablePlan plan_;
};

/// The training table's columns in another file.
class Matcher {
 public:
  Matcher(const TableLayout& layout, const SourceOptions& options, const std::string& name)
      : layout_(layout), options_(options), name_(name), columns_(options.training["columns"]) {}

  TablePlan plan() {
    const bool by_name = options_.training.value("named", false) && !layout_.header.empty();
    if (!options_.columns.empty()) {
      by_choice();
    } else if (by_name) {
      match_names();
    } else {
      match_positions();
    }
    plan_.named = options_.training.value("named", false);
    return std::move(plan_);
  }

 private:
  void add(std::size_t at, const Json& column) {
    ColumnPlan plan;
    plan.index = at;
    plan.name = column.value("name", "");
    if (at < layout_.header.size() && plan.name.empty()) plan.name = layout_.header[at];
    plan.training = column;
    if (column.value("kind", "") == kind_name(ColumnKind::kText) && !options_.text)
      throw InputError(fmt::format("{}: the training took column \"{}\" as text, the model takes numbers",
                                   name_, plan.name));
    plan_.columns.push_back(std::move(plan));
  }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const Json& column : columns_) all.push_back(column.value("name", ""));
    return all;
  }

  /// Columns that the command line names: in that order, whatever they are called.
  void by_choice() {
    const std::vector<std::size_t> chosen =
        choose_columns(options_.columns, layout_, UnknownNames::kRefused, name_);
    if (chosen.size() != columns_.size()) {
      throw InputError(fmt::format("{}: {} columns are chosen ({}), the model was trained with {} ({})",
                                   name_, chosen.size(), options_.columns, columns_.size(),
                                   list_of(names())));
    }
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      add(chosen[i], columns_[i]);
      const std::string there = chosen[i] < layout_.header.size() ? layout_.header[chosen[i]] : "";
      if (!there.empty() && there != plan_.columns.back().name)
        plan_.notes.push_back(fmt::format("{}: column \"{}\" stands for \"{}\" of the training", name_, there,
                                          plan_.columns.back().name));
    }
  }

  void match_names() {
    std::vector<std::string> missing;
    for (const Json& column : columns_) {
      const std::string wanted = column.value("name", "");
      const std::vector<std::size_t> found = layout_.find(wanted);
      if (found.size() > 1) {
        throw InputError(
            fmt::format("{} has {} columns named \"{}\" (columns {} and {}), which the model was trained "
                        "with; which one is meant? Rename the other one",
                        name_, found.size(), wanted, found[0], found[1]));
      }
      if (found.empty()) {
        missing.push_back(wanted);
      } else {
        add(found[0], column);
      }
    }
    if (!missing.empty() && options_.role == Role::kTargets && columns_.size() == 1 && layout_.columns == 1) {
      add(0, columns_[0]);  // a file of targets alone, whatever its column is called
      plan_.notes.push_back(fmt::format("{}: its column \"{}\" is taken for the target \"{}\"", name_,
                                        layout_.header[0], missing[0]));
      return;
    }
    if (!missing.empty()) refuse(missing);
    note_others();
  }

  [[noreturn]] void refuse(const std::vector<std::string>& missing) const {
    std::string near;
    for (const std::string& wanted : missing) {
      const std::string one = nearest(wanted, layout_.header);
      if (!one.empty() && near.empty()) near = fmt::format("; is {} meant for \"{}\"?", one, wanted);
    }
    throw InputError(fmt::format("{} lacks the column{} {} that the model was trained with; it has {}{}",
                                 name_, missing.size() == 1 ? "" : "s", list_of(missing),
                                 list_of(layout_.header), near));
  }

  /// Columns beyond those of the training, for a note.
  void note_others() {
    if (options_.role != Role::kInputs) return;
    const Json all = options_.training.value("table_columns", Json::array());
    std::vector<std::string> others;
    for (const std::string& column : layout_.header) {
      const bool used = std::any_of(columns_.begin(), columns_.end(),
                                    [&](const Json& one) { return one.value("name", "") == column; });
      const bool known = std::find(all.begin(), all.end(), Json(column)) != all.end();
      if (!used && !known) others.push_back(column);
    }
    if (others.empty()) return;
    plan_.notes.push_back(fmt::format("{}: the column{} {} {} not used: the training had no such column",
                                      name_, others.size() == 1 ? "" : "s", list_of(others),
                                      others.size() == 1 ? "is" : "are"));
  }

  void match_positions() {
    const auto width = options_.training.value("width", std::size_t{0});
    const bool whole = layout_.columns == width;
    if (!whole && layout_.columns != columns_.size()) {
      throw InputError(
          fmt::format("{} has {} columns; the model was trained with {} of {} columns, and without names on "
                      "both sides they cannot be told apart",
                      name_, layout_.columns, columns_.size(), width));
    }
    for (std::size_t i = 0; i < columns_.size(); ++i)
      add(whole ? columns_[i].value("index", i) : i, columns_[i]);
    if (options_.training.value("named", false)) {
      plan_.notes.push_back(
          fmt::format("{} has no header: its columns are taken in the order {}", name_, list_of(names())));
    }
  }

  const TableLayout& layout_;
  const SourceOptions& options_;
  const std::string& name_;
  const Json& columns_;
  TablePlan plan_;
};

}  // namespace

namespace {

/// Columns of data.columns' kind id; one that is not there is a note: predictions do without.
void keep_ids(const TableLayout& layout, const SourceOptions& options, const std::string& name,
              TablePlan& plan) {
  for (const ColumnWish& wish : parse_wishes(options.table.columns)) {
    if (wish.kind != ColumnKind::kId) continue;
    const std::vector<std::size_t> found =
        choose_columns("\"" + wish.column + "\"", layout, UnknownNames::kIgnored, name);
    if (found.empty())
      plan.notes.push_back(
          fmt::format("{} has no column \"{}\", the id; predictions carry none", name, wish.column));
    for (const std::size_t column : found) {
      const bool named = column < layout.header.size() && !layout.header[column].empty();
      plan.ids.emplace_back(column, named ? layout.header[column] : fmt::format("column_{}", column));
    }
  }
}

}  // namespace

TablePlan plan_table(const TableLayout& layout, const SourceOptions& options, const std::string& name) {
  const bool known = options.training.is_object() && options.training.contains("columns");
  TablePlan plan = known ? Matcher(layout, options, name).plan() : Planner(layout, options, name).plan();
  if (options.keep_ids) keep_ids(layout, options, name, plan);
  return plan;
}

}  // namespace nntrain::data

#include "data/tables/table_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "data/python_slice.h"
#include "data/tables/records.h"

namespace nntrain::data {

namespace {

/// Does `choice` say this column's name or index, not a slice that it lies in?
bool is_named(const std::string& choice, std::size_t column, const TableLayout& layout) {
  for (const std::string& item : split_fields(choice, ',')) {
    const std::vector<std::size_t> found = layout.find(item);
    if (std::find(found.begin(), found.end(), column) != found.end()) return true;
    const auto index = found.empty() ? parse_integer(item) : std::nullopt;
    const auto columns = static_cast<std::int64_t>(layout.columns);
    if (index && (*index < 0 ? *index + columns : *index) == static_cast<std::int64_t>(column)) return true;
  }
  return false;
}

/// A target among the inputs: what the model shall find is told to it. Where both are the same columns, a
/// model learns its inputs.
void check_leak(const TableLayout& layout, const SourceOptions& options, const std::string& name,
                TablePlan& plan) {
  const std::vector<std::size_t> targets =
      choose_columns(options.exclude_columns, layout, UnknownNames::kRefused, "data.target_columns: " + name);
  std::size_t both = 0;
  std::string leaked;
  bool by_slice = false;
  for (const ColumnPlan& column : plan.columns) {
    if (std::find(targets.begin(), targets.end(), column.index) == targets.end()) continue;
    ++both;
    leaked += (leaked.empty() ? "" : ", ") + layout.describe(column.index);
    by_slice = by_slice || !is_named(options.columns, column.index, layout);
  }
  if (both == 0 || (both == targets.size() && both == plan.columns.size())) return;
  const std::string what =
      fmt::format("data.input_columns = {} takes {}, which data.target_columns = {} takes as a target",
                  options.columns, leaked, options.exclude_columns);
  if (by_slice)
    throw InputError(fmt::format(
        "{}: {}; choose inputs without it, or name it there if the model shall see its target", name, what));
  plan.notes.push_back(what + ", too: the model sees what it shall find");
}

}  // namespace

void check_choice(const TableLayout& layout, const SourceOptions& options, const std::string& name,
                  const std::map<std::size_t, ColumnWish>& wishes, TablePlan& plan) {
  if (options.role == Role::kWeights) return;
  const bool inputs = options.role == Role::kInputs;
  const char* key = inputs ? "data.input_columns" : "data.target_columns";
  for (const auto& [column, wish] : wishes) {
    const bool is_target = wish.kind == ColumnKind::kTarget;
    const bool no_values = wish.kind == ColumnKind::kIgnore || wish.kind == ColumnKind::kWeight ||
                           wish.kind == ColumnKind::kId || wish.kind == ColumnKind::kGroup;
    const bool chosen = std::any_of(plan.columns.begin(), plan.columns.end(),
                                    [at = column](const ColumnPlan& one) { return one.index == at; });
    if (chosen ? no_values || (inputs && is_target) : !inputs && is_target)
      throw InputError(fmt::format(
          "{}: {} = {} and data.columns contradict each other: data.columns says {}: {}, and {} {}; "
          "say the same in both, or name the column in one of them only",
          name, key, options.columns, layout.describe(column), kind_name(wish.kind), key,
          chosen ? "takes it" : "leaves it out"));
  }
  if (inputs && options.of_one_table) check_leak(layout, options, name, plan);
}

}  // namespace nntrain::data

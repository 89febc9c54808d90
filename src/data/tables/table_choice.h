#pragma once
// Private to src/data: data.input_columns and data.target_columns against data.columns, and against each
// other.

#include <map>
#include <string>

#include "data/array_source.h"
#include "data/tables/columns.h"
#include "data/tables/table_plan.h"

namespace nntrain::data {

/// `plan` holds the columns that options.columns chose, `wishes` what data.columns says of a column.
/// InputError, with both keys: a column is chosen that data.columns keeps out (ignore, id, group, weight; a
/// target as an input), a target of data.columns is not chosen, or a slice of the inputs takes a target. A
/// target that is named among the inputs is a note of the plan.
void check_choice(const TableLayout& layout, const SourceOptions& options, const std::string& name,
                  const std::map<std::size_t, ColumnWish>& wishes, TablePlan& plan);

}  // namespace nntrain::data

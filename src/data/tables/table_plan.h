#pragma once
// Private to src/data: which columns of a table are read, and as what.

#include <string>
#include <utility>
#include <vector>

#include "data/array_source.h"
#include "data/tables/column_reader.h"

namespace nntrain::data {

struct TablePlan {
  std::vector<ColumnPlan> columns;  ///< in the order of the samples' values
  bool named = false;               ///< by names that occur once each
  std::vector<std::string> notes;
  std::vector<std::pair<std::size_t, std::string>> ids;  ///< columns kept as text, and their names
};

/// While training: the options choose. With options.training: the columns of the training table, by name
/// where both files have a header, else by position. InputError: missing and doubled names, no column at all.
TablePlan plan_table(const TableLayout& layout, const SourceOptions& options, const std::string& name);

}  // namespace nntrain::data

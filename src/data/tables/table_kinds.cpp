// TableReader's part in `data.columns = auto`.

#include <fmt/format.h>

#include "data/tables/table_reader.h"

namespace nntrain::data {

void TableReader::look_at_kinds(std::string_view record, std::int64_t line) {
  finders_.resize(plan_.columns.size());
  check_encoding(record, line);
  FieldScanner fields(record, dialect_.delimiter, dialect_.quote);
  std::string_view field;
  for (std::size_t column = 0; fields.next(field) && column < cells_.size(); ++column) {
    if (cells_[column].slot != kSkip) finders_[cells_[column].slot].add(field, dialect_.numbers);
  }
  ++rows_;
}

std::string TableReader::found_kinds() const {
  std::string text;
  for (std::size_t i = 0; i < finders_.size(); ++i) {
    const ColumnPlan& plan = plan_.columns[i];
    const ColumnKind kind = finders_[i].kind();
    if (plan.kind != ColumnKind::kAuto || kind == ColumnKind::kAuto) continue;
    const bool by_name = !plan.name.empty() && plan.name.find_first_of("\"'") == std::string::npos &&
                         first_.find(plan.name).size() == 1;
    text += fmt::format(", \"{}\": {}", by_name ? plan.name : std::to_string(plan.index), kind_name(kind));
  }
  return text;
}

std::string TableReader::kinds_note() const {
  std::string text =
      fmt::format("{}: kinds of its columns, found in {} rows (data.columns = auto):", name_, rows_);
  for (std::size_t i = 0; i < finders_.size(); ++i) {
    const ColumnPlan& plan = plan_.columns[i];
    const std::string kind = plan.kind != ColumnKind::kAuto ? std::string(kind_name(plan.kind)) + " (as told)"
                                                            : finders_[i].describe();
    text += fmt::format("{} {}: {}", i == 0 ? "" : ";",
                        plan.name.empty() ? std::to_string(plan.index) : plan.name, kind);
  }
  return text;
}

}  // namespace nntrain::data

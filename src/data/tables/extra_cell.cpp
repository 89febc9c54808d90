// TableReader's part in rows that have one cell more than the header has names: the first may be the row's
// name, or the last is nothing, behind a delimiter at the end of each row. Taken for the other, every value
// stands under its neighbour's name.

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "data/tables/table_reader.h"

namespace nntrain::data {

void TableReader::settle_extra_cell(std::vector<std::vector<std::string>>& fields) {
  if (dialect_.extra == ExtraCell::kNone) dialect_.extra = find_extra_cell(fields);
  if (dialect_.extra == ExtraCell::kNone) return;
  dialect_.header = HeaderChoice::kYes;
  if (dialect_.extra == ExtraCell::kRowName) {
    fields[0].insert(fields[0].begin(), "");
    return;
  }
  for (std::size_t i = 1; i < fields.size(); ++i) fields[i].pop_back();
}

/// All of the first rows have to speak for it: pandas takes the first cells for names in either case.
ExtraCell TableReader::find_extra_cell(const std::vector<std::vector<std::string>>& fields) const {
  constexpr std::size_t kNoRow = 0;  // it is the header
  const std::size_t names = fields[0].size();
  std::size_t empty = kNoRow, filled = kNoRow, equal = kNoRow;  // the first row of each sort
  for (std::size_t i = 1; i < fields.size(); ++i) {
    const bool longer = fields[i].size() == names + 1;
    if (!longer && fields[i].size() != names) return ExtraCell::kNone;  // refused where it is read
    std::size_t& row = !longer ? equal : fields[i].back().empty() ? empty : filled;
    if (row == kNoRow) row = i;
  }
  const bool named = std::all_of(fields[0].begin(), fields[0].end(), [&](const std::string& field) {
    float value = 0;
    const NumberState state = parse_number(field, value);
    return state == NumberState::kNoNumber || dialect_.header == HeaderChoice::kYes;
  });
  if ((empty == kNoRow && filled == kNoRow) || !named || dialect_.header == HeaderChoice::kNo)
    return ExtraCell::kNone;
  if (empty != kNoRow && equal != kNoRow)
    refuse_mixed_ends(empty, equal, "end all rows in one way, without a delimiter behind the last cell");
  if (empty != kNoRow && filled != kNoRow) {
    refuse_mixed_ends(empty, filled,
                      "give the header a name for each column, for that of the rows' names too, or end all "
                      "rows in one way");
  }
  if (equal != kNoRow) return ExtraCell::kNone;  // refused where it is read
  return empty != kNoRow ? ExtraCell::kEmptyLast : ExtraCell::kRowName;
}

void TableReader::refuse_mixed_ends(std::size_t empty, std::size_t other, const char* cure) const {
  throw InputError(fmt::format(
      "{}: line {} (row {}, \"{}\") ends with an empty cell beyond the names of the header in line "
      "{}, line {} (row {}, \"{}\") does not: is the first cell of a row its name, or the last one "
      "nothing? {}",
      scanner_->name(), start_[empty].line, empty - 1, start_[empty].text.substr(0, 80), files_.back().line,
      start_[other].line, other - 1, start_[other].text.substr(0, 80), cure));
}

std::string TableReader::extra_cell_note() const {
  if (dialect_.extra == ExtraCell::kRowName) {
    return fmt::format(
        "{}: rows have one cell more than the header in line {}: the first one is taken for the row's name, "
        "as R writes it; if it is a value, give its column a name in the header",
        scanner_->name(), files_.back().line);
  }
  return fmt::format(
      "{}: each row ends with a delimiter and nothing behind it, which the header in line {} does not: the "
      "empty cell is no column",
      scanner_->name(), files_.back().line);
}

/// A row without the delimiter at its end.
std::string_view TableReader::without_extra_cell(std::string_view record, std::int64_t line) const {
  std::string_view row = record;
  while (!row.empty() && row.back() == ' ') row.remove_suffix(1);
  const std::string quoted = {dialect_.delimiter, dialect_.quote, dialect_.quote};
  if (dialect_.quote != '\0' && row.ends_with(quoted)) row.remove_suffix(2);
  if (!row.empty() && row.back() == dialect_.delimiter) return row.substr(0, row.size() - 1);
  const std::size_t columns = split_fields(record, dialect_.delimiter, dialect_.quote).size();
  throw InputError(fmt::format(
      "{}, line {} (row {}, \"{}\") has {} columns and does not end with an empty cell, as the rows "
      "before it do; the header in line {} names {}; end all rows in one way",
      scanner_->name(), line, rows_ + row_shift_, record.substr(0, 80), columns, files_.back().line,
      layout_.columns));
}

}  // namespace nntrain::data

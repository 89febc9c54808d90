#include "checkpoint/history_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "core/digits.h"

namespace nntrain::checkpoint {

namespace {

std::vector<std::string_view> cells_of(std::string_view line, std::string_view separator) {
  std::vector<std::string_view> cells;
  for (std::size_t at = line.find(separator); at != std::string_view::npos; at = line.find(separator)) {
    cells.push_back(line.substr(0, at));
    line.remove_prefix(at + separator.size());
  }
  cells.push_back(line);
  return cells;
}

/// The shortest text of its number, with Python's ".0" or without.
bool is_shortest(std::string_view cell) {
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size()) return false;
  const std::string text = fmt::format("{}", value);
  return text == cell || text + ".0" == cell;
}

bool is_missing(std::string_view cell) { return cell.empty() || cell == "NA"; }

}  // namespace

bool is_history_table(std::string_view start, std::string_view separator, std::string_view another,
                      LongNumbers numbers) {
  std::size_t end = start.find('\n');
  if (end == std::string_view::npos) return false;
  const std::vector<std::string_view> names = cells_of(start.substr(0, end), separator);
  const auto loss = std::find(names.begin(), names.end(), "loss");
  if (names.front() != "epoch" || loss == names.end() ||
      std::find(names.begin(), names.end(), another) == names.end())
    return false;
  const auto at = static_cast<std::size_t>(loss - names.begin());
  std::int64_t rows = 0, long_ones = 0;
  for (start.remove_prefix(end + 1); (end = start.find('\n')) != std::string_view::npos;
       start.remove_prefix(end + 1)) {
    const std::vector<std::string_view> cells = cells_of(start.substr(0, end), separator);
    if (cells.size() != names.size() ||
        cells.front().find_first_not_of("0123456789") != std::string_view::npos)
      return false;
    for (const std::string_view cell : cells) {
      if (!is_missing(cell) && !is_shortest(cell)) return false;
    }
    ++rows;
    long_ones += significant_digits(cells[at]) >= kLongDigits;
  }
  return (rows == 0 && start.empty()) || numbers == LongNumbers::kNotLookedAt ||
         (rows > 0 && 2 * long_ones >= rows);
}

}  // namespace nntrain::checkpoint

#include "data/csv_columns.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/registry.h"
#include "data/csv_text.h"
#include "data/python_slice.h"

namespace nntrain::data {

namespace {

std::string unknown_name(const std::string& item, const CsvLayout& layout, const std::string& name) {
  if (layout.header.empty()) {
    return fmt::format(
        "{} has no header, so there is no column \"{}\"; give indices or slices, e.g. :4 or -1", name, item);
  }
  const std::string near = nearest(item, layout.header);
  if (!near.empty()) return fmt::format("{} has no column \"{}\"; did you mean {}?", name, item, near);
  std::string known;
  const std::size_t shown = std::min<std::size_t>(layout.header.size(), 20);
  for (std::size_t i = 0; i < shown; ++i) known += fmt::format("{}{}", i == 0 ? "" : ", ", layout.header[i]);
  return fmt::format("{} has no column \"{}\"; its columns are {}{}", name, item, known,
                     shown < layout.header.size() ? ", ..." : "");
}

RowRange range_of(const std::string& item, const CsvLayout& layout, UnknownNames unknown,
                  const std::string& name) {
  const auto found = std::find(layout.header.begin(), layout.header.end(), item);
  if (found != layout.header.end()) {
    const auto at = found - layout.header.begin();
    return {at, at + 1};
  }
  const auto columns = static_cast<std::int64_t>(layout.columns);
  if (const auto index = parse_integer(item)) {
    const std::int64_t at = *index < 0 ? *index + columns : *index;
    if (at >= 0 && at < columns) return {at, at + 1};
    throw InputError(fmt::format("{} has {} columns, so there is no column {}", name, columns, item));
  }
  const auto slice = parse_python_slice(item);
  if (!slice) {
    if (unknown == UnknownNames::kIgnored) return {};
    throw InputError(unknown_name(item, layout, name));
  }
  const RowRange range = slice->range(columns);
  if (range.count() == 0)
    throw InputError(fmt::format("{} has {} columns; {} selects none of them", name, columns, item));
  return range;
}

}  // namespace

std::string CsvLayout::describe(std::size_t column) const {
  return header.empty() ? fmt::format("column {}", column) : fmt::format("column \"{}\"", header[column]);
}

std::vector<std::size_t> choose_columns(std::string_view text, const CsvLayout& layout, UnknownNames unknown,
                                        const std::string& name) {
  std::vector<std::size_t> chosen;
  for (const std::string& item : split_fields(text, ',')) {
    if (item.empty()) continue;
    const RowRange range = range_of(item, layout, unknown, name);
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      const auto column = static_cast<std::size_t>(i);
      if (std::find(chosen.begin(), chosen.end(), column) != chosen.end()) {
        throw InputError(
            fmt::format("{}: {} is chosen twice by \"{}\"", name, layout.describe(column), text));
      }
      chosen.push_back(column);
    }
  }
  return chosen;
}

}  // namespace nntrain::data

#include "data/tables/columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/error.h"
#include "core/registry.h"
#include "data/python_slice.h"
#include "data/tables/records.h"

namespace nntrain::data {

std::string unknown_column(const std::string& item, const TableLayout& layout, const std::string& name) {
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

namespace {

RowRange range_of(const std::string& item, const TableLayout& layout, UnknownNames unknown,
                  const std::string& name) {
  const std::vector<std::size_t> named = layout.find(item);
  if (named.size() > 1) {
    throw InputError(
        fmt::format("{} has {} columns named \"{}\" (columns {} and {}); rename them, or choose by index",
                    name, named.size(), item, named[0], named[1]));
  }
  if (named.size() == 1) {
    const auto at = static_cast<std::int64_t>(named[0]);
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
    throw InputError(unknown_column(item, layout, name));
  }
  const RowRange range = slice->range(columns);
  if (range.count() == 0)
    throw InputError(fmt::format("{} has {} columns; {} selects none of them", name, columns, item));
  return range;
}

}  // namespace

std::string TableLayout::describe(std::size_t column) const {
  return column >= header.size() ? fmt::format("column {}", column)
                                 : fmt::format("column \"{}\"", header[column]);
}

std::vector<std::size_t> TableLayout::find(std::string_view name) const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (header[i] == name) found.push_back(i);
  }
  return found;
}

std::vector<std::size_t> choose_columns(std::string_view text, const TableLayout& layout,
                                        UnknownNames unknown, const std::string& name) {
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

namespace {

constexpr std::array<std::pair<std::string_view, ColumnKind>, 13> kKinds = {
    {{"auto", ColumnKind::kAuto},
     {"numeric", ColumnKind::kNumeric},
     {"categorical", ColumnKind::kCategorical},
     {"boolean", ColumnKind::kBoolean},
     {"date", ColumnKind::kDate},
     {"id", ColumnKind::kId},
     {"weight", ColumnKind::kWeight},
     {"target", ColumnKind::kTarget},
     {"ignore", ColumnKind::kIgnore},
     {"group", ColumnKind::kGroup},
     {"text", ColumnKind::kText},
     {"number", ColumnKind::kNumeric},
     {"bool", ColumnKind::kBoolean}}};

/// The kind stands behind the last colon outside brackets and quotes; a name may hold colons of its own.
std::size_t colon_of(std::string_view item) {
  std::size_t colon = std::string_view::npos;
  int depth = 0;
  char quote = '\0';
  for (std::size_t i = 0; i < item.size(); ++i) {
    const char c = item[i];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
      continue;
    }
    if (c == '"' || c == '\'') quote = c;
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == ':' && depth == 0) colon = i;
  }
  return colon;
}

std::string unquoted(std::string_view text) {
  const std::string_view item = trimmed(text);
  const bool quoted =
      item.size() >= 2 && item.front() == item.back() && (item.front() == '"' || item.front() == '\'');
  return std::string(quoted ? item.substr(1, item.size() - 2) : item);
}

}  // namespace

const char* kind_name(ColumnKind kind) {
  for (const auto& [name, known] : kKinds) {
    if (known == kind) return name.data();
  }
  return "auto";
}

ColumnKind parse_kind(std::string_view name) {
  std::vector<std::string> known;
  for (const auto& [text, kind] : kKinds) {
    if (text == name) return kind;
    known.emplace_back(text);
  }
  const std::string near = nearest(name, known);
  throw InputError(fmt::format(
      "\"{}\" is none of the kinds numeric, categorical, boolean, date, text, id, weight, target, ignore, "
      "group{}",
      name, near.empty() ? "" : "; did you mean " + near + "?"));
}

std::vector<std::string> split_items(std::string_view text) {
  std::vector<std::string> items;
  int depth = 0;
  char quote = '\0';
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ',';
    if (quote != '\0' && i < text.size()) {
      if (c == quote) quote = '\0';
      continue;
    }
    if (c == '"' || c == '\'') quote = c;
    if (c == '(' || c == '[') ++depth;
    if (c == ')' || c == ']') --depth;
    if (i < text.size() && (c != ',' || depth > 0)) continue;
    const std::string_view item = trimmed(text.substr(begin, i - begin));
    if (!item.empty()) items.emplace_back(item);
    begin = i + 1;
  }
  return items;
}

namespace {

std::vector<std::string> wish_items(std::string_view text) {
  std::string_view whole = trimmed(text);
  if (whole.starts_with('{') && whole.ends_with('}')) whole = whole.substr(1, whole.size() - 2);
  return split_items(whole);
}

}  // namespace

/// What stands in the brackets, without a keyword: `format="%d"`.
std::string without_keyword(std::string_view argument) {
  const std::size_t equals = argument.find('=');
  if (equals != std::string_view::npos && argument.find_first_of("\"'%") > equals)
    argument = argument.substr(equals + 1);
  return unquoted(argument);
}

/// The argument of `kind`, in one form however it is written.
std::string checked_argument(ColumnKind kind, std::string_view written) {
  if (kind == ColumnKind::kDate) return without_keyword(written);
  const std::vector<std::string> items = split_items(written);
  if (kind != ColumnKind::kCategorical) {
    if (items.empty()) return {};
    throw InputError(fmt::format("{} takes no argument, got ({})", kind_name(kind), written));
  }
  CategoryForm form;
  bool one_hot = false;
  for (const std::string& item : items) {
    const std::string word = without_keyword(item);
    one_hot = one_hot || word == "one_hot";
    form.indices = form.indices || word == "indices";
    form.oov = form.oov || word == "oov";
    if (word == "one_hot" || word == "indices" || word == "oov") continue;
    const std::string near = nearest(word, {"one_hot", "indices", "oov"});
    throw InputError(fmt::format("categorical({}): \"{}\" is none of one_hot, indices, oov{}", written, item,
                                 near.empty() ? "" : "; did you mean " + near + "?"));
  }
  if (one_hot && form.indices)
    throw InputError(fmt::format(
        "categorical({}): one_hot makes a column a category, indices one column; give one of both", written));
  if (form.oov) return form.indices ? "indices, oov" : "one_hot, oov";
  return form.indices ? "indices" : one_hot ? "one_hot" : "";
}

CategoryForm category_form(std::string_view argument) {
  CategoryForm form;
  for (const std::string& item : split_items(argument)) {
    form.indices = form.indices || item == "indices";
    form.oov = form.oov || item == "oov";
  }
  return form;
}

bool wishes_found_kinds(std::string_view text) {
  const std::vector<std::string> items = wish_items(text);
  return std::find(items.begin(), items.end(), "auto") != items.end();
}

std::vector<ColumnWish> parse_wishes(std::string_view text) {
  std::vector<ColumnWish> wishes;
  for (const std::string& item : wish_items(text)) {
    if (item == "auto") continue;
    const std::size_t colon = colon_of(item);
    if (colon == std::string::npos) {
      throw InputError(fmt::format("\"{}\" is not of the form NAME: kind", item));
    }
    ColumnWish wish;
    wish.column = unquoted(std::string_view(item).substr(0, colon));
    std::string kind = unquoted(std::string_view(item).substr(colon + 1)), argument;
    const std::size_t call = kind.find('(');
    if (call != std::string::npos && kind.ends_with(')')) {
      argument = kind.substr(call + 1, kind.size() - call - 2);
      kind = std::string(trimmed(kind.substr(0, call)));
    }
    try {
      wish.kind = parse_kind(kind);
      wish.argument = checked_argument(wish.kind, argument);
    } catch (const InputError& error) {
      throw InputError(fmt::format("{}: {}", wish.column, error.what()));
    }
    wishes.push_back(std::move(wish));
  }
  return wishes;
}

bool has_part(const TableOptions& table, std::string_view kind) {
  const std::vector<ColumnWish> wishes = parse_wishes(table.columns);
  return std::any_of(wishes.begin(), wishes.end(),
                     [&](const ColumnWish& wish) { return kind_name(wish.kind) == kind; });
}

std::vector<std::string> columns_of_kind(const TableOptions& table, std::string_view kind) {
  std::vector<std::string> columns;
  for (const ColumnWish& wish : parse_wishes(table.columns)) {
    if (kind_name(wish.kind) == kind) columns.push_back(wish.column);
  }
  return columns;
}

}  // namespace nntrain::data

#pragma once
// Private to src/data: which columns of a table are meant by `petal_length, 3, -2:, "a, b"`, and what
// data.columns says of them.

#include <string>
#include <string_view>
#include <vector>

namespace nntrain::data {

struct TableLayout {
  std::vector<std::string> header;  ///< empty: the file has none
  std::size_t columns = 0;
  /// `column "age"` or `column 3`, for messages.
  std::string describe(std::size_t column) const;
  /// All columns of that name.
  std::vector<std::size_t> find(std::string_view name) const;
};

enum class UnknownNames { kRefused, kIgnored };

/// Column indices in the order written. A name comes before an index or slice of the same text. InputError,
/// with `name` (key and file) in it: an unknown name (with the nearest known ones), a name that several
/// columns have, an index beyond the columns, a slice of nothing, a column twice.
std::vector<std::size_t> choose_columns(std::string_view text, const TableLayout& layout,
                                        UnknownNames unknown, const std::string& name);

/// "table has no column "x"; did you mean ...".
std::string unknown_column(const std::string& item, const TableLayout& layout, const std::string& name);

/// What a column is. kAuto: nothing was said.
enum class ColumnKind {
  kAuto,
  kNumeric,
  kCategorical,
  kBoolean,
  kDate,
  kId,
  kWeight,
  kTarget,
  kIgnore,
  kGroup,
  kText
};
const char* kind_name(ColumnKind kind);
ColumnKind parse_kind(std::string_view name);  ///< InputError: unknown, with the known ones

struct ColumnWish {
  std::string column;  ///< name or index, as written
  ColumnKind kind = ColumnKind::kAuto;
  std::string argument;  ///< date("%d.%m.%Y"), categorical(indices, oov)
};

/// What `categorical(..)` asks for.
struct CategoryForm {
  bool indices = false;  ///< one column, not one a category
  bool oov = false;      ///< words that the training rows do not have get index 0, as in Keras' StringLookup
};
/// Of a wish's argument: `indices, oov`. Pure.
CategoryForm category_form(std::string_view argument);
/// What Keras calls a word that is in no vocabulary.
inline constexpr std::string_view kUnknownWord = "[UNK]";

/// `area: numeric, "a, b": categorical, day: date("%d/%m/%Y")`; `auto` among them is passed over. InputError:
/// another form, an unknown kind, an argument that the kind does not have (those of date its reader knows).
std::vector<ColumnWish> parse_wishes(std::string_view text);

/// Is `auto` among them: shall kinds be found that are not said?
bool wishes_found_kinds(std::string_view text);

/// Cuts at commas outside quotes and brackets; blanks round the items are dropped.
std::vector<std::string> split_items(std::string_view text);

}  // namespace nntrain::data

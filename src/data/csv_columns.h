#pragma once
// Private to src/data: which columns of a CSV file are meant by `petal_length, 3, -2:, "a, b"`.

#include <string>
#include <string_view>
#include <vector>

namespace nntrain::data {

struct CsvLayout {
  std::vector<std::string> header;  ///< empty: the file has none
  std::size_t columns = 0;
  /// `column "age"` or `column 3`, for messages.
  std::string describe(std::size_t column) const;
};

enum class UnknownNames { kRefused, kIgnored };

/// Column indices in the order written. A name comes before an index or slice of the same text. InputError,
/// with `name` (key and file) in it: an unknown name (with the nearest known ones), an index beyond the
/// columns, a slice of nothing, a column twice.
std::vector<std::size_t> choose_columns(std::string_view text, const CsvLayout& layout, UnknownNames unknown,
                                        const std::string& name);

}  // namespace nntrain::data

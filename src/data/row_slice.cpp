#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "data/array_source.h"
#include "data/python_slice.h"

namespace nntrain::data {

RowRange parse_row_slice(std::string_view text, std::int64_t rows, std::string_view key) {
  if (trimmed(text).empty()) return {0, rows};
  const std::optional<PythonSlice> slice = parse_python_slice(text);
  if (!slice) {
    throw InputError(fmt::format(
        "{} = {} is not a Python slice of rows such as 5000: or :5000 or -100: or 10:20", key, text));
  }
  return slice->range(rows);
}

}  // namespace nntrain::data

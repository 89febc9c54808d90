#pragma once
// How a table is written: what stands between cells, rows and digits.

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/array_source.h"
#include "data/tables/number_text.h"
#include "data/tables/text_encoding.h"

namespace nntrain::data {

constexpr char kBlanks = ' ';  ///< as a delimiter: any run of blanks and tabs

enum class HeaderChoice { kAuto, kYes, kNo };

/// What rows have one of beyond the header's names.
enum class ExtraCell {
  kNone,
  kRowName,   ///< first in each row: R's write.table names every column but that of the rows' names
  kEmptyLast  ///< nothing, behind a delimiter at the end of each row
};

struct Dialect {
  char delimiter = ',';
  char quote = '"';  ///< 0: none
  NumberFormat numbers;
  bool numbers_known =
      false;  ///< a key, this text or another one of the same source tells how they are written
  std::string numbers_note;  ///< what a user should know of that; empty: nothing
  char comment = '\0';       ///< lines that begin with it are skipped; none
  char line_end = '\n';
  Encoding encoding = Encoding::kUtf8;
  std::size_t skip_bytes = 0;   ///< of a byte order mark
  std::size_t skip_lines = 0;   ///< before the header, as data.header = skip N says
  bool comment_header = false;  ///< the first line is "# a b c", as numpy.savetxt writes names
  HeaderChoice header = HeaderChoice::kAuto;
  ExtraCell extra = ExtraCell::kNone;  ///< found with the first rows
};

/// What data.quote says. InputError: more than one character.
char quote_of(const TableOptions& requested);

/// How numbers are written elsewhere in the same source, or in its training.
struct KnownNumbers {
  NumberFormat format;
  std::string where;  ///< "the training"
};
using FindNumbers = std::function<std::optional<KnownNumbers>()>;

/// From the file's first bytes (`whole`: they are all of it) and what the keys say. `elsewhere` tells what
/// numbers mean that this text leaves open. InputError, with `name` in it: a key's value that has no meaning,
/// marks that contradict one another, numbers that can be read in two ways.
Dialect find_dialect(std::span<const std::byte> start, bool whole, const TableOptions& requested,
                     const std::string& name, const FindNumbers& elsewhere = {});

/// "delimiter ;, decimal , and thousands ." : what differs from a plain CSV; empty: nothing.
std::string describe(const Dialect& dialect);

/// Records of a text in memory: for a look at a file's beginning. The last one may be cut.
std::vector<std::string_view> split_records(std::string_view text, const Dialect& dialect);

}  // namespace nntrain::data

#pragma once
// Private to src/data: the rows of one table, or of several files that are one, into columns of numbers.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/array_source.h"
#include "data/tables/column_reader.h"
#include "data/tables/columns.h"
#include "data/tables/dialect.h"
#include "data/tables/labels.h"
#include "data/tables/records.h"
#include "data/tables/table_plan.h"

namespace nntrain::data {

/// Where a piece of a longer text stands in it: what messages add to lines and rows.
struct TextPosition {
  std::int64_t line = 1, row = 0;
};

class TableReader {
 public:
  /// `options` outlive the reader.
  explicit TableReader(const SourceOptions& options) : options_(options) {}

  /// Reads all rows of the next file. The first one decides which columns there are; the columns of later
  /// ones are found by name where both have a header. InputError: see open_array.
  void add(ByteStream text, const Dialect& dialect, TextPosition begins = {});
  /// After the last file: categories, fill values and labels of all rows.
  std::unique_ptr<ArraySource> finish();

 private:
  static constexpr std::size_t kSkip = static_cast<std::size_t>(-1);

  struct Record {
    std::string text;
    std::int64_t line = 0;
  };
  /// Where the rows of a file begin among all rows.
  struct FileStart {
    std::string name;
    std::int64_t row = 0, line = 1;  ///< the line: of the first record
    bool header = false;
  };

  /// A column of the file at hand: where its cells go, and the cell of the row at hand.
  struct Cell {
    std::size_t slot = kSkip, id_slot = kSkip;  ///< among readers_ and ids_
    std::string_view text;
    float number = 0;
    bool is_number = false;
  };

  void read_start();
  bool has_header(const std::vector<std::vector<std::string>>& fields);
  bool holds_names(const std::vector<std::string>& fields) const;
  void check_encoding(std::string_view record, std::int64_t line) const;
  void prepare();
  void match_to_first();
  void map_columns(const std::vector<std::size_t>& place);
  bool add_simple_row(std::string_view record, std::int64_t line);
  void add_cell(std::size_t column, std::string_view field, std::int64_t line);
  void add_row(std::string_view record, std::int64_t line);
  std::string in_role(const std::string& complaint) const;
  const FileStart& file_of(std::int64_t row) const;
  [[noreturn]] void fail(std::int64_t line, std::size_t column, const std::string& complaint) const;
  std::unique_ptr<ArraySource> finish_labels();
  std::unique_ptr<ArraySource> finish_columns();
  void leave_out_indices();
  ArrayInfo make_array_info();
  std::string reading_note() const;

  const SourceOptions& options_;
  std::vector<FileStart> files_;
  std::string name_;   ///< of all files together, for messages
  TableLayout first_;  ///< of the first file
  TablePlan plan_;
  std::vector<TextColumn> ids_;
  std::optional<LabelColumn> labels_;
  std::vector<ColumnReader> readers_;
  std::int64_t rows_ = 0;
  std::int64_t comments_ = 0;
  std::string dialect_text_, header_reason_;

  // of the file at hand
  Dialect dialect_;
  std::optional<RecordScanner> scanner_;
  std::vector<Record> start_;
  TableLayout layout_;
  std::vector<Cell> cells_;  ///< one a column
  std::int64_t row_shift_ = 0;
};

}  // namespace nntrain::data

#pragma once
// Private to src/data: the rows of one table, or of several files that are one, into columns of numbers.

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
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
#include "data/tables/kind_finder.h"
#include "data/tables/labels.h"
#include "data/tables/records.h"
#include "data/tables/table_plan.h"

namespace nntrain::data {

/// Where a piece of a longer text stands in it: what messages add to lines and rows.
struct TextPosition {
  std::int64_t line = 1, row = 0;
};

/// A file whose rows are read once more.
struct FileAgain {
  std::function<ByteStream(std::int64_t begin, std::int64_t end)> open;  ///< some of its bytes; empty: never
  std::function<void()> check_unchanged;                                 ///< InputError
};

class TableReader {
 public:
  explicit TableReader(SourceOptions options) : options_(std::move(options)) {}

  /// Before the first file: rows are not read, only the kinds of their columns are found.
  void look_for_kinds() { looks_for_kinds_ = true; }
  /// After the last file, what was found where data.columns says nothing, in its form; and a note that says
  /// it.
  std::string found_kinds() const;
  std::string kinds_note() const;

  void add_note(const std::string& note) { notes_.push_back(note); }
  /// By column: unknown words go there, not into notes. Of a table that comes piece by piece.
  using Unknown = std::map<std::string, UnknownWords>;
  void collect_unknown(Unknown& unknown) { unknown_ = &unknown; }

  /// Reads all rows of the next file. The first one decides which columns there are; the columns of later
  /// ones are found by name where both have a header. With `again` rows can be read once more, and values are
  /// kept as far as options.most_bytes goes. InputError: see open_array.
  void add(ByteStream text, const Dialect& dialect, TextPosition begins = {}, FileAgain again = {});
  /// As add(), but of the file only the header is read: its rows are for read_piece().
  void add_header(ByteStream text, const Dialect& dialect, FileAgain again);
  /// Is every value a matter of its cell alone, and known to be wanted?
  bool has_simple_columns() const;
  std::int64_t rows_begin(std::size_t file) const { return file_rows_[file].marks.front().offset; }
  /// Of the records of a file those that begin in bytes [begin, end), with the samples appended to `values`.
  /// Returns where the first record begins that was looked at, and the first that was not taken (the file's
  /// end, when there is none). Where `begin` is not rows_begin() a record is taken to begin behind the next
  /// line end: whether that was so only the piece before can tell.
  std::pair<std::int64_t, std::int64_t> read_piece(std::size_t file, std::int64_t begin, std::int64_t end,
                                                   std::vector<float>& values);
  /// After the last file that has only a header here: messages mean all of them.
  void name_all_files();
  /// What was taken for what.
  std::string reading_note(std::int64_t rows) const;
  const TablePlan& plan() const { return plan_; }
  const TableLayout& layout() const { return first_; }
  /// Of the last file.
  ExtraCell extra_cell() const { return dialect_.extra; }
  /// ArrayInfo::table, where has_simple_columns(): no row is needed to know it.
  Json simple_description() const;

  /// After the last file: categories, fill values and labels of all rows. The reader is empty then.
  std::unique_ptr<ArraySource> finish();

  /// After finish(), of the source that has the reader: rows of all files, parsed anew.
  void read_rows(std::int64_t first, std::int64_t count, float* out);

 private:
  static constexpr std::size_t kSkip = static_cast<std::size_t>(-1);

  struct Record {
    std::string text;
    std::int64_t line = 0, offset = 0;
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
    double exact = 0;  ///< the number in float64
    bool is_number = false;
  };

  /// A row from which a file can be read.
  struct Mark {
    std::int64_t row = 0, line = 1, offset = 0;
  };
  /// What it takes to read a file's rows once more.
  struct FileRows {
    FileAgain again;
    Dialect dialect;
    TableLayout layout;
    std::vector<Cell> cells;
    std::vector<Mark> marks;
    std::int64_t end_offset = 0;
  };

  void begin_file(ByteStream text, const Dialect& dialect, TextPosition begins, FileAgain again);
  void use_file(const FileRows& file);
  void read_start();
  void settle_extra_cell(std::vector<std::vector<std::string>>& fields);
  ExtraCell find_extra_cell(const std::vector<std::vector<std::string>>& fields) const;
  std::string extra_cell_note() const;
  [[noreturn]] void refuse_mixed_ends(std::size_t empty, std::size_t other, const char* cure) const;
  std::string_view without_extra_cell(std::string_view record, std::int64_t line) const;
  bool has_header(const std::vector<std::vector<std::string>>& fields);
  bool holds_names(const std::vector<std::string>& fields) const;
  void check_encoding(std::string_view record, std::int64_t line) const;
  void prepare();
  void match_to_first();
  void map_columns(const std::vector<std::size_t>& place);
  bool add_simple_row(std::string_view record, std::int64_t line);
  void add_cell(std::size_t column, std::string_view field, std::int64_t line);
  void add_row(std::string_view record, std::int64_t line);
  void take(std::string_view record, std::int64_t line, std::int64_t offset);
  void look_at_kinds(std::string_view record, std::int64_t line);
  void mark(std::int64_t line, std::int64_t offset);
  void thin_out_marks();
  void watch_memory();
  std::size_t file_index(std::int64_t row) const;
  std::int64_t end_row(std::size_t file) const;
  void go_to(std::size_t file, std::int64_t row, std::int64_t end);
  void read_again(std::int64_t first, std::int64_t count, const std::function<void()>& some_are_there);
  void look_through(const std::function<void(std::size_t first)>& look);
  void learn_words(const std::vector<bool>& training);
  void settle_words(const std::vector<std::optional<ValueCounts>>& counts);
  std::vector<double> measure(const std::vector<bool>& training);
  std::string in_role(const std::string& complaint) const;
  const FileStart& file_of(std::int64_t row) const;
  [[noreturn]] void fail(std::int64_t line, std::size_t column, const std::string& complaint) const;
  std::unique_ptr<ArraySource> finish_labels();
  std::unique_ptr<ArraySource> finish_columns();
  void leave_out_indices();
  ArrayInfo make_array_info();
  Json table_start() const;

  SourceOptions options_;
  std::vector<FileStart> files_;
  std::vector<FileRows> file_rows_;  ///< one a file, where rows are read once more
  std::string name_;                 ///< of all files together, for messages
  TableLayout first_;                ///< of the first file
  TablePlan plan_;
  std::vector<TextColumn> ids_;
  std::optional<LabelColumn> labels_;
  std::shared_ptr<WordTable> words_;  ///< of text inputs
  std::vector<ColumnReader> readers_;
  std::int64_t rows_ = 0;
  std::int64_t comments_ = 0;
  std::string dialect_text_, header_reason_;
  std::optional<NumberFormat> numbers_;  ///< of the first file where they are known

  // of the file at hand
  Dialect dialect_;
  std::optional<RecordScanner> scanner_;
  std::vector<Record> start_;
  TableLayout layout_;
  std::vector<Cell> cells_;  ///< one a column
  std::int64_t row_shift_ = 0;

  std::vector<std::string> notes_;  ///< beside those of the plan
  Unknown* unknown_ = nullptr;
  bool looks_for_kinds_ = false;
  std::vector<KindFinder> finders_;  ///< one a column of the plan

  // reading once more
  bool forgets_ = false;    ///< values are not kept
  bool bare_ = false;       ///< every column is one value, of the cell alone
  std::int64_t width_ = 0;  ///< values of a sample
  std::int64_t total_rows_ = 0, cursor_ = 0;
  std::int64_t next_mark_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t spacing_ = std::int64_t{1} << 12;  ///< of marks, in bytes
  std::size_t marks_ = 0;
  bool to_the_end_ = false;  ///< the scanner is at cursor_, and what follows there may be read
};

/// Is each column one value, of the cell alone?
bool all_bare(const std::vector<ColumnReader>& columns);
/// Rows [first, first + rows) of the columns' values, as samples. `bare`: all_bare().
void write_samples(const std::vector<ColumnReader>& columns, bool bare, std::size_t first, std::size_t rows,
                   float* out);

}  // namespace nntrain::data

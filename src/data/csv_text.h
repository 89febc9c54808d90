#pragma once
// Private to src/data: CSV (RFC 4180) as records and fields. Files are streamed; a record lies in memory
// alone.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/input_file.h"

namespace nntrain::data {

/// Records of a file, one after the other; empty lines are skipped, a line break inside quotes belongs to its
/// field. LF and CRLF.
class CsvScanner {
 public:
  explicit CsvScanner(io::InputFile file);

  /// False at the end. `record` is valid until the next call. InputError: a quote without an end, a record
  /// beyond 64 MiB.
  bool next(std::string_view& record);
  std::int64_t line() const { return record_line_; }  ///< where the last record began, from 1
  const std::string& name() const { return file_.name(); }
  std::int64_t file_bytes() const { return file_.compressed() ? 0 : file_.file_bytes(); }

 private:
  bool take_line(std::string_view& line, std::size_t begin);
  bool fill();

  io::InputFile file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  ///< of what was not handed out yet
  std::size_t end_ = 0;
  bool at_end_ = false;
  std::int64_t next_line_ = 1;
  std::int64_t record_line_ = 1;
};

/// Fields of one record, without quotes and surrounding blanks.
class CsvFields {
 public:
  CsvFields(std::string_view record, char delimiter)
      : at_(record.data()), end_(record.data() + record.size()), delimiter_(delimiter) {}

  /// False behind the last field. `field` is valid until the next call.
  bool next(std::string_view& field);

 private:
  std::string_view quoted();

  const char* at_;
  const char* end_;
  char delimiter_;
  bool done_ = false;
  std::string unescaped_;
};

std::vector<std::string> split_fields(std::string_view record, char delimiter);

/// The most frequent of , ; and tab outside quotes; a comma when there is none.
char detect_delimiter(std::string_view record);

/// What became of a field that should be a number.
enum class NumberState { kGood, kEmpty, kNoNumber, kNan, kInfinite, kTooLarge };
NumberState parse_number(std::string_view field, float& value);

/// Is it a header, judged by the first two records? Yes, when the first holds no number, or text (not one of
/// the usual marks of a missing value) above a number.
bool is_header(const std::vector<std::string>& first, const std::vector<std::string>& second);

}  // namespace nntrain::data

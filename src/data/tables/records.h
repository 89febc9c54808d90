#pragma once
// Private to src/data: CSV (RFC 4180) as records and fields. Files are streamed; a record lies in memory
// alone.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/tables/dialect.h"
#include "io/input_file.h"

namespace nntrain::data {

/// Does a quoted field go on behind the end of `record`? Quotes count only where a field begins.
bool has_open_quote(std::string_view record, char delimiter, char quote = '"');
/// Nothing in it but blanks (and tabs, where they do not delimit cells).
bool is_empty_record(std::string_view record, char delimiter);

/// Where a table's text comes from.
struct ByteStream {
  std::string name;                                       ///< for messages
  std::function<std::size_t(std::span<std::byte>)> read;  ///< fewer bytes than asked for only at the end
  std::int64_t bytes = 0;                                 ///< of the file; 0: not known
};
ByteStream stream_of(io::InputFile file);
/// Bytes [begin, end) of the file's content.
ByteStream stream_of(io::InputFile file, std::int64_t begin, std::int64_t end);
/// `text` outlives the stream.
ByteStream stream_of(std::string_view text, std::string name);

/// Records of a file, one after the other, as UTF-8; empty lines and comments are skipped, a line break
/// inside quotes belongs to its field. LF, CRLF and CR.
class RecordScanner {
 public:
  RecordScanner(ByteStream stream, const Dialect& dialect, std::int64_t first_line = 1);

  /// False at the end. `record` is valid until the next call. InputError: a quote without an end, a record
  /// beyond 64 MiB.
  bool next(std::string_view& record);
  std::int64_t line() const { return record_line_; }  ///< where the last record began, from 1
  /// Where the last record began, in bytes of the stream, before they were decoded.
  std::int64_t offset() const { return record_offset_; }
  std::int64_t end_offset() const { return offset_; }  ///< where the next one begins
  std::int64_t comments() const { return comments_; }  ///< lines skipped so far
  const std::string& name() const { return stream_.name; }
  std::int64_t file_bytes() const { return stream_.bytes; }

 private:
  bool take_line(std::string_view& line, std::size_t begin);
  bool fill();
  std::size_t read_block();
  std::size_t block_bytes() const;
  void pass(std::size_t bytes);

  ByteStream stream_;
  Dialect dialect_;
  std::string buffer_;
  std::string raw_;        ///< bytes before decoding, where the file is not UTF-8
  std::size_t begin_ = 0;  ///< of what was not handed out yet
  std::size_t end_ = 0;
  bool at_end_ = false;
  std::int64_t next_line_ = 1;
  std::int64_t record_line_ = 1;
  std::int64_t comments_ = 0;
  std::int64_t offset_ = 0, record_offset_ = 0;  ///< of begin_, of the last record
};

/// Fields of one record, without quotes and surrounding blanks.
class FieldScanner {
 public:
  FieldScanner(std::string_view record, char delimiter, char quote = '"');

  /// False behind the last field. `field` is valid until the next call.
  bool next(std::string_view& field);
  /// Did text stand behind the closing quote of the last field? It is what stood there.
  std::string_view behind_quote() const { return behind_quote_; }
  bool was_quoted() const { return was_quoted_; }

 private:
  std::string_view quoted();
  bool at_delimiter() const { return *at_ == delimiter_ || (delimiter_ == kBlanks && *at_ == '\t'); }

  const char* at_;
  const char* end_;
  char delimiter_, quote_;
  bool done_ = false;
  bool was_quoted_ = false;
  std::string unescaped_;
  std::string_view behind_quote_;
};

std::vector<std::string> split_fields(std::string_view record, char delimiter, char quote = '"');

}  // namespace nntrain::data

#include "data/tables/table_stream.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "data/tables/header_rule.h"
#include "data/tables/number_reading.h"
#include "data/tables/records.h"
#include "data/tables/table_reader.h"

namespace nntrain::data {

TableStream::TableStream(SourceOptions options, std::string name)
    : options_(std::move(options)), name_(std::move(name)), quote_(quote_of(options_.table)) {}

/// How many bytes of what waits are whole records.
std::size_t TableStream::whole_records(bool last) const {
  if (last) return pending_.size();
  const char delimiter = dialect_ ? dialect_->delimiter : ',';
  const char line_end = dialect_ ? dialect_->line_end : '\n';
  const char quote = dialect_ ? dialect_->quote : quote_;
  std::size_t end = 0, from = 0;
  for (std::size_t at = 0; (at = pending_.find(line_end, from)) != std::string::npos;) {
    const std::string_view record = std::string_view(pending_).substr(end, at - end);
    from = at + 1;
    if (quote == '\0' || record.find(quote) == std::string_view::npos ||
        !has_open_quote(record, delimiter, quote))
      end = from;
  }
  return end;
}

bool TableStream::begins_with_header(std::string_view record) const {
  if (dialect_->header != HeaderChoice::kAuto) return dialect_->header == HeaderChoice::kYes;
  const std::vector<std::string> fields = split_fields(record, dialect_->delimiter, dialect_->quote);
  const Json& columns = options_.training["columns"];
  const bool named = options_.training.value("named", false);
  const auto is_name = [&](const std::string& field) {
    return std::any_of(columns.begin(), columns.end(),
                       [&](const Json& column) { return column.value("name", "") == field; });
  };
  if (counts_columns(fields) && !(named && std::any_of(fields.begin(), fields.end(), is_name))) {
    throw InputError(
        fmt::format("{}, line {}: is \"{}\" a header or a row? its numbers count the columns from 0, as the "
                    "header that pandas writes above an array. Say data.header = yes or data.header = no",
                    name_, lines_ + 1, record.substr(0, 80)));
  }
  for (const Json& column : columns) {
    const std::string name = column.value("name", "");
    if (!name.empty() && std::find(fields.begin(), fields.end(), name) != fields.end()) return true;
  }
  // Text where numbers are meant is a name, if an unknown one.
  if (fields.size() != columns.size()) return false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::string kind = columns[i].value("kind", "auto");
    float value = 0;
    if (kind == "auto" && !marks_missing(fields[i]) &&
        parse_number(fields[i], dialect_->numbers, value) == NumberState::kNoNumber)
      return true;
  }
  return false;
}

/// Finds the dialect, and takes what stands before the rows.
void TableStream::begin(std::string_view text) {
  // Whole records, so that the last one counts.
  Dialect dialect =
      find_dialect(std::as_bytes(std::span(text)), true, options_.table, name_, numbers_of(options_));
  if (dialect.encoding == Encoding::kUtf16Little || dialect.encoding == Encoding::kUtf16Big)
    throw InputError(name_ + " is UTF-16 text; give it as UTF-8");
  dialect_ = dialect;
  pending_.erase(0, dialect.skip_bytes);
  dialect_->skip_bytes = 0;
  const auto line_length = [&] { return std::min(pending_.find(dialect.line_end), pending_.size() - 1) + 1; };
  const auto drop_line = [&] {
    pending_.erase(0, line_length());
    ++lines_;
  };
  for (; dialect_->skip_lines > 0 && !pending_.empty(); --dialect_->skip_lines) drop_line();
  dialect_->skip_lines = 0;
  dialect_->comment_header = false;
  while (!pending_.empty()) {
    std::string line = pending_.substr(0, line_length());
    const bool comment = dialect.comment != '\0' && line.front() == dialect.comment;
    if (comment && dialect.comment_header && lines_ == 0) {  // "# a b c"
      drop_line();
      header_ = line.substr(std::min(line.find_first_not_of("# "), line.size()));
      break;
    }
    if (!comment && !is_empty_record(line.substr(0, line.find_last_not_of("\r\n") + 1), dialect.delimiter)) {
      while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
      if (begins_with_header(line)) {
        drop_line();
        header_ = line;
      }
      break;
    }
    drop_line();
  }
  dialect_->header = header_.empty() ? HeaderChoice::kNo : HeaderChoice::kYes;
  if (!header_.empty() && header_.back() != dialect.line_end) header_ += dialect.line_end;
}

bool TableStream::holds_rows(std::string_view text) const {
  RecordScanner scanner(stream_of(text, name_), *dialect_);
  std::string_view record;
  return scanner.next(record);
}

TableStream::Block TableStream::add(std::string_view piece, bool last) {
  Block block = add_whole(piece, last);
  if (!last) return block;
  for (const auto& [where, unknown] : unknown_)
    if (unknown.cells > 0) block.notes.push_back(unknown_note(where, unknown, options_.text.has_value()));
  return block;
}

TableStream::Block TableStream::add_whole(std::string_view piece, bool last) {
  pending_ += piece;
  std::size_t whole = whole_records(last);
  if (whole == 0) return {};
  if (!dialect_) {
    const std::string before = pending_;
    begin(std::string_view(pending_).substr(0, whole));
    whole = whole_records(last);
    if (!last && !holds_rows(std::string_view(pending_).substr(0, whole))) {
      pending_ = before;  // a header alone does not tell how numbers are written
      header_.clear();
      dialect_.reset();
      lines_ = 0;
      return {};
    }
  }
  const std::string text = pending_.substr(0, whole);
  pending_.erase(0, whole);
  const std::int64_t first_line = lines_ + 1;
  lines_ += std::count(text.begin(), text.end(), dialect_->line_end);
  if (!holds_rows(text)) return {};
  const std::string with_header = header_ + text;
  TableReader reader(options_);
  reader.collect_unknown(unknown_);
  reader.add(stream_of(with_header, name_), *dialect_, {first_line - (header_.empty() ? 0 : 1), rows_});
  dialect_->extra = reader.extra_cell();  // one block decides for all
  const std::unique_ptr<ArraySource> source = reader.finish();
  Block block;
  block.rows = source->info().rows;
  block.values.resize(static_cast<std::size_t>(block.rows * source->info().sample.size()));
  source->read(std::as_writable_bytes(std::span(block.values)));
  block.ids = source->ids();
  if (rows_ == 0 && source->info().notes.size() > 1)
    block.notes.assign(source->info().notes.begin() + 1, source->info().notes.end());
  rows_ += block.rows;
  return block;
}

}  // namespace nntrain::data

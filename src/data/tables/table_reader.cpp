#include "data/tables/table_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "data/tables/header_rule.h"
#include "data/tables/plain_number.h"

namespace nntrain::data {

namespace {

std::string quoted_list(const std::vector<std::string>& names) {
  std::string list;
  const std::size_t some = std::min<std::size_t>(names.size(), 12);
  for (std::size_t i = 0; i < some; ++i) list += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", names[i]);
  return some < names.size() ? list + ", ..." : list;
}

/// As FieldScanner has them.
std::string_view without_blanks(std::string_view cell) {
  const std::size_t begin = std::min(cell.find_first_not_of(' '), cell.size());
  const std::size_t end = cell.find_last_not_of(" \t\r\f");
  return end == std::string_view::npos || end < begin ? std::string_view()
                                                      : cell.substr(begin, end + 1 - begin);
}

}  // namespace

void TableReader::add(ByteStream text, const Dialect& dialect, TextPosition begins, FileAgain again) {
  const std::int64_t rows_before = rows_;
  const bool reads_again = again.open != nullptr;
  begin_file(std::move(text), dialect, begins, std::move(again));
  next_mark_ = reads_again ? 0 : std::numeric_limits<std::int64_t>::max();
  for (const Record& record : start_) take(record.text, record.line, record.offset);
  std::string_view record;
  while (scanner_->next(record)) take(record, scanner_->line(), scanner_->offset());
  comments_ += scanner_->comments();
  file_rows_.back().end_offset = scanner_->end_offset();
  if (rows_ == rows_before) throw InputError(scanner_->name() + " has a header, but no rows");
  if (reads_again) watch_memory();
}

void TableReader::add_header(ByteStream text, const Dialect& dialect, FileAgain again) {
  const std::int64_t bytes = text.bytes;
  begin_file(std::move(text), dialect, {}, std::move(again));
  FileRows& file = file_rows_.back();
  file.end_offset = bytes;
  file.marks.push_back({0, 1, start_.empty() ? bytes : start_.front().offset});
}

void TableReader::begin_file(ByteStream text, const Dialect& dialect, TextPosition begins, FileAgain again) {
  dialect_ = dialect;
  scanner_.emplace(std::move(text), dialect, begins.line);
  row_shift_ = begins.row;
  start_.clear();
  layout_ = {};
  files_.push_back({scanner_->name(), rows_, 1, false});
  read_start();
  if (files_.size() == 1) {
    name_ = scanner_->name();
    dialect_text_ = describe(dialect_);
    plan_ = plan_table(layout_, options_, name_);
    first_ = layout_;
    prepare();
  } else {
    match_to_first();
  }
  // Once a table: what holds of the inputs holds of the targets beside them.
  const bool says = options_.role == Role::kInputs || !options_.of_one_table;
  if (says && dialect_.extra != ExtraCell::kNone) plan_.notes.push_back(extra_cell_note());
  if (says && !dialect_.numbers_note.empty()) plan_.notes.push_back(dialect_.numbers_note);
  if (!numbers_ && dialect_.numbers_known) numbers_ = dialect_.numbers;
  file_rows_.push_back({std::move(again), dialect_, layout_, cells_, {}, 0});
}

void TableReader::take(std::string_view record, std::int64_t line, std::int64_t offset) {
  constexpr std::int64_t kLook = 4096;
  if (looks_for_kinds_) return look_at_kinds(record, line);
  if (offset >= next_mark_) mark(line, offset);
  add_row(record, line);
  if (rows_ % kLook == 0 && next_mark_ != std::numeric_limits<std::int64_t>::max()) watch_memory();
}

/// The first records decide whether there is a header.
void TableReader::read_start() {
  constexpr std::size_t kLookedAt = 200;
  std::string_view record;
  while (start_.size() < kLookedAt && scanner_->next(record)) {
    if (start_.empty()) check_encoding(record, scanner_->line());
    start_.push_back({std::string(record), scanner_->line(), scanner_->offset()});
  }
  if (start_.empty()) throw InputError(scanner_->name() + " holds only empty lines");
  files_.back().line = start_.front().line;
  std::vector<std::vector<std::string>> fields;
  for (const Record& one : start_)
    fields.push_back(split_fields(one.text, dialect_.delimiter, dialect_.quote));
  settle_extra_cell(fields);
  layout_.columns = fields[0].size();
  if (!has_header(fields)) return;
  files_.back().header = true;
  layout_.header = std::move(fields[0]);
  start_.erase(start_.begin());
  for (const Record& one : start_) check_encoding(one.text, one.line);  // before what the text would mean
}

bool TableReader::has_header(const std::vector<std::vector<std::string>>& fields) {
  if (dialect_.header != HeaderChoice::kAuto) return dialect_.header == HeaderChoice::kYes;
  if (dialect_.comment_header) return true;
  if (holds_names(fields[0])) return true;
  const HeaderVerdict verdict = judge_first_record(fields, dialect_.numbers);
  if (verdict.is == FirstRecord::kUnclear) {
    throw InputError(
        fmt::format("{}, line {}: is \"{}\" a header or a row? {}. Say data.header = yes or data.header = no",
                    scanner_->name(), files_.back().line, start_.front().text.substr(0, 80), verdict.reason));
  }
  if (files_.size() == 1) header_reason_ = verdict.reason;
  return verdict.is == FirstRecord::kHeader;
}

/// The names of the training's columns, or of the first file's.
bool TableReader::holds_names(const std::vector<std::string>& fields) const {
  const auto there = [&](const std::string& name) {
    return std::find(fields.begin(), fields.end(), name) != fields.end();
  };
  if (!first_.header.empty() && std::all_of(first_.header.begin(), first_.header.end(), there)) return true;
  if (!options_.training.is_object() || !options_.training.value("named", false)) return false;
  const Json& columns = options_.training["columns"];
  return std::all_of(columns.begin(), columns.end(),
                     [&](const Json& column) { return there(column.value("name", "")); });
}

void TableReader::check_encoding(std::string_view record, std::int64_t line) const {
  if (std::none_of(record.begin(), record.end(), [](char c) { return static_cast<unsigned char>(c) >= 128; }))
    return;
  if (dialect_.encoding != Encoding::kUtf8 || first_bad_byte(record) == std::string_view::npos) return;
  FieldScanner fields(record, dialect_.delimiter, dialect_.quote);
  std::string_view field;
  for (std::size_t column = 0; fields.next(field); ++column) {
    const std::size_t at = first_bad_byte(field);
    if (at == std::string_view::npos) continue;
    throw InputError(fmt::format(
        "{}, line {}, {}: the byte {:02X} is not UTF-8; say data.encoding = latin-1 (or windows-1252)",
        scanner_->name(), line, layout_.describe(column), static_cast<unsigned char>(field[at])));
  }
  throw InputError(
      fmt::format("{}, line {} is not UTF-8; say data.encoding = latin-1", scanner_->name(), line));
}

/// The plan's columns, read from the columns `place` of the file at hand.
void TableReader::map_columns(const std::vector<std::size_t>& place) {
  cells_.assign(layout_.columns, {});
  for (std::size_t i = 0; i < plan_.columns.size(); ++i) cells_[place[plan_.columns[i].index]].slot = i;
  for (std::size_t i = 0; i < plan_.ids.size(); ++i) cells_[place[plan_.ids[i].first]].id_slot = i;
}

void TableReader::prepare() {
  std::vector<std::size_t> place(layout_.columns);
  for (std::size_t i = 0; i < place.size(); ++i) place[i] = i;
  map_columns(place);
  for (const auto& [column, name] : plan_.ids) ids_.push_back({name, {}});
  const ColumnKind kind = plan_.columns[0].kind;
  const bool may_hold_labels = options_.role == Role::kTargets && plan_.columns.size() == 1 &&
                               options_.labels != Labels::kRefused &&
                               (kind == ColumnKind::kAuto || kind == ColumnKind::kCategorical);
  if (may_hold_labels) {
    std::vector<std::string> known = options_.class_names;
    if (options_.training.is_object()) known = options_.training.value("label_names", known);
    // A loss asks for them: with labels that are not refused they are classes.
    labels_.emplace(std::move(known), dialect_.numbers, !options_.wants_numbers.empty());
    return;
  }
  if (options_.text) words_ = std::make_shared<WordTable>(*options_.text);
  for (ColumnPlan& column : plan_.columns) {
    column.words = words_;
    readers_.emplace_back(column, dialect_.numbers);
    if (readers_.back().counts_words()) words_->collect();
  }
}

/// Where the first file's columns are in this one.
void TableReader::match_to_first() {
  const FileStart& first = files_.front();
  if (layout_.columns != first_.columns) {
    throw InputError(fmt::format("{} has {} columns, {} has {}; the files of one key hold the same columns",
                                 scanner_->name(), layout_.columns, first.name, first_.columns));
  }
  if (!layout_.header.empty() && first_.header.empty()) {
    throw InputError(fmt::format("{}, line {} is a header, {} has none; say data.header = no if it is a row",
                                 scanner_->name(), files_.back().line, first.name));
  }
  std::vector<std::size_t> place(first_.columns);
  for (std::size_t i = 0; i < place.size(); ++i) place[i] = i;
  if (!layout_.header.empty() && layout_.header != first_.header) {
    for (std::size_t i = 0; i < place.size(); ++i) {
      const std::vector<std::size_t> found = layout_.find(first_.header[i]);
      if (found.size() != 1 || first_.find(first_.header[i]).size() != 1) {
        throw InputError(fmt::format(
            "{} has {} \"{}\", the column {} of {}; its columns are {}, those of the first file {}",
            scanner_->name(), found.empty() ? "no column" : "several columns", first_.header[i], i,
            first.name, quoted_list(layout_.header), quoted_list(first_.header)));
      }
      place[i] = found[0];
    }
  }
  if (layout_.header.empty() && !first_.header.empty())
    plan_.notes.push_back(fmt::format("{} has no header: its columns are taken in the order of {}",
                                      scanner_->name(), first.name));
  map_columns(place);
  for (ColumnReader& reader : readers_) reader.begin_file(dialect_.numbers);
  if (labels_) labels_->begin_file(dialect_.numbers);
}

void TableReader::add_row(std::string_view record, std::int64_t line) {
  if (dialect_.extra == ExtraCell::kEmptyLast) record = without_extra_cell(record, line);
  if (add_simple_row(record, line)) return;
  check_encoding(record, line);
  FieldScanner fields(record, dialect_.delimiter, dialect_.quote);
  std::string_view field;
  std::size_t column = 0;
  for (; fields.next(field); ++column) {
    if (!fields.behind_quote().empty()) {
      fail(line, column,
           fmt::format("\"{}\" is followed by \"{}\" behind its closing quote; a quote inside quotes is "
                       "written twice",
                       field.substr(0, 40), fields.behind_quote().substr(0, 40)));
    }
    if (column < cells_.size()) add_cell(column, field, line);
  }
  if (column != layout_.columns) {
    throw InputError(
        fmt::format("{}, line {} (row {}) has {} columns, line {} has {}; every row needs the same number",
                    scanner_->name(), line, rows_ + row_shift_, column, files_.back().line, layout_.columns));
  }
  ++rows_;
}

/// A row without quotes and of ASCII alone, in one pass: plain numbers are read where they stand, other cells
/// are found. False, and nothing has happened: it is another row.
bool TableReader::add_simple_row(std::string_view record, std::int64_t line) {
  if (dialect_.delimiter == kBlanks) return false;
  const char* at = record.data();
  const char* const end = at + record.size();
  std::size_t column = 0;
  for (;; ++column, ++at) {
    if (column >= cells_.size()) return false;
    Cell& cell = cells_[column];
    const char* const begin = at;
    cell.is_number = cell.slot != kSkip && !labels_ && read_plain_number(at, end, cell.number, cell.exact) &&
                     (at == end || *at == dialect_.delimiter);
    if (!cell.is_number) {
      for (at = begin; at < end && *at != dialect_.delimiter; ++at) {
        if (*at == dialect_.quote || static_cast<unsigned char>(*at) >= 128) return false;
      }
    }
    cell.text = {begin, at};
    if (at == end) break;
  }
  if (column + 1 != cells_.size()) return false;
  for (column = 0; column < cells_.size(); ++column) {
    const Cell& cell = cells_[column];
    if (cell.slot != kSkip && cell.is_number && !readers_[cell.slot].wants_text(cell.number)) {
      readers_[cell.slot].add_plain(cell.number, cell.exact);
    } else if (cell.slot != kSkip || cell.id_slot != kSkip) {
      add_cell(column, without_blanks(cell.text), line);
    }
  }
  ++rows_;
  return true;
}

void TableReader::add_cell(std::size_t column, std::string_view field, std::int64_t line) {
  const Cell& cell = cells_[column];
  if (cell.id_slot != kSkip) ids_[cell.id_slot].cells.emplace_back(field);
  if (cell.slot == kSkip) return;
  if (labels_) return labels_->add(field, line);
  const std::string complaint = readers_[cell.slot].add(field);
  if (!complaint.empty()) fail(line, column, in_role(complaint));
}

/// What helps an input column does not always help a target.
std::string TableReader::in_role(const std::string& complaint) const {
  if (options_.role == Role::kInputs) return complaint;
  const std::string own = complaint.substr(0, complaint.find(';'));
  if (complaint.find("data.missing") != std::string::npos) return own + "; repair or remove such rows";
  const bool text = complaint.find(": categorical") != std::string::npos;
  if (!text) return complaint;
  if (options_.role == Role::kWeights) return own;
  if (plan_.columns.size() > 1) {
    return own + "; a column of text labels must be the only target column (data.target_columns)";
  }
  return own + fmt::format(
                   "{}; text becomes classes under a loss for classes, e.g. "
                   "sparse_categorical_crossentropy, or with data.positive_class",
                   options_.wants_numbers.empty() ? "" : ", which " + options_.wants_numbers + " wants");
}

const TableReader::FileStart& TableReader::file_of(std::int64_t row) const {
  std::size_t i = files_.size() - 1;
  while (i > 0 && files_[i].row > row) --i;
  return files_[i];
}

void TableReader::fail(std::int64_t line, std::size_t column, const std::string& complaint) const {
  throw InputError(fmt::format("{}, line {} (row {}), {}: {}", file_of(rows_).name, line, rows_ + row_shift_,
                               layout_.describe(column), complaint));
}

}  // namespace nntrain::data

// Tables to float32. A file is parsed once, while it is opened: only then its rows are known.

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "data/formats.h"
#include "data/tables/columns.h"
#include "data/tables/header_rule.h"
#include "data/tables/labels.h"
#include "data/tables/records.h"
#include "data/tables/table_plan.h"

namespace nntrain::data {

namespace {

class TableSource : public ArraySource {
 public:
  TableSource(ArrayInfo info, std::vector<ColumnReader> columns, std::vector<float> labels)
      : info_(std::move(info)), columns_(std::move(columns)), labels_(std::move(labels)) {}
  const ArrayInfo& info() const override { return info_; }

  void read(std::span<std::byte> memory) override {
    check_memory(info_, memory);
    auto* out = reinterpret_cast<float*>(memory.data());
    if (columns_.empty()) {
      std::copy(labels_.begin(), labels_.end(), out);
      return;
    }
    std::vector<std::size_t> widths;
    for (const ColumnReader& column : columns_) widths.push_back(column.value_names().size());
    for (std::int64_t row = 0; row < info_.rows; ++row) {
      for (std::size_t i = 0; i < columns_.size(); ++i) {
        columns_[i].write(static_cast<std::size_t>(row), out);
        out += widths[i];
      }
    }
  }

 private:
  ArrayInfo info_;
  std::vector<ColumnReader> columns_;  ///< or:
  std::vector<float> labels_;          ///< as they lie in memory
};

class TableReader {
 public:
  TableReader(io::InputFile file, const SourceOptions& options, Dialect dialect)
      : options_(options), dialect_(dialect), scanner_(std::move(file), dialect) {}

  std::unique_ptr<ArraySource> read() {
    read_start();
    plan_ = plan_table(layout_, options_, scanner_.name());
    prepare();
    for (const Start& record : start_) add_row(record.text, record.line);
    std::string_view record;
    while (scanner_.next(record)) add_row(record, scanner_.line());
    if (rows_ == 0) throw InputError(scanner_.name() + " has a header, but no rows");
    return labels_ ? finish_labels() : finish_columns();
  }

 private:
  struct Start {
    std::string text;
    std::int64_t line = 0;
  };

  /// The first records decide whether there is a header.
  void read_start() {
    constexpr std::size_t kLookedAt = 200;
    std::string_view record;
    while (start_.size() < kLookedAt && scanner_.next(record)) {
      if (start_.empty()) check_encoding(record, scanner_.line());
      start_.push_back({std::string(record), scanner_.line()});
    }
    if (start_.empty()) throw InputError(scanner_.name() + " holds only empty lines");
    first_line_ = start_.front().line;
    std::vector<std::vector<std::string>> fields;
    for (const Start& one : start_) fields.push_back(split_fields(one.text, dialect_.delimiter));
    // R's write.table names every column but the first, which holds the names of rows.
    const bool row_names = fields.size() > 1 && fields[1].size() == fields[0].size() + 1;
    if (row_names && dialect_.header != HeaderChoice::kNo &&
        std::all_of(fields[0].begin(), fields[0].end(), [](const std::string& field) {
          float value = 0;
          return parse_number(field, value) == NumberState::kNoNumber;
        })) {
      fields[0].insert(fields[0].begin(), "");
      dialect_.header = HeaderChoice::kYes;
    }
    layout_.columns = fields[0].size();
    if (!has_header(fields)) return;
    layout_.header = std::move(fields[0]);
    start_.erase(start_.begin());
    for (const Start& one : start_) check_encoding(one.text, one.line);  // before what the text would mean
  }

  bool has_header(const std::vector<std::vector<std::string>>& fields) {
    if (dialect_.header != HeaderChoice::kAuto) return dialect_.header == HeaderChoice::kYes;
    if (dialect_.comment_header) return true;
    if (holds_training_names(fields[0])) return true;
    const HeaderVerdict verdict = judge_first_record(fields, dialect_.numbers);
    if (verdict.is == FirstRecord::kUnclear) {
      throw InputError(fmt::format(
          "{}, line {}: is \"{}\" a header or a row? {}. Say data.header = yes or data.header = no",
          scanner_.name(), first_line_, start_.front().text.substr(0, 80), verdict.reason));
    }
    header_reason_ = verdict.reason;
    return verdict.is == FirstRecord::kHeader;
  }

  bool holds_training_names(const std::vector<std::string>& fields) const {
    if (!options_.training.is_object() || !options_.training.value("named", false)) return false;
    const Json& columns = options_.training["columns"];
    return std::all_of(columns.begin(), columns.end(), [&](const Json& column) {
      return std::find(fields.begin(), fields.end(), column.value("name", "")) != fields.end();
    });
  }

  void check_encoding(std::string_view record, std::int64_t line) const {
    if (std::none_of(record.begin(), record.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 128; }))
      return;
    if (dialect_.encoding != Encoding::kUtf8 || first_bad_byte(record) == std::string_view::npos) return;
    FieldScanner fields(record, dialect_.delimiter);
    std::string_view field;
    for (std::size_t column = 0; fields.next(field); ++column) {
      const std::size_t at = first_bad_byte(field);
      if (at == std::string_view::npos) continue;
      throw InputError(fmt::format(
          "{}, line {}, {}: the byte {:02X} is not UTF-8; say data.encoding = latin-1 (or windows-1252)",
          scanner_.name(), line, layout_.describe(column), static_cast<unsigned char>(field[at])));
    }
    throw InputError(
        fmt::format("{}, line {} is not UTF-8; say data.encoding = latin-1", scanner_.name(), line));
  }

  void prepare() {
    slot_.assign(layout_.columns, kSkip);
    for (std::size_t i = 0; i < plan_.columns.size(); ++i) slot_[plan_.columns[i].index] = i;
    const ColumnKind kind = plan_.columns[0].kind;
    const bool may_hold_labels = options_.role == Role::kTargets && plan_.columns.size() == 1 &&
                                 options_.labels != Labels::kRefused &&
                                 (kind == ColumnKind::kAuto || kind == ColumnKind::kCategorical);
    if (may_hold_labels) {
      std::vector<std::string> known = options_.class_names;
      if (options_.training.is_object()) known = options_.training.value("label_names", known);
      labels_.emplace(std::move(known), dialect_.numbers);
      return;
    }
    for (const ColumnPlan& column : plan_.columns) readers_.emplace_back(column, dialect_.numbers);
  }

  void add_row(std::string_view record, std::int64_t line) {
    check_encoding(record, line);
    FieldScanner fields(record, dialect_.delimiter);
    std::string_view field;
    std::size_t column = 0;
    for (; fields.next(field); ++column) {
      if (!fields.behind_quote().empty()) {
        fail(line, column,
             fmt::format("\"{}\" is followed by \"{}\" behind its closing quote; a quote inside quotes is "
                         "written twice",
                         field.substr(0, 40), fields.behind_quote().substr(0, 40)));
      }
      if (column >= layout_.columns || slot_[column] == kSkip) continue;
      if (labels_) {
        labels_->add(field, line);
        continue;
      }
      const std::string complaint = readers_[slot_[column]].add(field);
      if (!complaint.empty()) fail(line, column, in_role(complaint));
    }
    if (column != layout_.columns) {
      throw InputError(
          fmt::format("{}, line {} (row {}) has {} columns, line {} has {}; every row needs the same number",
                      scanner_.name(), line, rows_, column, first_line_, layout_.columns));
    }
    lines_end_ = line;
    ++rows_;
  }

  /// What helps an input column does not always help a target.
  std::string in_role(const std::string& complaint) const {
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

  [[noreturn]] void fail(std::int64_t line, std::size_t column, const std::string& complaint) const {
    throw InputError(fmt::format("{}, line {} (row {}), {}: {}", scanner_.name(), line, rows_,
                                 layout_.describe(column), complaint));
  }

  std::unique_ptr<ArraySource> finish_labels() {
    const std::string separator =
        options_.training.is_object() ? options_.training.value("separator", "") : "";
    const bool sets = options_.labels == Labels::kSets && labels_->has_sets(separator);
    const CellComplaint complaint = sets ? labels_->finish_sets(separator) : labels_->finish();
    if (!complaint.text.empty()) {
      rows_ = complaint.row;
      fail(complaint.line, plan_.columns[0].index, complaint.text);
    }
    ArrayInfo info = make_array_info();
    info.columns = {plan_.columns[0].name};
    if (layout_.header.empty()) info.columns.clear();
    if (labels_->are_classes()) info.class_names = labels_->names();
    if (sets) info.sample = Shape{static_cast<std::int64_t>(labels_->names().size())};
    info.table["columns"] =
        Json::array({{{"name", plan_.columns[0].name}, {"index", plan_.columns[0].index}, {"kind", "auto"}}});
    if (labels_->are_classes()) info.table["label_names"] = labels_->names();
    if (sets) info.table["separator"] = labels_->separator();
    return std::make_unique<TableSource>(std::move(info), std::vector<ColumnReader>(), labels_->values());
  }

  std::unique_ptr<ArraySource> finish_columns() {
    const std::vector<bool> training =
        options_.training_rows ? options_.training_rows(rows_) : std::vector<bool>();
    leave_out_indices();
    ArrayInfo info = make_array_info();
    info.table["columns"] = Json::array();
    for (ColumnReader& column : readers_) {
      column.finish(training, fmt::format("{}, {}", scanner_.name(), layout_.describe(column.plan().index)));
      info.notes.insert(info.notes.end(), column.notes().begin(), column.notes().end());
      info.table["columns"].push_back(column.description());
      const std::vector<std::string> names = column.value_names();
      info.columns.insert(info.columns.end(), names.begin(), names.end());
    }
    const bool plain = info.columns.size() == 1 && options_.role != Role::kInputs;
    if (!plain) info.sample = Shape{static_cast<std::int64_t>(info.columns.size())};
    const bool named = std::any_of(readers_.begin(), readers_.end(),
                                   [](const ColumnReader& column) { return !column.plan().name.empty(); });
    if (!named) info.columns.clear();
    return std::make_unique<TableSource>(std::move(info), std::move(readers_), std::vector<float>());
  }

  /// Numbers of rows are no features, unless somebody asks for them.
  void leave_out_indices() {
    std::vector<ColumnReader> kept;
    for (ColumnReader& column : readers_) {
      const ColumnPlan& plan = column.plan();
      const std::string what = plan.name.empty() ? fmt::format("column {} (it has no name)", plan.index)
                                                 : fmt::format("column \"{}\"", plan.name);
      if (column.is_empty() && plan.name.empty() && plan.may_be_index) {
        plan_.notes.push_back(fmt::format("{}: {} is empty and left out", scanner_.name(), what));
      } else if (column.is_index()) {
        plan_.notes.push_back(
            fmt::format("{}: {} numbers the rows ({}, ...) and is left out; data.columns = {}: numeric "
                        "makes it an input",
                        scanner_.name(), what, column.example(),
                        plan.name.empty() ? std::to_string(plan.index) : plan.name));
      } else if (!column.put_off().empty()) {
        rows_ = column.put_off_row();
        fail(first_line_ + rows_ + (layout_.header.empty() ? 0 : 1), plan.index, column.put_off());
      } else {
        kept.push_back(std::move(column));
      }
    }
    readers_ = std::move(kept);
    if (readers_.empty()) {
      throw InputError(fmt::format("{}: no column is left to read{}", scanner_.name(),
                                   plan_.notes.empty() ? "" : " (" + plan_.notes.back() + ")"));
    }
    plan_.named =
        plan_.named && std::none_of(readers_.begin(), readers_.end(),
                                    [](const ColumnReader& column) { return column.plan().name.empty(); });
  }

  ArrayInfo make_array_info() {
    ArrayInfo info;
    info.rows = rows_;
    info.notes.push_back(reading_note());
    info.notes.insert(info.notes.end(), plan_.notes.begin(), plan_.notes.end());
    info.table = {{"named", plan_.named}, {"width", layout_.columns}, {"table_columns", layout_.header}};
    return info;
  }

  /// What was taken for what.
  std::string reading_note() const {
    std::string text = fmt::format("{}: {} rows, {} columns, ", scanner_.name(), rows_, layout_.columns);
    if (layout_.header.empty()) {
      text += fmt::format("no header{}",
                          header_reason_.empty() ? "" : " (the first row: " + header_reason_ + ")");
    } else {
      text += fmt::format("header in line {}{}", first_line_,
                          header_reason_.empty() ? "" : " (" + header_reason_ + ")");
    }
    const std::string dialect = describe(dialect_);
    if (!dialect.empty()) text += ", " + dialect;
    if (scanner_.comments() > 0) text += fmt::format(" ({} skipped)", scanner_.comments());
    return text;
  }

  static constexpr std::size_t kSkip = static_cast<std::size_t>(-1);

  const SourceOptions& options_;
  Dialect dialect_;
  RecordScanner scanner_;
  std::vector<Start> start_;
  std::int64_t first_line_ = 1, lines_end_ = 0;
  std::string header_reason_;
  TableLayout layout_;
  TablePlan plan_;
  std::vector<std::size_t> slot_;  ///< of a column among those that are read
  std::optional<LabelColumn> labels_;
  std::vector<ColumnReader> readers_;
  std::int64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<ArraySource> open_table(io::InputFile file, const SourceOptions& options) {
  const std::span<const std::byte> start = file.peek();
  constexpr std::size_t kPeeked = std::size_t{64} << 10;
  const Dialect dialect = find_dialect(start, start.size() < kPeeked, options.table, file.name());
  return TableReader(std::move(file), options, dialect).read();
}

}  // namespace nntrain::data

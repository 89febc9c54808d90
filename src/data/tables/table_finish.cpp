// From the cells of all rows to samples.

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "data/formats.h"
#include "data/tables/number_reading.h"
#include "data/tables/table_reader.h"

namespace nntrain::data {

namespace {

/// What a table is, wherever its values are: subclasses write rows.
class TableRows : public ArraySource {
 public:
  TableRows(ArrayInfo info, std::vector<TextColumn> ids) : info_(std::move(info)), ids_(std::move(ids)) {}
  const ArrayInfo& info() const override { return info_; }
  const std::vector<TextColumn>& ids() const override { return ids_; }
  void read(std::span<std::byte> memory) override {
    check_memory(info_, memory);
    read_rows(0, info_.rows, memory);
  }
  bool has_rows() const override { return true; }
  void read_rows(std::int64_t first, std::int64_t count, std::span<std::byte> memory) override {
    check_rows(info_, first, count, memory);
    write_rows(first, count, reinterpret_cast<float*>(memory.data()));
  }

 private:
  virtual void write_rows(std::int64_t first, std::int64_t count, float* out) = 0;

  ArrayInfo info_;
  std::vector<TextColumn> ids_;
};

/// A table in memory, column by column.
class TableColumns : public TableRows {
 public:
  TableColumns(ArrayInfo info, std::vector<ColumnReader> columns, std::vector<TextColumn> ids)
      : TableRows(std::move(info), std::move(ids)), columns_(std::move(columns)), bare_(all_bare(columns_)) {}

 private:
  void write_rows(std::int64_t first, std::int64_t count, float* out) override {
    write_samples(columns_, bare_, static_cast<std::size_t>(first), static_cast<std::size_t>(count), out);
  }

  std::vector<ColumnReader> columns_;
  bool bare_;
};

/// Labels in memory, as they lie there.
class TableLabels : public TableRows {
 public:
  TableLabels(ArrayInfo info, std::vector<float> labels, std::vector<TextColumn> ids)
      : TableRows(std::move(info), std::move(ids)), labels_(std::move(labels)) {}

 private:
  void write_rows(std::int64_t first, std::int64_t count, float* out) override {
    const std::int64_t width = info().sample.size();
    std::copy_n(labels_.begin() + first * width, count * width, out);
  }

  std::vector<float> labels_;
};

/// A table in its files.
class StreamedTable : public TableRows {
 public:
  StreamedTable(ArrayInfo info, TableReader reader, std::vector<TextColumn> ids)
      : TableRows(std::move(info), std::move(ids)), reader_(std::move(reader)) {}

 private:
  void write_rows(std::int64_t first, std::int64_t count, float* out) override {
    reader_.read_rows(first, count, out);
  }

  TableReader reader_;
};

}  // namespace

bool all_bare(const std::vector<ColumnReader>& columns) {
  return std::all_of(columns.begin(), columns.end(), [](const ColumnReader& one) { return one.is_bare(); });
}

void write_samples(const std::vector<ColumnReader>& columns, bool bare, std::size_t first, std::size_t rows,
                   float* out) {
  constexpr std::size_t kRows = 64;  // so that columns and rows stay in the cache
  const std::size_t width = columns.size();
  if (!bare) {
    std::vector<std::size_t> widths;
    for (const ColumnReader& column : columns) widths.push_back(column.value_names().size());
    for (std::size_t row = first; row < first + rows; ++row) {
      for (std::size_t i = 0; i < width; ++i) {
        columns[i].write(row, out);
        out += widths[i];
      }
    }
    return;
  }
  for (std::size_t begin = 0; begin < rows; begin += kRows) {
    const std::size_t end = std::min(begin + kRows, rows);
    for (std::size_t c = 0; c < width; ++c) {
      const float* values = columns[c].values().data() + first;
      for (std::size_t row = begin; row < end; ++row) out[row * width + c] = values[row];
    }
  }
}

void TableReader::name_all_files() {
  if (files_.size() > 1)
    name_ += fmt::format(" and {} more file{}", files_.size() - 1, files_.size() == 2 ? "" : "s");
}

std::unique_ptr<ArraySource> TableReader::finish() {
  total_rows_ = rows_;
  name_all_files();
  return labels_ ? finish_labels() : finish_columns();
}

Json TableReader::table_start() const {
  Json table = {{"named", plan_.named}, {"width", first_.columns}, {"table_columns", first_.header}};
  if (numbers_) table["numbers"] = describe_numbers(*numbers_);
  return table;
}

Json TableReader::simple_description() const {
  Json table = table_start();
  table["columns"] = Json::array();
  for (const ColumnReader& column : readers_) table["columns"].push_back(column.description());
  return table;
}

std::unique_ptr<ArraySource> TableReader::finish_labels() {
  const std::string separator = options_.training.is_object() ? options_.training.value("separator", "") : "";
  const bool sets = options_.labels == Labels::kSets && labels_->has_sets(separator);
  const CellComplaint complaint = sets ? labels_->finish_sets(separator) : labels_->finish();
  if (!complaint.text.empty()) {
    rows_ = complaint.row;
    layout_ = first_;
    fail(complaint.line, plan_.columns[0].index, complaint.text);
  }
  ArrayInfo info = make_array_info();
  if (!labels_->note().empty())
    info.notes.push_back(
        fmt::format("{}, {}: {}", name_, first_.describe(plan_.columns[0].index), labels_->note()));
  info.columns = {plan_.columns[0].name};
  if (first_.header.empty()) info.columns.clear();
  if (labels_->are_classes()) info.class_names = labels_->names();
  if (sets) info.sample = Shape{static_cast<std::int64_t>(labels_->names().size())};
  info.table["columns"] =
      Json::array({{{"name", plan_.columns[0].name}, {"index", plan_.columns[0].index}, {"kind", "auto"}}});
  if (labels_->are_classes()) info.table["label_names"] = labels_->names();
  if (sets) info.table["separator"] = labels_->separator();
  return std::make_unique<TableLabels>(std::move(info), labels_->values(), std::move(ids_));
}

std::unique_ptr<ArraySource> TableReader::finish_columns() {
  const std::vector<bool> training =
      options_.training_rows ? options_.training_rows(rows_) : std::vector<bool>();
  leave_out_indices();
  ArrayInfo info = make_array_info();
  info.table["columns"] = Json::array();
  for (ColumnReader& column : readers_) column.sort();
  const bool learns = words_ != nullptr && words_->learns();
  learn_words(training);
  if (learns) info.vocabulary = words_->vocabulary();
  const std::vector<double> fills = measure(training);
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    ColumnReader& column = readers_[i];
    const std::string where = fmt::format("{}, {}", name_, first_.describe(column.plan().index));
    column.finish(fills[i], where);
    info.notes.insert(info.notes.end(), column.notes().begin(), column.notes().end());
    if (unknown_ != nullptr) {
      (*unknown_)[where].add(column.unknown());
    } else if (column.unknown().cells > 0) {
      info.notes.push_back(unknown_note(where, column.unknown(), column.is_text()));
    }
    info.table["columns"].push_back(column.description());
    const std::vector<std::string> names = column.value_names();
    info.columns.insert(info.columns.end(), names.begin(), names.end());
  }
  const bool plain = info.columns.size() == 1 && options_.role != Role::kInputs;
  if (!plain) info.sample = Shape{static_cast<std::int64_t>(info.columns.size())};
  const bool named = std::any_of(readers_.begin(), readers_.end(),
                                 [](const ColumnReader& column) { return !column.plan().name.empty(); });
  width_ = static_cast<std::int64_t>(info.columns.size());
  if (!named) info.columns.clear();
  if (forgets_) {
    bare_ = all_bare(readers_);
    for (ColumnReader& column : readers_) column.read_again();
    options_.training_rows = nullptr;  // its caller need not be there any more
    std::vector<TextColumn> ids = std::move(ids_);
    return std::make_unique<StreamedTable>(std::move(info), std::move(*this), std::move(ids));
  }
  return std::make_unique<TableColumns>(std::move(info), std::move(readers_), std::move(ids_));
}

/// Numbers of rows are no features, unless somebody asks for them.
void TableReader::leave_out_indices() {
  std::vector<ColumnReader> kept;
  std::vector<std::size_t> slots;  // of the columns among those that are kept
  for (ColumnReader& column : readers_) {
    slots.push_back(kSkip);
    const ColumnPlan& plan = column.plan();
    const std::string what = plan.name.empty() ? fmt::format("column {} (it has no name)", plan.index)
                                               : fmt::format("column \"{}\"", plan.name);
    if (column.is_empty() && plan.name.empty() && plan.may_be_index) {
      plan_.notes.push_back(fmt::format("{}: {} is empty and left out", name_, what));
    } else if (column.is_index()) {
      plan_.notes.push_back(fmt::format(
          "{}: {} numbers the rows ({}, ...) and is left out; data.columns = {}: numeric "
          "makes it an input",
          name_, what, column.example(), plan.name.empty() ? std::to_string(plan.index) : plan.name));
    } else if (!column.put_off().empty()) {
      rows_ = column.put_off_row();
      layout_ = first_;
      const FileStart& file = file_of(rows_);
      fail(file.line + rows_ - file.row + (file.header ? 1 : 0), plan.index, column.put_off());
    } else {
      slots.back() = kept.size();
      kept.push_back(std::move(column));
    }
  }
  readers_ = std::move(kept);
  for (FileRows& file : file_rows_) {
    for (Cell& cell : file.cells) {
      cell.id_slot = kSkip;  // ids are known
      if (cell.slot != kSkip) cell.slot = slots[cell.slot];
    }
  }
  if (readers_.empty()) {
    throw InputError(fmt::format("{}: no column is left to read{}", name_,
                                 plan_.notes.empty() ? "" : " (" + plan_.notes.back() + ")"));
  }
  plan_.named = plan_.named && std::none_of(readers_.begin(), readers_.end(), [](const ColumnReader& column) {
                  return column.plan().name.empty();
                });
}

ArrayInfo TableReader::make_array_info() {
  ArrayInfo info;
  info.rows = total_rows_;
  info.notes.push_back(reading_note(total_rows_));
  info.notes.insert(info.notes.end(), notes_.begin(), notes_.end());
  info.notes.insert(info.notes.end(), plan_.notes.begin(), plan_.notes.end());
  info.table = table_start();
  return info;
}

std::string TableReader::reading_note(std::int64_t rows) const {
  std::string text = fmt::format("{}: {} rows, {} columns, ", name_, rows, first_.columns);
  if (first_.header.empty()) {
    text +=
        fmt::format("no header{}", header_reason_.empty() ? "" : " (the first row: " + header_reason_ + ")");
  } else {
    text += fmt::format("header in line {}{}", files_.front().line,
                        header_reason_.empty() ? "" : " (" + header_reason_ + ")");
  }
  if (!dialect_text_.empty()) text += ", " + dialect_text_;
  if (comments_ > 0) text += fmt::format(" ({} skipped)", comments_);
  return text;
}

}  // namespace nntrain::data

#include "data/tables/table_pieces.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <utility>

#include "core/error.h"
#include "data/file_state.h"
#include "data/formats.h"
#include "data/tables/number_reading.h"
#include "data/tables/table_reader.h"

namespace nntrain::data {

bool TableReader::has_simple_columns() const {
  return !labels_ && std::all_of(plan_.columns.begin(), plan_.columns.end(), [](const ColumnPlan& plan) {
    const bool of_cells =
        plan.kind == ColumnKind::kAuto || plan.kind == ColumnKind::kBoolean || plan.kind == ColumnKind::kDate;
    return of_cells && !plan.may_be_index && plan.missing.how == MissingHow::kError &&
           plan.training.is_null();
  });
}

std::pair<std::int64_t, std::int64_t> TableReader::read_piece(std::size_t file, std::int64_t begin,
                                                              std::int64_t end, std::vector<float>& values) {
  constexpr std::size_t kRowsAtATime = 1024;
  const FileRows& rows = file_rows_[file];
  use_file(rows);
  if (begin > rows.marks.front().offset) {
    std::array<char, 4096> some{};
    ByteStream text = rows.again.open(begin - 1, rows.end_offset);
    for (std::int64_t at = begin - 1;;) {
      const std::size_t got = text.read(std::as_writable_bytes(std::span(some)));
      const auto* found =
          static_cast<const char*>(got == 0 ? nullptr : std::memchr(some.data(), dialect_.line_end, got));
      if (found == nullptr && got < some.size()) return {rows.end_offset, rows.end_offset};
      begin = found == nullptr ? begin : at + (found - some.data()) + 1;
      if (found != nullptr) break;
      at += static_cast<std::int64_t>(got);
    }
  }
  scanner_.emplace(rows.again.open(begin, rows.end_offset), dialect_, 1);
  std::int64_t first = rows.end_offset, behind = rows.end_offset;
  const auto hand_over = [&] {
    const std::size_t count = readers_.front().values().size(), old = values.size();
    values.resize(old + count * readers_.size());
    write_samples(readers_, true, 0, count, values.data() + old);
    for (ColumnReader& reader : readers_) reader.forget_values();
  };
  std::string_view record;
  for (bool is_first = true; scanner_->next(record); is_first = false) {
    const std::int64_t offset = begin + scanner_->offset();
    if (is_first) first = offset;
    if (offset >= end) {
      behind = offset;
      break;
    }
    add_row(record, scanner_->line());
    if (readers_.front().values().size() == kRowsAtATime) hand_over();
  }
  hand_over();
  return {first, behind};
}

namespace {

class Pieces : public TablePieces {
 public:
  Pieces(TableReader reader, std::vector<std::int64_t> begins, ArrayInfo inputs, ArrayInfo targets)
      : reader_(std::move(reader)),
        begins_(std::move(begins)),
        inputs_(std::move(inputs)),
        targets_(std::move(targets)) {}

  std::int64_t bytes() const override { return begins_.back(); }
  const ArrayInfo& inputs() const override { return inputs_; }
  const ArrayInfo& targets() const override { return targets_; }
  std::vector<std::string> notes(std::int64_t rows) const override {
    std::vector<std::string> notes = {reader_.reading_note(rows)};
    notes.insert(notes.end(), reader_.plan().notes.begin(), reader_.plan().notes.end());
    return notes;
  }

  Piece read(std::int64_t begin, std::int64_t end) override {
    Piece piece;
    piece.begin = piece.end = -1;
    for (std::size_t file = 0; file + 1 < begins_.size(); ++file) {
      if (begins_[file + 1] <= begin || begins_[file] >= end) continue;
      // From bytes of all rows to those of the file, and back.
      const std::int64_t shift = reader_.rows_begin(file) - begins_[file];
      const auto [first, behind] = reader_.read_piece(file, std::max(begin, begins_[file]) + shift,
                                                      std::min(end, begins_[file + 1]) + shift, piece.values);
      if (piece.begin < 0) piece.begin = first - shift;
      piece.end = behind - shift;
    }
    return piece;
  }

 private:
  TableReader reader_;
  std::vector<std::int64_t> begins_;  ///< of the files' rows among all; behind them their end
  ArrayInfo inputs_, targets_;
};

/// Columns by index, in words that choose_columns() takes; empty: a name looks like an index.
std::string chosen(const TablePlan& plan, const TableLayout& layout) {
  std::string text;
  for (const ColumnPlan& column : plan.columns) {
    const std::string index = std::to_string(column.index);
    if (!layout.find(index).empty()) return {};
    text += (text.empty() ? "" : ",") + index;
  }
  return text;
}

ArrayInfo info_of(const TableReader& reader, Role role) {
  ArrayInfo info;
  bool named = false;
  for (const ColumnPlan& column : reader.plan().columns) {
    named = named || !column.name.empty();
    info.columns.push_back(column.name.empty() ? fmt::format("column_{}", column.index) : column.name);
  }
  if (role == Role::kInputs || info.columns.size() > 1)
    info.sample = Shape{static_cast<std::int64_t>(info.columns.size())};
  if (!named) info.columns.clear();
  info.table = reader.simple_description();
  return info;
}

struct Opened {
  TableReader reader;
  std::vector<std::int64_t> begins = {0};
};

Opened open_headers(const std::vector<std::string>& paths, const SourceOptions& options) {
  Opened opened{TableReader(options)};
  const FindNumbers numbers = numbers_of(options, paths);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::string& path = paths[i];
    const FileState state = state_of(path);
    const std::string key = options.key;
    const auto check = [=] { check_unchanged(path, state, fmt::format("{} \"{}\"", key, path)); };
    const auto open = [=](std::int64_t begin, std::int64_t end) {
      check();
      return stream_of(io::InputFile(path, key), begin, end);
    };
    io::InputFile file(path, key);
    const std::int64_t bytes = file.file_bytes();
    const std::span<const std::byte> start = file.peek();
    const Dialect dialect = find_dialect(start, static_cast<std::int64_t>(start.size()) == bytes,
                                         options.table, file.name(), numbers);
    if (file.compressed() || dialect.encoding != Encoding::kUtf8) return {TableReader(options), {}};
    opened.reader.add_header(stream_of(std::move(file)), dialect, {open, check});
    opened.begins.push_back(opened.begins.back() + bytes - opened.reader.rows_begin(i));
  }
  opened.reader.name_all_files();
  return opened;
}

}  // namespace

std::unique_ptr<TablePieces> open_pieces(const SourceOptions& inputs, const SourceOptions* targets) {
  std::vector<std::string> paths = list_sources(inputs.source, inputs.key);
  for (const std::string& path : paths) {
    const SourcePath source = split_source(path);
    io::InputFile file(source.path, inputs.key);
    if (format_of(file, source) != FileFormat::kTable) return nullptr;
  }
  if (wishes_found_kinds(inputs.table.columns)) return nullptr;
  Opened of_inputs = open_headers(paths, inputs);
  if (of_inputs.begins.empty() || !of_inputs.reader.has_simple_columns()) return nullptr;
  ArrayInfo input_info = info_of(of_inputs.reader, Role::kInputs), target_info;
  if (targets == nullptr)
    return std::make_unique<Pieces>(std::move(of_inputs.reader), of_inputs.begins, input_info, target_info);
  SourceOptions numbers = *targets;
  numbers.labels = Labels::kRefused;
  Opened of_targets = open_headers(paths, numbers);
  if (of_targets.begins.empty() || !of_targets.reader.has_simple_columns()) return nullptr;
  target_info = info_of(of_targets.reader, Role::kTargets);
  const TableLayout& layout = of_inputs.reader.layout();
  SourceOptions both = inputs;
  const std::string left = chosen(of_inputs.reader.plan(), layout),
                    right = chosen(of_targets.reader.plan(), layout);
  both.columns = left + "," + right;
  both.exclude_columns.clear();
  if (left.empty() || right.empty()) return nullptr;
  std::set<std::size_t> different;
  for (const TableReader* one : {&of_inputs.reader, &of_targets.reader})
    for (const ColumnPlan& column : one->plan().columns)
      if (!different.insert(column.index).second) return nullptr;
  Opened all = open_headers(paths, both);
  return std::make_unique<Pieces>(std::move(all.reader), all.begins, input_info, target_info);
}

}  // namespace nntrain::data

// Rows of a table, parsed once more: what does not fit into memory is read again and again.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "data/tables/table_reader.h"

namespace nntrain::data {

namespace {

constexpr std::size_t kMostMarks = std::size_t{1} << 20;
constexpr std::int64_t kRowsAtATime = 1024;

}  // namespace

void TableReader::mark(std::int64_t line, std::int64_t offset) {
  file_rows_.back().marks.push_back({rows_, line, offset});
  if (++marks_ > kMostMarks) thin_out_marks();
  next_mark_ = offset + spacing_;
}

/// Every second one goes; the first of a file stays.
void TableReader::thin_out_marks() {
  marks_ = 0;
  spacing_ *= 2;
  for (FileRows& file : file_rows_) {
    std::vector<Mark> kept;
    for (std::size_t i = 0; i < file.marks.size(); i += 2) kept.push_back(file.marks[i]);
    file.marks = std::move(kept);
    marks_ += file.marks.size();
  }
}

/// Values are kept as long as they are few.
void TableReader::watch_memory() {
  if (labels_) return;
  const auto columns = static_cast<std::int64_t>(readers_.size() * sizeof(float));
  forgets_ = forgets_ || rows_ * columns > options_.most_bytes;
  if (!forgets_) return;
  for (ColumnReader& reader : readers_) reader.forget_values();
}

std::size_t TableReader::file_index(std::int64_t row) const {
  std::size_t i = files_.size() - 1;
  while (i > 0 && files_[i].row > row) --i;
  return i;
}

std::int64_t TableReader::end_row(std::size_t file) const {
  return file + 1 < files_.size() ? files_[file + 1].row : total_rows_;
}

void TableReader::use_file(const FileRows& file) {
  dialect_ = file.dialect;
  dialect_.skip_bytes = dialect_.skip_lines = 0;  // they stand before the rows, as the header does
  dialect_.comment_header = false;
  layout_ = file.layout;
  cells_ = file.cells;
  for (ColumnReader& reader : readers_) reader.begin_file(dialect_.numbers);
}

/// The next record is that of `row`. Rows up to `end` will be wanted, and when they are read one after the
/// other those behind them as well.
void TableReader::go_to(std::size_t file, std::int64_t row, std::int64_t end) {
  if (to_the_end_ && row == cursor_ && row != files_[file].row) return;
  const FileRows& rows = file_rows_[file];
  to_the_end_ = row == cursor_;
  const auto behind = std::upper_bound(rows.marks.begin(), rows.marks.end(), row,
                                       [](std::int64_t at, const Mark& mark) { return at < mark.row; });
  const auto last = std::lower_bound(rows.marks.begin(), rows.marks.end(), end,
                                     [](const Mark& mark, std::int64_t at) { return mark.row < at; });
  const Mark& begin = *std::prev(behind);
  const std::int64_t end_offset = to_the_end_ || last == rows.marks.end() ? rows.end_offset : last->offset;
  use_file(rows);
  scanner_.emplace(rows.again.open(begin.offset, end_offset), dialect_, begin.line);
  std::string_view record;
  for (std::int64_t passed = begin.row; passed < row; ++passed) scanner_->next(record);
}

/// `some_are_there`: the columns hold the next rows.
void TableReader::read_again(std::int64_t first, std::int64_t count,
                             const std::function<void()>& some_are_there) {
  while (count > 0) {
    const std::size_t file = file_index(first);
    const std::int64_t here = std::min(count, end_row(file) - first);
    const FileAgain& again = file_rows_[file].again;
    try {
      go_to(file, first, first + here);
      std::string_view record;
      for (std::int64_t i = 0; i < here; ++i) {
        rows_ = first + i;
        if (!scanner_->next(record))
          throw InputError(fmt::format("{} lacks row {}", scanner_->name(), rows_));
        add_row(record, scanner_->line());
        if ((i + 1) % kRowsAtATime != 0 && i + 1 < here) continue;
        some_are_there();
        for (ColumnReader& reader : readers_) reader.forget_values();
      }
    } catch (const Error&) {
      to_the_end_ = false;
      for (ColumnReader& reader : readers_) reader.forget_values();
      again.check_unchanged();  // then that is the cause
      throw;
    }
    again.check_unchanged();
    first += here;
    count -= here;
    cursor_ = first;
  }
}

void TableReader::read_rows(std::int64_t first, std::int64_t count, float* out) {
  read_again(first, count, [&] {
    const std::size_t rows = readers_.front().values().size();
    write_samples(readers_, bare_, 0, rows, out);
    out += static_cast<std::int64_t>(rows) * width_;
  });
}

/// Calls `look` with the columns' values of all rows, some at a time; `first`: the row of the first of them.
void TableReader::look_through(const std::function<void(std::size_t first)>& look) {
  if (!forgets_) return look(0);
  std::vector<ColumnReader> as_they_are = readers_;
  for (ColumnReader& reader : readers_) reader.read_again();
  std::size_t first = 0;
  read_again(0, total_rows_, [&] {
    look(first);
    first += readers_.front().values().size();
  });
  readers_ = std::move(as_they_are);
}

/// What words become, where that is a matter of all rows: those that no training row has are unknown, where
/// that is wanted; text that was collected gets its codes.
void TableReader::learn_words(const std::vector<bool>& training) {
  std::vector<std::optional<ValueCounts>> counts(readers_.size());
  bool some = false;
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    const ColumnReader& reader = readers_[i];
    const bool wanted =
        reader.is_text() ? words_->collects() : reader.keeps_training_words() && !training.empty();
    if (!wanted) continue;
    counts[i].emplace();
    some = true;
  }
  if (!some) return;
  look_through([&](std::size_t first) {
    for (std::size_t i = 0; i < readers_.size(); ++i) {
      if (!counts[i]) continue;
      const std::vector<float>& values = readers_[i].values();
      for (std::size_t k = 0; k < values.size(); ++k)
        counts[i]->add(values[k], training.empty() || training[first + k]);
    }
  });
  for (std::size_t i = 0; i < readers_.size(); ++i)
    if (counts[i] && !readers_[i].is_text()) readers_[i].keep_words(*counts[i]);
  if (words_ != nullptr && words_->collects()) settle_words(counts);
}

/// Cells that are filled count as what fills them: the model sees them so.
void TableReader::settle_words(const std::vector<std::optional<ValueCounts>>& counts) {
  const auto where = [&](std::size_t i) {
    return fmt::format("{}, {}", name_, first_.describe(readers_[i].plan().index));
  };
  std::vector<std::int64_t> total;
  const auto count = [&](std::size_t number, std::int64_t times) {
    total.resize(std::max(total.size(), number + 1), 0);
    total[number] += times;
  };
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    if (!counts[i]) continue;
    for (std::size_t k = 0; k < counts[i]->training.size(); ++k) count(k, counts[i]->training[k]);
    const std::string* fill = readers_[i].fill_word(*counts[i], where(i));
    if (fill != nullptr) count(words_->number(*fill), counts[i]->missing);
  }
  const std::vector<float> codes = words_->settle(total, name_);
  for (std::size_t i = 0; i < readers_.size(); ++i)
    if (counts[i]) readers_[i].take_codes(codes, *counts[i], where(i));
  words_->forget_numbers();
}

/// What fills the gaps of each column, from the rows that train; 0 where nothing has to be measured.
std::vector<double> TableReader::measure(const std::vector<bool>& training) {
  std::vector<double> fills(readers_.size(), 0);
  std::vector<std::optional<FillMeasure>> measures(readers_.size());
  bool more = false;
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    const MissingHow how = readers_[i].measured_how();
    if (how == MissingHow::kError) continue;
    measures[i].emplace(how);
    more = true;
  }
  while (more) {
    look_through([&](std::size_t first) {
      for (std::size_t i = 0; i < readers_.size(); ++i) {
        if (!measures[i]) continue;
        const std::vector<float>& values = readers_[i].values();
        for (std::size_t k = 0; k < values.size(); ++k)
          if ((training.empty() || training[first + k]) && !std::isnan(values[k]))
            measures[i]->add(values[k]);
      }
    });
    more = false;
    for (auto& one : measures) more = (one && one->wants_more()) || more;
  }
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    if (measures[i])
      fills[i] = measures[i]->result(fmt::format("{}, {}", name_, first_.describe(readers_[i].plan().index)));
  }
  return fills;
}

}  // namespace nntrain::data

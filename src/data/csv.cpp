// CSV to float32. The file is parsed once, while it is opened: only then its rows are known.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>

#include "core/error.h"
#include "core/registry.h"
#include "data/csv_columns.h"
#include "data/csv_text.h"
#include "data/formats.h"

namespace nntrain::data {

namespace {

class CsvSource : public ArraySource {
 public:
  CsvSource(ArrayInfo info, std::vector<float> values) : info_(std::move(info)), values_(std::move(values)) {}
  const ArrayInfo& info() const override { return info_; }
  void read(std::span<std::byte> memory) override {
    check_memory(info_, memory);
    std::memcpy(memory.data(), values_.data(), memory.size());
  }

 private:
  ArrayInfo info_;
  std::vector<float> values_;  // (rows, columns)
};

/// Labels of a text column. While reading a label is its place in order of appearance, or among known names.
class Labels {
 public:
  explicit Labels(const std::vector<std::string>& known) : known_(!known.empty()), names_(known) {
    for (std::size_t i = 0; i < known.size(); ++i) places_.emplace(known[i], i);
  }

  /// Does this first value make the column one of text? Numbers are labels only where known names say so.
  bool claims(const std::string& first) const {
    float ignored = 0;
    const auto is_text = [&](const std::string& text) {
      return parse_number(text, ignored) == NumberState::kNoNumber;
    };
    if (is_text(first)) return true;
    return places_.contains(first) && std::any_of(names_.begin(), names_.end(), is_text);
  }

  /// The label's place; an empty result is the complaint.
  std::string place(std::string_view label, float& value) {
    auto found = places_.find(label);
    if (found == places_.end()) {
      if (known_) return unknown(label);
      found = places_.emplace(std::string(label), names_.size()).first;
      names_.emplace_back(label);
    }
    value = static_cast<float>(found->second);
    return {};
  }

  /// Class indices in sorted order; known names keep theirs.
  void sort(std::vector<float>& values) {
    if (known_) return;
    std::vector<float> sorted(names_.size());
    float index = 0;
    for (const auto& [name, place] : places_) sorted[place] = index++;
    for (float& value : values) value = sorted[static_cast<std::size_t>(value)];
    std::sort(names_.begin(), names_.end());
  }

  const std::vector<std::string>& names() const { return names_; }

 private:
  std::string unknown(std::string_view label) const {
    const std::string near = nearest(label, names_);
    std::string list;
    for (std::size_t i = 0; i < std::min<std::size_t>(names_.size(), 20); ++i) {
      list += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", names_[i]);
    }
    return fmt::format("the label \"{}\" is none of the known classes {}{}", label, list,
                       near.empty() ? "" : "; did you mean " + near + "?");
  }

  bool known_;
  std::vector<std::string> names_;
  std::map<std::string, std::size_t, std::less<>> places_;
};

class CsvReader {
 public:
  CsvReader(io::InputFile file, const SourceOptions& options)
      : options_(options), scanner_(std::move(file)), labels_(options.class_names) {}

  std::unique_ptr<ArraySource> read() {
    read_start();
    choose();
    for (const Start& record : start_) {
      if (!record.is_header) add_row(record.text, record.line);
    }
    std::string_view record;
    while (scanner_.next(record)) add_row(record, scanner_.line());
    if (rows_ == 0) throw InputError(scanner_.name() + " has a header, but no rows");
    if (text_column_) labels_.sort(values_);
    return std::make_unique<CsvSource>(make_array_info(), std::move(values_));
  }

 private:
  /// The first two records decide delimiter, header and the kind of a target column.
  struct Start {
    std::string text;
    std::int64_t line = 0;
    bool is_header = false;
  };

  void read_start() {
    std::string_view record;
    while (start_.size() < 2 && scanner_.next(record))
      start_.push_back({std::string(record), scanner_.line()});
    if (start_.empty()) throw InputError(scanner_.name() + " holds only empty lines");
    delimiter_ = detect_delimiter(start_[0].text);
    std::vector<std::string> first = split_fields(start_[0].text, delimiter_);
    const std::vector<std::string> second =
        start_.size() > 1 ? split_fields(start_[1].text, delimiter_) : std::vector<std::string>();
    start_[0].is_header = is_header(first, second);
    layout_.columns = first.size();
    first_row_ = start_[0].is_header ? second : first;
    if (start_[0].is_header) layout_.header = std::move(first);
  }

  void choose() {
    if (!options_.columns.empty()) {
      chosen_ = choose_columns(options_.columns, layout_, UnknownNames::kRefused, scanner_.name());
    } else {
      std::vector<std::size_t> excluded;
      if (options_.role == Role::kInputs) {
        excluded = choose_columns(options_.exclude_columns, layout_, UnknownNames::kIgnored, scanner_.name());
      }
      for (std::size_t column = 0; column < layout_.columns; ++column) {
        if (std::find(excluded.begin(), excluded.end(), column) == excluded.end()) chosen_.push_back(column);
      }
    }
    if (chosen_.empty()) throw InputError(scanner_.name() + ": no column is left to read");
    slot_.assign(layout_.columns, kSkip);
    for (std::size_t i = 0; i < chosen_.size(); ++i) slot_[chosen_[i]] = i;
    text_column_ = options_.role == Role::kTargets && chosen_.size() == 1 && chosen_[0] < first_row_.size() &&
                   !first_row_[chosen_[0]].empty() && labels_.claims(first_row_[chosen_[0]]);
    reserve();
  }

  void reserve() {
    const std::size_t row_bytes = start_.back().text.size() + 1;
    const auto rows = static_cast<std::size_t>(scanner_.file_bytes()) / row_bytes;
    values_.reserve((rows + rows / 16 + 1) * chosen_.size());
  }

  void add_row(std::string_view record, std::int64_t line) {
    values_.resize(values_.size() + chosen_.size());
    float* row = values_.data() + values_.size() - chosen_.size();
    CsvFields fields(record, delimiter_);
    std::string_view field;
    std::size_t column = 0;
    for (; fields.next(field); ++column) {
      if (column >= layout_.columns || slot_[column] == kSkip) continue;
      float& value = row[slot_[column]];
      const NumberState state = text_column_ ? NumberState::kGood : parse_number(field, value);
      if (state != NumberState::kGood) fail(line, column, complaint(field, state));
      if (text_column_) add_label(field, line, column, value);
    }
    if (column != layout_.columns) {
      throw InputError(
          fmt::format("{}, line {} (row {}) has {} columns, line {} has {}; every row needs the same number",
                      scanner_.name(), line, rows_, column, start_[0].line, layout_.columns));
    }
    ++rows_;
  }

  void add_label(std::string_view field, std::int64_t line, std::size_t column, float& value) {
    if (field.empty()) fail(line, column, "the label is empty");
    const std::string complaint = labels_.place(field, value);
    if (!complaint.empty()) fail(line, column, complaint);
  }

  std::string complaint(std::string_view field, NumberState state) const {
    const std::string shown = fmt::format("\"{}{}\"", field.substr(0, 40), field.size() > 40 ? "..." : "");
    switch (state) {
      case NumberState::kEmpty:
        return "the value is empty; repair or remove such rows";
      case NumberState::kNan:
        return shown + " is NaN; repair or remove such rows";
      case NumberState::kInfinite:
        return shown + " is Inf; repair or remove such rows";
      case NumberState::kTooLarge:
        return shown + " is too large for float32";
      default:
        break;
    }
    if (options_.role == Role::kInputs) return shown + " is not a number; data.input_columns chooses columns";
    if (options_.role == Role::kWeights) return shown + " is not a number";
    return shown +
           (chosen_.size() == 1
                ? " is not a number, but the column begins with one; use text for all labels or for none"
                : " is not a number; a column of text labels must be the only target column "
                  "(data.target_columns)");
  }

  [[noreturn]] void fail(std::int64_t line, std::size_t column, const std::string& complaint) const {
    throw InputError(fmt::format("{}, line {} (row {}), {}: {}", scanner_.name(), line, rows_,
                                 layout_.describe(column), complaint));
  }

  ArrayInfo make_array_info() const {
    ArrayInfo info;
    info.rows = rows_;
    const bool plain = chosen_.size() == 1 && options_.role != Role::kInputs;
    if (!plain) info.sample = Shape{static_cast<std::int64_t>(chosen_.size())};
    if (text_column_) info.class_names = labels_.names();
    if (!layout_.header.empty()) {
      for (const std::size_t column : chosen_) info.columns.push_back(layout_.header[column]);
    }
    return info;
  }

  static constexpr std::size_t kSkip = static_cast<std::size_t>(-1);

  const SourceOptions& options_;
  CsvScanner scanner_;
  Labels labels_;
  std::vector<Start> start_;
  std::vector<std::string> first_row_;
  char delimiter_ = ',';
  CsvLayout layout_;
  std::vector<std::size_t> chosen_;
  std::vector<std::size_t> slot_;  // of a column in a row of values_
  bool text_column_ = false;
  std::int64_t rows_ = 0;
  std::vector<float> values_;  // (rows, chosen)
};

}  // namespace

std::unique_ptr<ArraySource> open_csv(io::InputFile file, const SourceOptions& options) {
  return CsvReader(std::move(file), options).read();
}

}  // namespace nntrain::data

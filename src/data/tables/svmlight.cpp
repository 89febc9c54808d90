// SVMlight (libsvm) files: "target index:value ...", indices from 1, absent values 0, "#" begins a comment.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "data/formats.h"
#include "data/python_slice.h"
#include "data/tables/number_text.h"
#include "data/tables/records.h"

namespace nntrain::data {

namespace {

constexpr std::int64_t kMostColumns = 1 << 24;

class DenseSource : public ArraySource {
 public:
  DenseSource(ArrayInfo info, std::vector<float> values)
      : info_(std::move(info)), values_(std::move(values)) {}
  const ArrayInfo& info() const override { return info_; }
  void read(std::span<std::byte> memory) override {
    check_memory(info_, memory);
    std::copy(values_.begin(), values_.end(), reinterpret_cast<float*>(memory.data()));
  }

 private:
  ArrayInfo info_;
  std::vector<float> values_;
};

struct Entry {
  std::int64_t row = 0, column = 0;
  float value = 0;
};

class SvmReader {
 public:
  SvmReader(io::InputFile file, const SourceOptions& options)
      : options_(options), scanner_(stream_of(std::move(file)), blank_separated()) {}

  std::unique_ptr<ArraySource> read() {
    std::string_view record;
    while (scanner_.next(record)) add_row(record);
    if (rows_ == 0) throw InputError(scanner_.name() + " holds no rows");
    ArrayInfo info;
    info.rows = rows_;
    if (options_.role == Role::kTargets)
      return std::make_unique<DenseSource>(std::move(info), std::move(targets_));
    std::int64_t width = widest_;
    if (options_.training.is_object() && options_.training.contains("svmlight"))
      width = options_.training["svmlight"].get<std::int64_t>();
    if (width < widest_) {
      throw InputError(fmt::format("{}, line {}: the index {} is beyond the {} inputs of the training",
                                   scanner_.name(), widest_line_, widest_, width));
    }
    if (width == 0) throw InputError(scanner_.name() + " holds no index:value at all");
    info.sample = Shape{width};
    info.table = {{"svmlight", width}};
    info.notes.push_back(fmt::format("{}: {} rows of SVMlight, indices 1 to {}; absent values are 0",
                                     scanner_.name(), rows_, width));
    std::vector<float> values(static_cast<std::size_t>(rows_ * width), 0.0F);
    for (const Entry& entry : entries_)
      values[static_cast<std::size_t>(entry.row * width + entry.column)] = entry.value;
    return std::make_unique<DenseSource>(std::move(info), std::move(values));
  }

 private:
  static Dialect blank_separated() {
    Dialect dialect;
    dialect.delimiter = kBlanks;
    dialect.comment = '#';
    return dialect;
  }

  void add_row(std::string_view record) {
    record = record.substr(0, record.find('#'));
    FieldScanner fields(record, kBlanks);
    std::string_view field;
    std::int64_t last = 0;
    for (bool first = true; fields.next(field); first = false) {
      if (first) {
        targets_.push_back(number(field));
        continue;
      }
      const std::size_t colon = field.find(':');
      if (field.starts_with("qid:")) continue;
      const auto index =
          colon == std::string_view::npos ? std::nullopt : parse_integer(field.substr(0, colon));
      if (!index || *index < 1 || *index > kMostColumns) {
        fail(fmt::format("\"{}\" is not of the form index:value with an index from 1", field.substr(0, 40)));
      }
      if (*index <= last) fail(fmt::format("the index {} stands behind {}; indices go up", *index, last));
      last = *index;
      if (last > widest_) widest_line_ = scanner_.line();
      widest_ = std::max(widest_, last);
      if (options_.role == Role::kInputs)
        entries_.push_back({rows_, last - 1, number(field.substr(colon + 1))});
    }
    ++rows_;
  }

  float number(std::string_view text) {
    float value = 0;
    if (parse_number(text, value) != NumberState::kGood)
      fail(fmt::format("\"{}\" is not a finite number", text.substr(0, 40)));
    return value;
  }

  [[noreturn]] void fail(const std::string& complaint) const {
    throw InputError(
        fmt::format("{}, line {} (row {}): {}", scanner_.name(), scanner_.line(), rows_, complaint));
  }

  const SourceOptions& options_;
  RecordScanner scanner_;
  std::vector<float> targets_;
  std::vector<Entry> entries_;
  std::int64_t rows_ = 0, widest_ = 0, widest_line_ = 0;
};

}  // namespace

bool is_svmlight(std::string_view start) {
  while (start.starts_with('#')) {
    const std::size_t end = start.find('\n');
    if (end == std::string_view::npos) return false;
    start.remove_prefix(end + 1);
  }
  const std::string_view line = start.substr(0, start.find('\n'));
  if (line.find_first_of(",;") != std::string_view::npos) return false;
  const std::vector<std::string> fields = split_fields(line.substr(0, line.find('#')), kBlanks);
  float value = 0;
  if (fields.size() < 2 || parse_number(fields[0], value) != NumberState::kGood) return false;
  return std::all_of(fields.begin() + 1, fields.end(), [&](const std::string& field) {
    const std::size_t colon = field.find(':');
    if (colon == std::string::npos) return false;
    const auto index = parse_integer(std::string_view(field).substr(0, colon));
    return field.starts_with("qid:") ||
           (index && *index >= 0 &&
            parse_number(std::string_view(field).substr(colon + 1), value) == NumberState::kGood);
  });
}

std::unique_ptr<ArraySource> open_svmlight(io::InputFile file, const SourceOptions& options) {
  if (options.role == Role::kWeights)
    throw InputError(file.name() + " is an SVMlight file, which holds no weights");
  return SvmReader(std::move(file), options).read();
}

}  // namespace nntrain::data

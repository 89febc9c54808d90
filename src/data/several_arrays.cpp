// Arrays of several files, and rows of one or several that are read piece by piece.

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <optional>
#include <utility>

#include "core/error.h"
#include "data/file_state.h"
#include "data/formats.h"

namespace nntrain::data {

namespace {

constexpr std::size_t kMostOpen = 32;

class SeveralArrays : public ArraySource {
 public:
  SeveralArrays(std::vector<SourceOptions> files, const std::string& key) {
    std::int64_t rows = 0;
    for (SourceOptions& file : files) {
      Part part{std::move(file), {}, {}, {}};
      part.path = split_source(part.options.source).path;
      // Columns and classes of the first file, where it names them, are those of all.
      if (!parts_.empty() && part.options.training.is_null() && info_.table.is_object())
        part.options.training = info_.table;
      part.state = state_of(part.path);
      const std::unique_ptr<ArraySource> source = open_single(part.options);
      part.info = source->info();
      has_rows_ = has_rows_ && source->has_rows();
      if (parts_.empty()) {
        info_ = part.info;
      } else {
        check_equal(part);
        info_.files.push_back(rows);
      }
      rows += part.info.rows;
      parts_.push_back(std::move(part));
    }
    info_.rows = rows;
    if (parts_.size() > 1) add_note(key);
  }

  const ArrayInfo& info() const override { return info_; }

  void read(std::span<std::byte> memory) override {
    check_memory(info_, memory);
    for (const Part& part : parts_) {
      const auto bytes = static_cast<std::size_t>(part.info.bytes());
      open_again(part)->read(memory.first(bytes));
      memory = memory.subspan(bytes);
    }
  }

  bool has_rows() const override { return has_rows_; }

  void read_rows(std::int64_t first, std::int64_t count, std::span<std::byte> memory) override {
    check_rows(info_, first, count, memory);
    const std::int64_t row_bytes = info_.bytes() / info_.rows;
    std::size_t i = static_cast<std::size_t>(std::upper_bound(info_.files.begin(), info_.files.end(), first) -
                                             info_.files.begin());
    std::int64_t row = i == 0 ? first : first - info_.files[i - 1];
    for (; count > 0; ++i, row = 0) {
      const std::int64_t here = std::min(count, parts_[i].info.rows - row);
      const auto bytes = static_cast<std::size_t>(here * row_bytes);
      read_part(i, row, here, memory.first(bytes));
      memory = memory.subspan(bytes);
      count -= here;
    }
  }

 private:
  struct Part {
    SourceOptions options;
    std::string path;
    FileState state;
    ArrayInfo info;
    void check_unchanged() const {
      data::check_unchanged(path, state, fmt::format("{} \"{}\"", options.key, options.source));
    }
  };

  void add_note(const std::string& key) {
    std::string list;
    for (std::size_t i = 0; i < std::min<std::size_t>(parts_.size(), 6); ++i)
      list += fmt::format("{}{} ({})", i == 0 ? "" : ", ", parts_[i].options.source, parts_[i].info.rows);
    info_.notes.insert(info_.notes.begin(),
                       fmt::format("{}: {} rows in {} files: {}{}", key, info_.rows, parts_.size(), list,
                                   parts_.size() > 6 ? ", ..." : ""));
  }

  void check_equal(const Part& part) const {
    const auto type = [](const ArrayInfo& one) {
      return one.element == Element::kUint8 ? "bytes" : "numbers wider than a byte";
    };
    const SourceOptions &one = part.options, &first = parts_.front().options;
    if (part.info.sample != info_.sample) {
      throw InputError(fmt::format(
          "{} \"{}\" holds samples of shape {}, \"{}\" of shape {}; the files of one key must agree", one.key,
          one.source, part.info.sample.to_string(), first.source, info_.sample.to_string()));
    }
    if (part.info.element != info_.element) {
      throw InputError(fmt::format("{} \"{}\" holds {}, \"{}\" {}; store all of them with one type", one.key,
                                   one.source, type(part.info), first.source, type(info_)));
    }
  }

  static std::unique_ptr<ArraySource> open_again(const Part& part) {
    part.check_unchanged();
    std::unique_ptr<ArraySource> source = open_single(part.options);
    if (source->info().bytes() != part.info.bytes())
      throw InputError(
          fmt::format("{} \"{}\" has changed while it was read", part.options.key, part.options.source));
    return source;
  }

  void read_part(std::size_t i, std::int64_t row, std::int64_t count, std::span<std::byte> memory) {
    const Part& part = parts_[i];
    try {
      opened(i).read_rows(row, count, memory);
    } catch (const Error&) {
      part.check_unchanged();  // then that is the cause
      throw;
    }
    part.check_unchanged();
  }

  /// The files that rows were read from last stay open.
  ArraySource& opened(std::size_t i) {
    auto found = std::find_if(open_.begin(), open_.end(), [&](const auto& one) { return one.first == i; });
    if (found == open_.end()) {
      if (open_.size() >= kMostOpen) open_.pop_back();
      open_.emplace_front(i, open_again(parts_[i]));
    } else if (found != open_.begin()) {
      open_.splice(open_.begin(), open_, found);
    }
    return *open_.front().second;
  }

  std::vector<Part> parts_;
  ArrayInfo info_;
  bool has_rows_ = true;
  std::list<std::pair<std::size_t, std::unique_ptr<ArraySource>>> open_;  ///< the last one used comes first
};

}  // namespace

std::unique_ptr<ArraySource> make_several_arrays(std::vector<SourceOptions> files, const std::string& key) {
  return std::make_unique<SeveralArrays>(std::move(files), key);
}

}  // namespace nntrain::data

#include "data/tables/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "core/error.h"

namespace nntrain::data {

namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
constexpr std::size_t kLongestRecord = std::size_t{64} << 20;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f'; }

}  // namespace

bool has_open_quote(std::string_view record, char delimiter, char quote) {
  bool inside = false;
  bool field_start = true;
  bool just_closed = false;
  for (const char c : record) {
    if (inside) {
      inside = c != quote;
      just_closed = !inside;
      continue;
    }
    inside = c == quote && (field_start || just_closed);  // "" is a quote inside the field
    field_start = c == delimiter || (field_start && c == ' ') || (delimiter == kBlanks && c == '\t');
    just_closed = false;
  }
  return inside;
}

bool is_empty_record(std::string_view record, char delimiter) {
  return std::all_of(record.begin(), record.end(),
                     [&](char c) { return is_blank(c) && (c != '\t' || delimiter != '\t'); });
}

ByteStream stream_of(io::InputFile file) {
  const auto shared = std::make_shared<io::InputFile>(std::move(file));
  return {shared->name(), [shared](std::span<std::byte> memory) { return shared->read_some(memory); },
          shared->compressed() ? 0 : shared->file_bytes()};
}

ByteStream stream_of(io::InputFile file, std::int64_t begin, std::int64_t end) {
  file.seek(begin);
  const auto shared = std::make_shared<io::InputFile>(std::move(file));
  return {shared->name(),
          [shared, left = static_cast<std::size_t>(end - begin)](std::span<std::byte> memory) mutable {
            const std::size_t got = shared->read_some(memory.first(std::min(memory.size(), left)));
            left -= got;
            return got;
          },
          end - begin};
}

ByteStream stream_of(std::string_view text, std::string name) {
  return {std::move(name),
          [text](std::span<std::byte> memory) mutable {
            const std::size_t count = std::min(text.size(), memory.size());
            std::memcpy(memory.data(), text.data(), count);
            text.remove_prefix(count);
            return count;
          },
          static_cast<std::int64_t>(text.size())};
}

RecordScanner::RecordScanner(ByteStream stream, const Dialect& dialect, std::int64_t first_line)
    : stream_(std::move(stream)), dialect_(dialect), next_line_(first_line), record_line_(first_line) {
  buffer_.resize(block_bytes());
  if (dialect_.skip_bytes > 0) {
    std::string mark(dialect_.skip_bytes, '\0');
    stream_.read(std::as_writable_bytes(std::span(mark)));
    offset_ = static_cast<std::int64_t>(dialect_.skip_bytes);
  }
  fill();
  std::string_view line;
  for (std::size_t i = 0; i < dialect_.skip_lines && take_line(line, 0); ++i) {
    pass(line.size() + 1);
    ++next_line_;
  }
}

/// Bytes of the buffer are done with.
void RecordScanner::pass(std::size_t bytes) {
  bytes = std::min(bytes, end_ - begin_);
  offset_ += static_cast<std::int64_t>(
      dialect_.encoding == Encoding::kUtf8
          ? bytes
          : encoded_bytes(dialect_.encoding, std::string_view(buffer_).substr(begin_, bytes)));
  begin_ += bytes;
}

/// Small files need no large block.
std::size_t RecordScanner::block_bytes() const {
  return stream_.bytes > 0 ? std::min(kBlockBytes, static_cast<std::size_t>(stream_.bytes) + 1) : kBlockBytes;
}

/// Appends a block to the buffer, as UTF-8. 0: the file ends.
std::size_t RecordScanner::read_block() {
  if (dialect_.encoding == Encoding::kUtf8) {
    const std::size_t room = buffer_.size() - end_;
    const std::size_t got = stream_.read(std::as_writable_bytes(std::span(buffer_).subspan(end_)));
    at_end_ = got < room;
    end_ += got;
    return got;
  }
  const std::size_t waiting = raw_.size();
  raw_.resize(std::max(block_bytes(), waiting + 1));
  const std::size_t got = stream_.read(std::as_writable_bytes(std::span(raw_).subspan(waiting)));
  at_end_ = got < raw_.size() - waiting;
  raw_.resize(waiting + got);
  std::string text;
  raw_.erase(0, decode(dialect_.encoding, raw_, text));
  if (buffer_.size() < end_ + text.size()) buffer_.resize(end_ + text.size());
  std::memcpy(buffer_.data() + end_, text.data(), text.size());
  end_ += text.size();
  return text.size();
}

bool RecordScanner::fill() {
  if (at_end_) return false;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) {
    if (buffer_.size() >= kLongestRecord) {
      throw InputError(fmt::format("{}, line {}: a record of more than {} bytes; is this a CSV file?", name(),
                                   next_line_, kLongestRecord));
    }
    buffer_.resize(buffer_.size() * 2);
  }
  return read_block() > 0;
}

/// The line that begins `offset` bytes behind begin_, without its line break; false at the end.
bool RecordScanner::take_line(std::string_view& line, std::size_t offset) {
  if (offset > end_ - begin_) return false;  // the line before it had no line break: it was the last one
  std::size_t searched = offset;
  for (;;) {
    const char* from = buffer_.data() + begin_ + searched;
    const auto left = end_ - begin_ - searched;
    if (const auto* found =
            static_cast<const char*>(left == 0 ? nullptr : std::memchr(from, dialect_.line_end, left))) {
      line = {buffer_.data() + begin_ + offset, found};
      return true;
    }
    searched = end_ - begin_;
    if (fill()) continue;
    line = {buffer_.data() + begin_ + offset, searched - offset};
    return searched > offset;
  }
}

bool RecordScanner::next(std::string_view& record) {
  std::string_view line;
  while (take_line(line, 0)) {
    record_line_ = next_line_++;
    record_offset_ = offset_;
    std::size_t length = line.size();
    const bool comment = dialect_.comment != '\0' && !line.empty() && line.front() == dialect_.comment &&
                         !(dialect_.comment_header && record_line_ == 1);
    const bool quotes =
        !comment && dialect_.quote != '\0' && line.find(dialect_.quote) != std::string_view::npos;
    while (quotes && has_open_quote({buffer_.data() + begin_, length}, dialect_.delimiter, dialect_.quote)) {
      if (!take_line(line, length + 1)) {
        throw InputError(fmt::format("{}, line {}: a quoted field has no end", name(), record_line_));
      }
      length += 1 + line.size();
      ++next_line_;
    }
    record = {buffer_.data() + begin_, length};
    pass(length + 1);
    if (record.ends_with('\r')) record.remove_suffix(1);
    if (comment) {
      ++comments_;
      continue;
    }
    if (dialect_.comment_header && record_line_ == 1) {
      while (!record.empty() && (record.front() == dialect_.comment || record.front() == ' '))
        record.remove_prefix(1);
    }
    if (!is_empty_record(record, dialect_.delimiter)) return true;
  }
  return false;
}

FieldScanner::FieldScanner(std::string_view record, char delimiter, char quote)
    : at_(record.data()), end_(record.data() + record.size()), delimiter_(delimiter), quote_(quote) {
  if (delimiter_ != kBlanks) return;
  while (at_ < end_ && is_blank(*at_)) ++at_;
  while (end_ > at_ && is_blank(end_[-1])) --end_;
}

bool FieldScanner::next(std::string_view& field) {
  if (done_) return false;
  behind_quote_ = {};
  const char* begin = at_;
  while (begin < end_ && *begin == ' ') ++begin;
  was_quoted_ = begin < end_ && quote_ != '\0' && *begin == quote_;
  if (was_quoted_) {
    at_ = begin + 1;
    field = quoted();
    const char* rest = at_;
    while (at_ < end_ && !at_delimiter()) ++at_;
    while (rest < at_ && is_blank(*rest)) ++rest;
    behind_quote_ = {rest, at_};
  } else {
    at_ = begin;
    while (at_ < end_ && !at_delimiter()) ++at_;
    const char* last = at_;
    while (last > begin && is_blank(last[-1])) --last;
    field = {begin, last};
  }
  done_ = at_ == end_;
  if (!done_) ++at_;
  while (delimiter_ == kBlanks && at_ < end_ && is_blank(*at_)) ++at_;
  return true;
}

/// From behind the opening quote to behind the closing one; "" is a quote.
std::string_view FieldScanner::quoted() {
  unescaped_.clear();
  while (at_ < end_) {
    if (*at_ == quote_) {
      ++at_;
      if (at_ == end_ || *at_ != quote_) break;
    }
    unescaped_ += *at_++;
  }
  return unescaped_;
}

std::vector<std::string> split_fields(std::string_view record, char delimiter, char quote) {
  std::vector<std::string> fields;
  FieldScanner scanner(record, delimiter, quote);
  std::string_view field;
  while (scanner.next(field)) fields.emplace_back(field);
  return fields;
}

}  // namespace nntrain::data

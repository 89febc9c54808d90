#include "data/csv_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "core/error.h"

namespace nntrain::data {

namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
constexpr std::size_t kLongestRecord = std::size_t{64} << 20;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f'; }

bool is_delimiter(char c) { return c == ',' || c == ';' || c == '\t'; }

/// Does a quoted field go on behind the end of `record`? Quotes count only where a field begins.
bool has_open_quote(std::string_view record) {
  bool inside = false;
  bool field_start = true;
  bool just_closed = false;
  for (const char c : record) {
    if (inside) {
      inside = c != '"';
      just_closed = !inside;
      continue;
    }
    inside = c == '"' && (field_start || just_closed);  // "" is a quote inside the field
    field_start = is_delimiter(c) || (field_start && c == ' ');
    just_closed = false;
  }
  return inside;
}

}  // namespace

CsvScanner::CsvScanner(io::InputFile file) : file_(std::move(file)), buffer_(kBlockBytes) {
  fill();
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (std::string_view(buffer_.data(), end_).starts_with(kByteOrderMark)) begin_ = kByteOrderMark.size();
}

bool CsvScanner::fill() {
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
  const std::size_t got = file_.read_some(std::as_writable_bytes(std::span(buffer_).subspan(end_)));
  at_end_ = got < buffer_.size() - end_;
  end_ += got;
  return got > 0;
}

/// The line that begins `offset` bytes behind begin_, without its line break; false at the end.
bool CsvScanner::take_line(std::string_view& line, std::size_t offset) {
  std::size_t searched = offset;
  for (;;) {
    const char* from = buffer_.data() + begin_ + searched;
    const auto left = end_ - begin_ - searched;
    if (const auto* found = static_cast<const char*>(left == 0 ? nullptr : std::memchr(from, '\n', left))) {
      line = {buffer_.data() + begin_ + offset, found};
      return true;
    }
    searched = end_ - begin_;
    if (fill()) continue;
    line = {buffer_.data() + begin_ + offset, searched - offset};
    return searched > offset;
  }
}

bool CsvScanner::next(std::string_view& record) {
  std::string_view line;
  while (take_line(line, 0)) {
    record_line_ = next_line_++;
    std::size_t length = line.size();
    const bool quotes = line.find('"') != std::string_view::npos;
    while (quotes && has_open_quote({buffer_.data() + begin_, length})) {
      if (!take_line(line, length + 1)) {
        throw InputError(fmt::format("{}, line {}: a quoted field has no end", name(), record_line_));
      }
      length += 1 + line.size();
      ++next_line_;
    }
    record = {buffer_.data() + begin_, length};
    begin_ = std::min(begin_ + length + 1, end_);
    if (record.ends_with('\r')) record.remove_suffix(1);
    if (!std::all_of(record.begin(), record.end(), is_blank)) return true;
  }
  return false;
}

bool CsvFields::next(std::string_view& field) {
  if (done_) return false;
  const char* begin = at_;
  while (begin < end_ && *begin == ' ') ++begin;
  if (begin < end_ && *begin == '"') {
    at_ = begin + 1;
    field = quoted();
    while (at_ < end_ && *at_ != delimiter_) ++at_;
  } else {
    at_ = begin;
    while (at_ < end_ && *at_ != delimiter_) ++at_;
    const char* last = at_;
    while (last > begin && is_blank(last[-1])) --last;
    field = {begin, last};
  }
  done_ = at_ == end_;
  if (!done_) ++at_;
  return true;
}

/// From behind the opening quote to behind the closing one; "" is a quote.
std::string_view CsvFields::quoted() {
  unescaped_.clear();
  while (at_ < end_) {
    if (*at_ == '"') {
      ++at_;
      if (at_ == end_ || *at_ != '"') break;
    }
    unescaped_ += *at_++;
  }
  return unescaped_;
}

std::vector<std::string> split_fields(std::string_view record, char delimiter) {
  std::vector<std::string> fields;
  CsvFields scanner(record, delimiter);
  std::string_view field;
  while (scanner.next(field)) fields.emplace_back(field);
  return fields;
}

char detect_delimiter(std::string_view record) {
  constexpr std::array<char, 3> kCandidates = {'\t', ';', ','};
  std::array<std::int64_t, 3> counts{};
  bool inside = false;
  for (const char c : record) {
    if (c == '"') inside = !inside;
    for (std::size_t i = 0; i < kCandidates.size(); ++i) counts[i] += !inside && c == kCandidates[i];
  }
  const auto most = std::max_element(counts.begin(), counts.end());
  return *most == 0 ? ',' : kCandidates[static_cast<std::size_t>(most - counts.begin())];
}

namespace {

/// from_chars does not tell too large from too small; strtod does.
NumberState parse_extreme(std::string_view field, float& value) {
  const std::string terminated(field);
  const double number = std::strtod(terminated.c_str(), nullptr);
  if (!(std::abs(number) <= 3.5e38)) return NumberState::kTooLarge;
  value = static_cast<float>(number);
  return std::isfinite(value) ? NumberState::kGood : NumberState::kTooLarge;
}

}  // namespace

NumberState parse_number(std::string_view field, float& value) {
  if (field.empty()) return NumberState::kEmpty;
  const char* begin = field.data();
  const char* end = begin + field.size();
  if (*begin == '+' && field.size() > 1 && begin[1] != '-') ++begin;
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (stop != end || error == std::errc::invalid_argument) return NumberState::kNoNumber;
  if (error == std::errc::result_out_of_range) return parse_extreme(field, value);
  if (std::isnan(value)) return NumberState::kNan;
  return std::isinf(value) ? NumberState::kInfinite : NumberState::kGood;
}

namespace {

bool marks_missing(const std::string& field) {
  constexpr std::array<std::string_view, 9> kMarks = {"",    "?",    "-",    "NA",  "N/A",
                                                      "n/a", "null", "NULL", "None"};
  return std::find(kMarks.begin(), kMarks.end(), field) != kMarks.end();
}

}  // namespace

bool is_header(const std::vector<std::string>& first, const std::vector<std::string>& second) {
  float ignored = 0;
  bool has_number = false;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (parse_number(first[i], ignored) != NumberState::kNoNumber) {
      has_number = has_number || !first[i].empty();
      continue;
    }
    const bool above_number = i < second.size() && parse_number(second[i], ignored) == NumberState::kGood;
    if (above_number && !marks_missing(first[i])) return true;
  }
  return !has_number;
}

}  // namespace nntrain::data

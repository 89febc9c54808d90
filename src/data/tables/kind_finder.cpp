#include "data/tables/kind_finder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace nntrain::data {

void KindFinder::add(std::string_view field, const NumberFormat& numbers) {
  ++cells_;
  if (marks_missing(field)) {
    ++missing_;
    return;
  }
  if (example_.empty()) example_ = field.substr(0, 40);
  float value = 0;
  if (parse_number(field, numbers, value) != NumberState::kNoNumber) {
    ++numbers_;
    return;
  }
  booleans_ += parse_boolean(field).has_value();
  const bool is_date = parse_date(field, "").has_value();
  dates_ += is_date;
  const bool has_letters = std::any_of(field.begin(), field.end(), [](char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 128;
  });
  strange_ += !is_date && (!has_letters || looks_like_numbers(field));
  if (too_many_) return;
  words_.emplace(field);
  too_many_ = words_.size() > kMostWords;
}

ColumnKind KindFinder::kind() const {
  const std::int64_t known = cells_ - missing_;
  if (known == 0 || numbers_ > 0) return ColumnKind::kAuto;
  if (booleans_ == known && words_.size() <= 2) return ColumnKind::kBoolean;
  if (dates_ == known) return ColumnKind::kDate;
  // Words that come again and again; names and remarks hardly do.
  const bool again = static_cast<std::int64_t>(words_.size()) * 2 <= known;
  return dates_ == 0 && strange_ == 0 && !too_many_ && again ? ColumnKind::kCategorical : ColumnKind::kAuto;
}

std::string KindFinder::describe() const {
  std::string text;
  switch (kind()) {
    case ColumnKind::kBoolean:
      text = "boolean";
      break;
    case ColumnKind::kDate:
      text = fmt::format("date ({}, ...)", example_);
      break;
    case ColumnKind::kCategorical: {
      text = fmt::format("categorical ({}: ", words_.size());
      std::size_t some = 0;
      for (const std::string& word : words_) {
        if (some++ == 4) break;
        text += fmt::format("{}{}", some == 1 ? "" : ", ", word.substr(0, 20));
      }
      text += words_.size() > 4 ? ", ...)" : ")";
      break;
    }
    default:
      text = numbers_ == cells_ - missing_ && numbers_ > 0 ? "numeric" : "not clear";
  }
  return missing_ > 0 ? text + fmt::format(", {} missing", missing_) : text;
}

}  // namespace nntrain::data

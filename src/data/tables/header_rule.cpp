#include "data/tables/header_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace nntrain::data {

namespace {

/// What one column says.
struct Column {
  bool first_is_text = false, first_is_missing = false;
  float first = 0;
  bool below_are_numbers = false;  ///< all that are there
  bool below_repeat = false;       ///< some text stands below twice
  bool comes_again = false;        ///< the first record's text stands below
  bool counts_rows = false;        ///< 0, 1, 2, ... below: an index
  bool whole_below = true;
  float least = INFINITY, most = -INFINITY;

  /// Far from all numbers below: by more than their span, and than half of the largest.
  bool first_is_far() const {
    const float reach = std::max(most - least, 0.5F * std::max(std::abs(least), std::abs(most)));
    return first < least - reach || first > most + reach;
  }
};

Column look_at(const std::vector<std::vector<std::string>>& records, std::size_t column,
               const NumberFormat& format) {
  Column seen;
  const std::string& first = records[0][column];
  const NumberState state = parse_number(first, format, seen.first);
  seen.first_is_missing = marks_missing(first) || first == ".";  // SAS' missing value names no column
  seen.first_is_text = state == NumberState::kNoNumber && !seen.first_is_missing;
  std::set<std::string> texts;
  std::size_t numbers = 0, others = 0;
  seen.counts_rows = records.size() > 1;
  for (std::size_t row = 1; row < records.size(); ++row) {
    if (column >= records[row].size()) continue;
    const std::string& field = records[row][column];
    float value = 0;
    if (parse_number(field, format, value) == NumberState::kGood) {
      ++numbers;
      seen.least = std::min(seen.least, value);
      seen.most = std::max(seen.most, value);
      seen.counts_rows = seen.counts_rows && value == static_cast<float>(row - 1);
      seen.whole_below = seen.whole_below && value == std::floor(value);
    } else {
      seen.counts_rows = false;
      others += marks_missing(field) ? 0 : 1;
    }
    seen.comes_again = seen.comes_again || field == first;
    seen.below_repeat = seen.below_repeat || !texts.insert(field).second;
  }
  seen.below_are_numbers =
      numbers > 0 && others * 10 <= numbers;  // one garbled cell does not change the column
  return seen;
}

/// Votes of all columns together.
struct Votes {
  int text_above_numbers = 0, unnamed_index = 0;
  int far = 0, near = 0;  ///< numbers above numbers
  int again = 0;          ///< text that comes again below
  int text_above_text = 0, repeating = 0;
  bool in_steps = false;  ///< the numbers go up by one, as years and counted columns do
  bool years = false;
  bool broken_numbers = false;
};

Votes count(const std::vector<std::vector<std::string>>& records, const NumberFormat& format) {
  Votes votes;
  std::vector<float> numbers;
  for (std::size_t i = 0; i < records[0].size(); ++i) {
    const Column column = look_at(records, i, format);
    if (column.first_is_text) {
      votes.text_above_numbers += column.below_are_numbers;
      votes.again += !column.below_are_numbers && column.comes_again;
      votes.text_above_text += !column.below_are_numbers;
      votes.repeating += !column.below_are_numbers && column.below_repeat;
    } else if (records[0][i].empty()) {
      votes.unnamed_index += i == 0 && column.counts_rows;
    } else if (!column.first_is_missing) {
      numbers.push_back(column.first);
      if (column.below_are_numbers) (column.first_is_far() ? votes.far : votes.near) += 1;
      votes.broken_numbers = votes.broken_numbers || column.first != std::floor(column.first);
    }
  }
  votes.in_steps = numbers.size() > 1;
  votes.years = !numbers.empty();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    votes.years =
        votes.years && numbers[i] == std::floor(numbers[i]) && numbers[i] >= 1900 && numbers[i] <= 2100;
    votes.in_steps = votes.in_steps && (i == 0 || numbers[i] == numbers[i - 1] + 1);
  }
  return votes;
}

HeaderVerdict unclear(const std::string& reason) { return {FirstRecord::kUnclear, reason}; }

HeaderVerdict judge_without_text(const Votes& votes) {
  const bool like_names = votes.in_steps && votes.far >= 3 && votes.near == 0;
  if (like_names) return unclear("its numbers go up by one and are far from those below them");
  return {FirstRecord::kData, "it holds numbers"};
}

}  // namespace

bool counts_columns(const std::vector<std::string>& record) {
  const std::size_t unnamed = !record.empty() && record.front().empty() ? 1 : 0;
  if (record.size() < unnamed + 2) return false;
  for (std::size_t i = unnamed; i < record.size(); ++i)
    if (record[i] != std::to_string(i - unnamed)) return false;
  return true;
}

HeaderVerdict judge_first_record(const std::vector<std::vector<std::string>>& records,
                                 const NumberFormat& numbers) {
  if (records.empty()) return {};
  const Votes votes = count(records, numbers);
  if (votes.unnamed_index > 0 && votes.again == 0)
    return {FirstRecord::kHeader, "its first cell is empty above 0, 1, 2, ..."};
  if (counts_columns(records[0]))
    return unclear("its numbers count the columns from 0, as the header that pandas writes above an array");
  const int texts = votes.text_above_numbers + votes.text_above_text;
  const int above = votes.far + votes.near;
  if (texts == 0) return judge_without_text(votes);
  if (votes.again > 0) {
    if (votes.text_above_numbers > 0 && votes.near == 0)
      return unclear("it has text above numbers, and text that comes again below");
    return {FirstRecord::kData, "its text comes again below"};
  }
  if (votes.text_above_numbers > 0) {
    if (votes.near == 0) return {FirstRecord::kHeader, "it has text above numbers"};
    const bool names = votes.in_steps && !votes.broken_numbers;
    if (names && votes.near <= votes.far) return {FirstRecord::kHeader, "it has text above numbers"};
    return unclear("it has text above numbers, and numbers like those below them");
  }
  if (above > 0) {
    if (votes.near == 0) return {FirstRecord::kHeader, "its numbers are far from those below them"};
    if (votes.in_steps || votes.years) return unclear("its numbers could be names");
    if (votes.near > 2 * votes.far) return {FirstRecord::kData, "its numbers are like those below them"};
    return unclear("some of its numbers are far from those below them");
  }
  // Text above text, and nothing else to go by.
  if (records.size() == 1) return {FirstRecord::kHeader, "it holds text"};
  if (votes.repeating > 0) return {FirstRecord::kHeader, "its text does not come again below"};
  return unclear("it holds text above text that never repeats");
}

}  // namespace nntrain::data

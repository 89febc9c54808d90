#pragma once
// Is the first record of a table its header? A rule that rather asks than guesses.

#include <string>
#include <string_view>
#include <vector>

#include "data/tables/number_text.h"

namespace nntrain::data {

enum class FirstRecord { kHeader, kData, kUnclear };

struct HeaderVerdict {
  FirstRecord is = FirstRecord::kData;
  std::string reason;  ///< for the log, or for the question
};

/// Does the record count the columns, 0, 1, 2, ..., behind an empty cell or not? pandas names the columns of
/// an array so; a row of numbers may be the same.
bool counts_columns(const std::vector<std::string>& record);

/// `records`: the first and some of those below it, cut into fields. Text above numbers, or numbers far from
/// those below them, speak for a header; text that comes again below, or numbers like those below them, for a
/// row. Where both speak, or none, it is unclear, and so is one that counts the columns.
HeaderVerdict judge_first_record(const std::vector<std::vector<std::string>>& records,
                                 const NumberFormat& numbers);

}  // namespace nntrain::data

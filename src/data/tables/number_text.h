#pragma once
// What a cell of a table says: a number in one of the world's spellings, a missing value, a date, yes or no.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nntrain::data {

/// What became of a field that should be a number.
enum class NumberState { kGood, kEmpty, kNoNumber, kNan, kInfinite, kTooLarge };

struct NumberFormat {
  char decimal = '.';
  char thousands = '\0';  ///< none; groups of three digits before the decimal mark
  bool operator==(const NumberFormat&) const = default;
};

/// Numbers with a decimal point, as every program writes them.
NumberState parse_number(std::string_view field, float& value);
NumberState parse_number(std::string_view field, const NumberFormat& format, float& value);

/// Is a blank that does not break lines among the characters? Between thousands it is one of
/// NumberFormat::thousands = ' '.
bool has_hard_blank(std::string_view field);

/// For which decimal mark a number's spelling speaks: 1.5 for the point, 1.234,50 for the comma, 12 for
/// neither, 1,234 for either. Nothing: no number in any spelling.
enum class DecimalEvidence { kNone, kPoint, kComma, kEither };
std::optional<DecimalEvidence> decimal_evidence(std::string_view field);

/// A number in its clothes: "$1,234.50", "85.0 m2", "45%".
struct DressedNumber {
  std::string prefix, number, suffix;
};
std::optional<DressedNumber> undress(std::string_view field);

/// Would a person read a number, a date or several numbers here, where no plain number stands? Such text is
/// never a class in silence.
bool looks_like_numbers(std::string_view field);

/// Empty, NA, N/A, NaN, null, None, ?, - and what pandas takes for missing.
bool marks_missing(std::string_view field);

/// true/false, yes/no, t/f, y/n, on/off, ja/nein, 1/0 in any case.
std::optional<bool> parse_boolean(std::string_view field);

/// Days since 1970-01-01, with the time of the day as a fraction. `format` empty: ISO 8601 (2021-03-01,
/// 2021/03/01, 2021-03-01T12:00:00Z) or day.month.year; else strptime's %Y %y %m %d %H %M %S. Nothing: no
/// such date.
std::optional<double> parse_date(std::string_view field, std::string_view format);

/// Year, month, day, hour, minute and second (rounded to a millisecond) of such a number.
struct DateParts {
  double year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};
DateParts date_parts(double days);

}  // namespace nntrain::data

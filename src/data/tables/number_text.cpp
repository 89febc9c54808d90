#include "data/tables/number_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>

namespace nntrain::data {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

/// from_chars does not tell too large from too small; strtod does.
NumberState parse_extreme(std::string_view field, float& value) {
  const std::string terminated(field);
  const double number = std::strtod(terminated.c_str(), nullptr);
  if (!(std::abs(number) <= 3.5e38)) return NumberState::kTooLarge;
  value = static_cast<float>(number);
  return std::isfinite(value) ? NumberState::kGood : NumberState::kTooLarge;
}

/// Are the digits of `text` cut by `mark` into groups of three, the first of one to three?
bool grouped(std::string_view text, char mark) {
  if (text.starts_with('0')) return false;
  std::size_t group = 0;
  bool first = true;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] != mark) {
      if (!is_digit(text[i])) return false;
      ++group;
      continue;
    }
    if (group == 0 || group > 3 || (!first && group != 3)) return false;
    first = false;
    group = 0;
  }
  return true;
}

/// The number with a decimal point and without groups; nothing when it is not spelled so.
std::optional<std::string> with_point(std::string_view field, const NumberFormat& format) {
  const std::size_t sign = !field.empty() && (field[0] == '-' || field[0] == '+') ? 1 : 0;
  const std::size_t exponent = std::min(field.find_first_of("eE", sign), field.size());
  const std::size_t decimal = std::min(field.find(format.decimal, sign), exponent);
  const std::string_view whole = field.substr(sign, decimal - sign);
  std::string digits;
  if (format.thousands != '\0' && whole.find(format.thousands) != std::string_view::npos) {
    if (!grouped(whole, format.thousands)) return std::nullopt;
    std::copy_if(whole.begin(), whole.end(), std::back_inserter(digits), is_digit);
  } else {
    digits = whole;
  }
  if (format.decimal != '.' && field.find('.', decimal) != std::string_view::npos) return std::nullopt;
  if (format.decimal != '.' && digits.find('.') != std::string::npos) return std::nullopt;
  std::string text(field.substr(0, sign));
  text += digits;
  if (decimal < exponent) (text += '.') += field.substr(decimal + 1, exponent - decimal - 1);
  return text + std::string(field.substr(exponent));
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

/// Blanks that do not break lines, as Excel and the French write them between thousands.
constexpr std::array<std::string_view, 3> kHardBlanks = {"\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x89"};

std::string with_plain_blanks(std::string_view field) {
  std::string text(field);
  for (const std::string_view blank : kHardBlanks) {
    for (std::size_t at = 0; (at = text.find(blank, at)) != std::string::npos;)
      text.replace(at, blank.size(), " ");
  }
  return text;
}

}  // namespace

bool has_hard_blank(std::string_view field) {
  return std::any_of(kHardBlanks.begin(), kHardBlanks.end(),
                     [&](std::string_view blank) { return field.find(blank) != std::string_view::npos; });
}

NumberState parse_number(std::string_view field, const NumberFormat& format, float& value) {
  if (format.thousands == ' ' && has_hard_blank(field))
    return parse_number(with_plain_blanks(field), format, value);
  if (format.decimal == '.' && format.thousands == '\0') return parse_number(field, value);
  if (std::none_of(field.begin(), field.end(), is_digit)) return parse_number(field, value);
  const std::optional<std::string> text = with_point(field, format);
  return text ? parse_number(*text, value) : NumberState::kNoNumber;
}

std::optional<DecimalEvidence> decimal_evidence(std::string_view field) {
  float ignored = 0;
  const auto points = std::count(field.begin(), field.end(), '.');
  const auto commas = std::count(field.begin(), field.end(), ',');
  if (points == 0 && commas == 0) {
    return parse_number(field, ignored) == NumberState::kGood ? std::optional(DecimalEvidence::kNone)
                                                              : std::nullopt;
  }
  const auto good = [&](char decimal, char thousands) {
    return parse_number(field, {decimal, thousands}, ignored) == NumberState::kGood;
  };
  const bool by_point = good('.', ',');
  const bool by_comma = good(',', '.');
  if (by_point && by_comma) return DecimalEvidence::kEither;
  if (by_point) return DecimalEvidence::kPoint;
  if (by_comma) return DecimalEvidence::kComma;
  return std::nullopt;
}

namespace {

constexpr std::array<std::string_view, 6> kCurrencies = {"$",        "\xE2\x82\xAC", "\xC2\xA3",
                                                         "\xC2\xA5", "\xE2\x82\xB9", "Rs."};

bool is_currency(std::string_view text) {
  if (std::find(kCurrencies.begin(), kCurrencies.end(), text) != kCurrencies.end()) return true;
  return text.size() == 3 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::string_view trimmed_blanks(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<DressedNumber> undress(std::string_view field) {
  const std::size_t first = field.find_first_of("0123456789");
  if (first == std::string_view::npos) return std::nullopt;
  std::size_t begin = first;
  if (begin > 0 && (field[begin - 1] == '.' || field[begin - 1] == ',')) --begin;
  DressedNumber dressed;
  std::string_view prefix = field.substr(0, begin);
  std::string sign;
  const std::size_t minus = prefix.find_first_of("+-");
  if (minus != std::string_view::npos) {
    sign = prefix[minus];
    dressed.prefix = std::string(trimmed_blanks(prefix.substr(0, minus))) +
                     std::string(trimmed_blanks(prefix.substr(minus + 1)));
  } else {
    dressed.prefix = trimmed_blanks(prefix);
  }
  std::size_t end = begin;
  while (end < field.size() && (is_digit(field[end]) || field[end] == '.' || field[end] == ',')) ++end;
  if (end + 1 < field.size() && (field[end] == 'e' || field[end] == 'E') &&
      (is_digit(field[end + 1]) || (end + 2 < field.size() && is_digit(field[end + 2])))) {
    end += 2;
    while (end < field.size() && is_digit(field[end])) ++end;
  }
  dressed.number = sign + std::string(field.substr(begin, end - begin));
  dressed.suffix = trimmed_blanks(field.substr(end));
  const bool hexadecimal = dressed.number == sign + "0" && dressed.suffix.size() > 1 &&
                           (dressed.suffix.front() == 'x' || dressed.suffix.front() == 'X');
  if (hexadecimal) return std::nullopt;
  if (!dressed.prefix.empty() && !is_currency(dressed.prefix)) return std::nullopt;
  const std::string_view suffix = dressed.suffix;
  if (suffix.size() > 12 || (!suffix.empty() && is_digit(suffix.front()))) return std::nullopt;
  if (suffix.find(' ') != std::string_view::npos) return std::nullopt;
  if (has_hard_blank(dressed.suffix)) {  // "85 m2" with such a blank is a unit, "1 000" is a thousand
    dressed.suffix = trimmed_blanks(with_plain_blanks(dressed.suffix));
    if (dressed.suffix.empty() || is_digit(dressed.suffix.front()) ||
        dressed.suffix.find(' ') != std::string::npos)
      return std::nullopt;
    return decimal_evidence(dressed.number) ? std::optional(dressed) : std::nullopt;
  }
  if (!suffix.empty() && !is_letter(suffix.front()) && suffix.front() != '%' &&
      static_cast<unsigned char>(suffix.front()) < 128 && !is_currency(suffix)) {
    return std::nullopt;
  }
  return decimal_evidence(dressed.number) ? std::optional(dressed) : std::nullopt;
}

bool looks_like_numbers(std::string_view field) {
  float ignored = 0;
  if (parse_number(field, ignored) != NumberState::kNoNumber) return false;
  if (parse_date(field, "")) return true;
  bool all_numbers = true;
  std::size_t words = 0;
  for (std::size_t begin = 0; begin < field.size(); ++words) {
    const std::size_t end = std::min(field.find(' ', begin), field.size());
    all_numbers =
        all_numbers && (end == begin || decimal_evidence(field.substr(begin, end - begin)).has_value());
    begin = end + 1;
  }
  if (words > 0 && all_numbers) return true;
  const std::optional<DressedNumber> dressed = undress(field);
  if (!dressed) return false;
  if (!dressed->prefix.empty()) return true;
  // "3D" and "2nd" are names; "85.0 m2" and "45%" are not.
  const bool apart = field.find(' ') != std::string_view::npos;
  return apart || dressed->suffix == "%" || is_currency(dressed->suffix);
}

bool marks_missing(std::string_view field) {
  constexpr std::array<std::string_view, 23> kMarks = {
      "",     "?",    "-",        "NA",     "N/A",     "n/a",     "na",      "NaN",
      "nan",  "-nan", "-NaN",     "null",   "NULL",    "Null",    "None",    "<NA>",
      "#N/A", "#NA",  "#N/A N/A", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"};
  return std::find(kMarks.begin(), kMarks.end(), field) != kMarks.end();
}

std::optional<bool> parse_boolean(std::string_view field) {
  constexpr std::array<std::string_view, 9> kYes = {"true", "yes", "t", "y", "on", "ja", "wahr", "1", "1.0"};
  constexpr std::array<std::string_view, 9> kNo = {"false", "no",     "f", "n",  "off",
                                                   "nein",  "falsch", "0", "0.0"};
  const std::string text = lower(field);
  if (std::find(kYes.begin(), kYes.end(), text) != kYes.end()) return true;
  if (std::find(kNo.begin(), kNo.end(), text) != kNo.end()) return false;
  return std::nullopt;
}

namespace {

/// Reads a date piece by piece; every take_* is false when the text does not go on so.
class DateText {
 public:
  explicit DateText(std::string_view text) : text_(text) {}

  bool take_number(std::size_t least, std::size_t most, int& value) {
    std::size_t digits = 0;
    value = 0;
    while (digits < most && digits < text_.size() && is_digit(text_[digits])) {
      value = value * 10 + (text_[digits++] - '0');
    }
    text_.remove_prefix(digits);
    return digits >= least;
  }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  char front() const { return text_.empty() ? '\0' : text_.front(); }
  bool done() const { return text_.empty(); }
  bool take_fraction(double& seconds) {
    if (!take('.') && !take(',')) return true;
    double place = 0.1;
    bool any = false;
    while (!text_.empty() && is_digit(text_.front())) {
      seconds += (text_.front() - '0') * place;
      place /= 10;
      text_.remove_prefix(1);
      any = true;
    }
    return any;
  }

  int year = 1970, month = 1, day = 1, hour = 0, minute = 0;
  double second = 0;

  /// Days since 1970-01-01 of the proleptic Gregorian calendar (H. Hinnant's days_from_civil).
  std::optional<double> days() const {
    constexpr std::array<int, 12> kLengths = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || hour > 24 || minute > 59 || second >= 61) return std::nullopt;
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const int length = kLengths[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
    if (day < 1 || day > length) return std::nullopt;
    const int y = month <= 2 ? year - 1 : year;
    const int era = (y >= 0 ? y : y - 399) / 400;
    const int year_of_era = y - era * 400;
    const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    const auto whole = static_cast<double>(std::int64_t{era} * 146097 + day_of_era - 719468);
    return whole + (hour * 3600.0 + minute * 60.0 + second) / 86400.0;
  }

 private:
  std::string_view text_;
};

bool take_time(DateText& text) {
  int seconds = 0;
  if (!text.take_number(2, 2, text.hour) || !text.take(':') || !text.take_number(2, 2, text.minute))
    return false;
  if (text.take(':')) {
    if (!text.take_number(2, 2, seconds)) return false;
    text.second = seconds;
    if (!text.take_fraction(text.second)) return false;
  }
  text.take('Z');
  return text.done();
}

std::optional<double> parse_usual_date(std::string_view field) {
  DateText iso(field);
  if (iso.take_number(4, 4, iso.year)) {
    const char mark = iso.front() == '/' ? '/' : '-';
    if (!iso.take(mark) || !iso.take_number(1, 2, iso.month) || !iso.take(mark) ||
        !iso.take_number(1, 2, iso.day))
      return std::nullopt;
    if (iso.done()) return iso.days();
    return (iso.take('T') || iso.take(' ')) && take_time(iso) ? iso.days() : std::nullopt;
  }
  DateText german(field);
  if (!german.take_number(1, 2, german.day) || !german.take('.') || !german.take_number(1, 2, german.month) ||
      !german.take('.') || !german.take_number(4, 4, german.year)) {
    return std::nullopt;
  }
  if (german.done()) return german.days();
  return german.take(' ') && take_time(german) ? german.days() : std::nullopt;
}

}  // namespace

std::optional<double> parse_date(std::string_view field, std::string_view format) {
  if (format.empty()) return parse_usual_date(field);
  DateText text(field);
  int seconds = 0;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      if (!text.take(format[i])) return std::nullopt;
      continue;
    }
    bool good = false;
    switch (format[++i]) {
      case 'Y':
        good = text.take_number(4, 4, text.year);
        break;
      case 'y':
        good = text.take_number(2, 2, text.year);
        text.year += text.year < 69 ? 2000 : 1900;  // as strptime
        break;
      case 'm':
        good = text.take_number(1, 2, text.month);
        break;
      case 'd':
        good = text.take_number(1, 2, text.day);
        break;
      case 'H':
        good = text.take_number(1, 2, text.hour);
        break;
      case 'M':
        good = text.take_number(1, 2, text.minute);
        break;
      case 'S':
        good = text.take_number(1, 2, seconds);
        text.second = seconds;
        break;
      default:
        break;
    }
    if (!good) return std::nullopt;
  }
  return text.done() ? text.days() : std::nullopt;
}

/// H. Hinnant's civil_from_days.
DateParts date_parts(double days) {
  constexpr double kMilliseconds = 86400.0 * 1000.0;
  double whole = std::floor(days);
  double rest = std::round((days - whole) * kMilliseconds);
  if (rest >= kMilliseconds) {
    whole += 1;
    rest = 0;
  }
  const std::int64_t shifted = static_cast<std::int64_t>(whole) + 719468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const std::int64_t day_of_era = shifted - era * 146097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month = (5 * day_of_year + 2) / 153;  // from March on
  DateParts parts;
  parts.day = static_cast<double>(day_of_year - (153 * month + 2) / 5 + 1);
  parts.month = static_cast<double>(month < 10 ? month + 3 : month - 9);
  parts.year = static_cast<double>(year_of_era + era * 400 + (month < 10 ? 0 : 1));
  const auto thousandths = static_cast<std::int64_t>(rest);
  parts.hour = static_cast<double>(thousandths / 3600000);
  parts.minute = static_cast<double>(thousandths / 60000 % 60);
  parts.second = static_cast<double>(thousandths % 60000) / 1000;
  return parts;
}

}  // namespace nntrain::data

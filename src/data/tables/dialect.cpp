#include "data/tables/dialect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "core/error.h"
#include "data/tables/records.h"

namespace nntrain::data {

namespace {

constexpr std::size_t kMostRecords = 200;  // of the beginning decide

char one_mark(const std::string& text, const std::string& key) {
  if (text == "tab" || text == "\\t" || text == "\t") return '\t';
  if (text == "blank" || text == "blanks" || text == "space" || text == "whitespace" || text == "\\s+")
    return kBlanks;
  if (text == "comma") return ',';
  if (text == "semicolon") return ';';
  if (text == "point" || text == "dot") return '.';
  if (text.size() == 1 && static_cast<unsigned char>(text[0]) < 128) return text[0];
  throw InputError(
      fmt::format("{} = {} is no single character (tab and blank are words of their own)", key, text));
}

void read_header_key(const std::string& text, Dialect& dialect) {
  if (text.empty() || text == "auto") return;
  if (text == "yes" || text == "true" || text == "True") {
    dialect.header = HeaderChoice::kYes;
  } else if (text == "no" || text == "none" || text == "None" || text == "false" || text == "False") {
    dialect.header = HeaderChoice::kNo;
  } else {
    std::string_view number = text;
    if (number.starts_with("skip")) number.remove_prefix(4);
    while (!number.empty() && number.front() == ' ') number.remove_prefix(1);
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), dialect.skip_lines);
    const bool good = error == std::errc() && end == number.data() + number.size();
    if (!good || !text.starts_with("skip"))
      throw InputError(fmt::format("data.header = {} is none of auto, yes, no, skip N", text));
    dialect.header = HeaderChoice::kYes;
  }
}

/// Which bytes are text, and in which encoding: a byte order mark tells, or the key.
std::string decoded_start(std::span<const std::byte> start, const TableOptions& requested, Dialect& dialect) {
  const std::string_view bytes(reinterpret_cast<const char*>(start.data()), start.size());
  if (bytes.starts_with("\xEF\xBB\xBF")) dialect.skip_bytes = 3;
  const bool little = bytes.starts_with("\xFF\xFE");
  const bool big = bytes.starts_with("\xFE\xFF");
  if (little || big) {
    dialect.skip_bytes = 2;
    dialect.encoding = little ? Encoding::kUtf16Little : Encoding::kUtf16Big;
  } else if (!requested.encoding.empty() && requested.encoding != "auto") {
    dialect.encoding = parse_encoding(requested.encoding, "data.encoding");
  }
  std::string text;
  decode(dialect.encoding, bytes.substr(dialect.skip_bytes), text);
  return text;
}

std::string_view behind_lines(std::string_view text, const Dialect& dialect) {
  for (std::size_t i = 0; i < dialect.skip_lines; ++i) {
    const std::size_t end = text.find(dialect.line_end);
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text;
}

struct Fit {
  char delimiter = ',';
  std::size_t fields = 1;
  double numbers = 0;  ///< share of the cells behind the first record that are numbers
};

/// How well a delimiter cuts the records: nothing unless all get the same number of fields.
bool fits(const std::vector<std::string_view>& records, char delimiter, char quote, Fit& fit) {
  fit = {delimiter, 0, 0};
  std::size_t cells = 0, numbers = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::vector<std::string> fields = split_fields(records[i], delimiter, quote);
    const bool row_names =
        i == 1 && fields.size() == fit.fields + 1 && records.size() > 2;  // R's write.table
    if (i == 0 || row_names) fit.fields = fields.size();
    if (fields.size() != fit.fields) return false;
    if (i == 0 && records.size() > 1) continue;
    for (const std::string& field : fields) {
      ++cells;
      numbers += decimal_evidence(field) ? 1 : 0;
    }
  }
  fit.numbers = cells == 0 ? 0 : static_cast<double>(numbers) / static_cast<double>(cells);
  return fit.fields > 1;
}

/// The most frequent of the marks outside quotes in the first record; a comma when there is none.
char most_frequent_mark(std::string_view record, char quote) {
  constexpr std::array<char, 4> kCandidates = {'\t', ';', ',', '|'};
  std::array<std::int64_t, 4> counts{};
  bool inside = false;
  for (const char c : record) {
    if (c == quote) inside = !inside;
    for (std::size_t i = 0; i < kCandidates.size(); ++i) counts[i] += !inside && c == kCandidates[i];
  }
  const auto most = std::max_element(counts.begin(), counts.end());
  return *most == 0 ? ',' : kCandidates[static_cast<std::size_t>(most - counts.begin())];
}

char find_delimiter(const std::vector<std::string_view>& records, char quote) {
  Fit best, fit;
  bool found = false;
  for (const char candidate : {'\t', ';', ',', '|'}) {
    if (!fits(records, candidate, quote, fit)) continue;
    const bool better = !found || fit.numbers > best.numbers + 1e-9;
    if (better) best = fit;
    found = true;
  }
  // Blanks stand in names and times too: they delimit only where most cells then are numbers.
  if (fits(records, kBlanks, quote, fit) && fit.numbers > 0.5 &&
      (!found || fit.numbers > best.numbers + 1e-9))
    return kBlanks;
  return found ? best.delimiter
               : most_frequent_mark(records.empty() ? std::string_view() : records.front(), quote);
}

/// '#' lines before the first row are comments, unless they have as many cells as the rows: then they name
/// them.
void find_comment(std::string_view text, Dialect& dialect) {
  if (text.empty() || text.front() != '#') return;
  Dialect plain = dialect;
  plain.comment = '#';
  const std::vector<std::string_view> rows = split_records(text, plain);
  if (rows.empty()) return;
  const std::string_view first = text.substr(0, std::min(text.find(dialect.line_end), text.size()));
  const std::vector<std::string_view> head(
      rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), kMostRecords)));
  const char delimiter = find_delimiter(head, dialect.quote);
  std::string_view names = first;
  while (!names.empty() && (names.front() == '#' || names.front() == ' ')) names.remove_prefix(1);
  const std::size_t after = text.find(dialect.line_end);
  const bool alone = after != std::string_view::npos && after + 1 < text.size() && text[after + 1] != '#';
  const std::size_t cells = split_fields(names, delimiter, dialect.quote).size();
  dialect.comment = '#';
  dialect.comment_header =
      alone && cells > 1 && cells == split_fields(rows.front(), delimiter, dialect.quote).size();
  if (dialect.comment_header) {
    for (const std::string& name : split_fields(names, delimiter, dialect.quote)) {
      float ignored = 0;
      if (parse_number(name, ignored) != NumberState::kNoNumber) dialect.comment_header = false;
    }
    // A header stands above numbers, not above another header.
    const std::vector<std::string> below = split_fields(rows.front(), delimiter, dialect.quote);
    if (std::none_of(below.begin(), below.end(),
                     [](const std::string& field) { return decimal_evidence(field).has_value(); }))
      dialect.comment_header = false;
  }
}

/// What the cells' spelling says of the decimal mark.
struct Spelling {
  bool point = false, comma = false;
  std::string either;  ///< a cell with two readings, one with a comma before others; empty: there is none
};

Spelling spelling_of(const std::vector<std::string_view>& records, const Dialect& dialect) {
  Spelling seen;
  for (const std::string_view record : records) {
    for (const std::string& field : split_fields(record, dialect.delimiter, dialect.quote)) {
      const auto evidence = decimal_evidence(field);
      if (!evidence) continue;
      seen.point = seen.point || *evidence == DecimalEvidence::kPoint;
      seen.comma = seen.comma || *evidence == DecimalEvidence::kComma;
      if (*evidence != DecimalEvidence::kEither) continue;
      const bool asks = field.find(',') != std::string::npos && seen.either.find(',') == std::string::npos;
      if (asks || seen.either.empty()) seen.either = field;
    }
  }
  return seen;
}

const char* decimal_name(const NumberFormat& numbers) {
  return numbers.decimal == ',' ? "a decimal comma" : "a decimal point";
}

/// Numbers that nothing tells how to read: refused where programs of both kinds write so.
void ask_for_decimal(const std::string& field, const std::string& name, Dialect& dialect) {
  if (field.find(',') != std::string::npos) {
    throw InputError(
        fmt::format("{}: \"{}\" can be read in two ways, with a decimal comma or with a comma between "
                    "thousands; say data.decimal "
                    "= , or data.thousands = ,",
                    name, field));
  }
  if (dialect.delimiter == ';') {
    throw InputError(
        fmt::format("{}: \"{}\" can be read in two ways, with a decimal point or, as it stands between "
                    "semicolons, with a point between thousands; say data.decimal = . or data.thousands = .",
                    name, field));
  }
  dialect.numbers_note = fmt::format(
      "{}: \"{}\" is read with a decimal point; data.thousands = . if the point stands between thousands",
      name, field);
}

void find_decimal(const std::vector<std::string_view>& records, const std::string& name,
                  const FindNumbers& elsewhere, Dialect& dialect) {
  if (dialect.delimiter == ',') return;  // "1,5" in quotes is refused, with the cure, where it stands
  const Spelling seen = spelling_of(records, dialect);
  if (seen.comma && seen.point) return;  // the cell that does not fit is refused where it stands
  const std::optional<KnownNumbers> known = elsewhere ? elsewhere() : std::nullopt;
  dialect.numbers_known = seen.comma || seen.point || known;
  if (seen.comma || seen.point) {
    if (seen.comma) dialect.numbers = {',', '.'};
    if (known && known->format.decimal != dialect.numbers.decimal) {
      dialect.numbers_note =
          fmt::format("{}: numbers have {} here and {} in {}; data.decimal and data.thousands fix it", name,
                      decimal_name(dialect.numbers), decimal_name(known->format), known->where);
    }
  } else if (known) {
    dialect.numbers = known->format;
    if (!seen.either.empty())
      dialect.numbers_note = fmt::format(
          "{}: \"{}\" is read with {}, as the numbers of {}; data.decimal and data.thousands say "
          "otherwise",
          name, seen.either, decimal_name(known->format), known->where);
  } else if (!seen.either.empty()) {
    ask_for_decimal(seen.either, name, dialect);
  }
}

void read_number_keys(const TableOptions& requested, Dialect& dialect, bool& decimal_given) {
  decimal_given = !requested.decimal.empty() && requested.decimal != "auto";
  if (decimal_given) {
    dialect.numbers.decimal = one_mark(requested.decimal, "data.decimal");
    if (dialect.numbers.decimal != '.' && dialect.numbers.decimal != ',')
      throw InputError("data.decimal = " + requested.decimal + " is neither . nor ,");
    if (dialect.numbers.decimal == ',') dialect.numbers.thousands = '.';
  }
  if (requested.thousands.empty() || requested.thousands == "auto") return;
  dialect.numbers.thousands =
      requested.thousands == "none" ? '\0' : one_mark(requested.thousands, "data.thousands");
  if (dialect.numbers.thousands == dialect.numbers.decimal && !decimal_given) dialect.numbers.decimal = ',';
  if (dialect.numbers.thousands == dialect.numbers.decimal) {
    throw InputError(fmt::format("data.decimal = {} and data.thousands = {} are the same mark",
                                 requested.decimal, requested.thousands));
  }
  decimal_given = true;
}

}  // namespace

char quote_of(const TableOptions& requested) {
  if (requested.quote.empty() || requested.quote == "auto") return '"';
  return requested.quote == "none" ? '\0' : one_mark(requested.quote, "data.quote");
}

std::vector<std::string_view> split_records(std::string_view text, const Dialect& dialect) {
  std::vector<std::string_view> records;
  std::size_t begin = 0;
  bool first = true;
  while (begin < text.size()) {
    std::size_t end = std::min(text.find(dialect.line_end, begin), text.size());
    const bool comment =
        dialect.comment != '\0' && text[begin] == dialect.comment && !(first && dialect.comment_header);
    while (!comment && end < text.size() &&
           has_open_quote(text.substr(begin, end - begin), dialect.delimiter, dialect.quote)) {
      end = std::min(text.find(dialect.line_end, end + 1), text.size());
    }
    std::string_view record = text.substr(begin, end - begin);
    if (record.ends_with('\r')) record.remove_suffix(1);
    if (first && dialect.comment_header) {
      while (!record.empty() && (record.front() == dialect.comment || record.front() == ' '))
        record.remove_prefix(1);
    }
    if (!comment && !is_empty_record(record, dialect.delimiter)) records.push_back(record);
    first = false;
    begin = end + 1;
  }
  return records;
}

Dialect find_dialect(std::span<const std::byte> start, bool whole, const TableOptions& requested,
                     const std::string& name, const FindNumbers& elsewhere) {
  Dialect dialect;
  read_header_key(requested.header, dialect);
  dialect.quote = quote_of(requested);
  std::string text = decoded_start(start, requested, dialect);
  if (text.find('\n') == std::string::npos && text.find('\r') != std::string::npos) dialect.line_end = '\r';
  if (!whole)
    text.resize(text.rfind(dialect.line_end) == std::string::npos ? text.size()
                                                                  : text.rfind(dialect.line_end));
  char told = '\0';  // by a first line "sep=;", as Excel reads and writes it
  if (dialect.skip_lines == 0 && text.starts_with("sep=") && text.size() > 5 &&
      (text[5] == '\n' || text[5] == '\r')) {
    told = text[4];
    dialect.skip_lines = 1;
  }
  const std::string_view body = behind_lines(text, dialect);
  const bool comment_given = !requested.comment.empty() && requested.comment != "auto";
  if (comment_given) {
    dialect.comment = requested.comment == "none" ? '\0' : one_mark(requested.comment, "data.comment");
  } else if (dialect.skip_lines == 0) {
    find_comment(body, dialect);
  }
  std::vector<std::string_view> records = split_records(body, dialect);
  if (!whole && records.size() > 1) records.pop_back();  // it may be cut
  if (records.size() > kMostRecords) records.resize(kMostRecords);
  if (!requested.delimiter.empty() && requested.delimiter != "auto") {
    dialect.delimiter = one_mark(requested.delimiter, "data.delimiter");
  } else if (told != '\0') {
    dialect.delimiter = told;
  } else {
    dialect.delimiter = find_delimiter(records, dialect.quote);
  }
  bool decimal_given = false;
  read_number_keys(requested, dialect, decimal_given);
  if (dialect.numbers.decimal == dialect.delimiter && decimal_given && !requested.delimiter.empty() &&
      requested.delimiter != "auto") {
    throw InputError("data.decimal and data.delimiter are the same mark");
  }
  dialect.numbers_known = decimal_given;
  if (!decimal_given) find_decimal(records, name, elsewhere, dialect);
  return dialect;
}

std::string describe(const Dialect& dialect) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (dialect.delimiter == kBlanks) {
    add("cells between blanks");
  } else if (dialect.delimiter != ',') {
    add(dialect.delimiter == '\t' ? "cells between tabs"
                                  : fmt::format("cells between \"{}\"", dialect.delimiter));
  }
  if (dialect.numbers.decimal != '.') add("decimal comma");
  if (dialect.numbers.thousands != '\0')
    add(fmt::format("\"{}\" between thousands", dialect.numbers.thousands));
  if (dialect.encoding != Encoding::kUtf8) add(encoding_name(dialect.encoding));
  if (dialect.line_end == '\r') add("lines end with CR alone");
  if (dialect.comment != '\0' && !dialect.comment_header)
    add(fmt::format("lines from \"{}\" on are comments", dialect.comment));
  if (dialect.quote == '\0') add("no quotes");
  if (dialect.quote != '\0' && dialect.quote != '"') add(fmt::format("quotes are {}", dialect.quote));
  if (dialect.skip_lines > 0)
    add(fmt::format("{} line{} skipped", dialect.skip_lines, dialect.skip_lines == 1 ? "" : "s"));
  return text;
}

}  // namespace nntrain::data

#include "data/tables/column_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace nntrain::data {

namespace {

std::string shown(std::string_view field) {
  return fmt::format("\"{}{}\"", field.substr(0, 40), field.size() > 40 ? "..." : "");
}

}  // namespace

ColumnReader::ColumnReader(ColumnPlan plan, const NumberFormat& numbers)
    : plan_(std::move(plan)), numbers_(numbers), form_(category_form(plan_.argument)) {
  const Json& training = plan_.training;
  look_for_plain();
  read_date_argument();
  if (!training.is_object()) return;
  plan_.kind = parse_kind(training.value("kind", "auto"));
  plan_.argument = training.value("argument", "");
  form_ = category_form(plan_.argument);
  has_times_ = training.value("times", false);
  read_date_argument();
  prefix_ = training.value("prefix", "");
  suffix_ = training.value("suffix", "");
  unit_known_ = !prefix_.empty() || !suffix_.empty();
  look_for_plain();
  if (is_text()) {
    fill_word_ = training.value("fill", "");
    if (training.contains("fill")) fill_ = static_cast<double>(plan_.words->code(fill_word_));
  } else {
    fill_ = training.value("fill", 0.0);
  }
  indicator_ = training.value("indicator", false);
  plan_.missing = training.contains("fill") ? MissingRule{MissingHow::kConstant, ""} : MissingRule{};
  if (!training.contains("categories")) return;
  categories_ = training["categories"].get<std::vector<std::string>>();
  known_categories_ = true;
  for (std::size_t i = 0; i < categories_.size(); ++i) places_.emplace(categories_[i], i);
}

void ColumnReader::look_for_plain() {
  const bool bare = plan_.kind == ColumnKind::kAuto ||
                    (plan_.kind == ColumnKind::kNumeric && unit_known_ && prefix_.empty() && suffix_.empty());
  plain_ = bare && !plan_.may_be_index && numbers_ == NumberFormat{};
}

std::string ColumnReader::add(std::string_view field) {
  if (example_.empty()) example_ = field.substr(0, 40);
  float value = std::numeric_limits<float>::quiet_NaN();
  if (plan_.may_be_index) watch_index(field);
  std::string complaint;
  const bool missing = is_missing(field);
  missing_ += missing;
  if (missing && fills()) {
    // filled in when all rows are known
  } else if (plan_.kind == ColumnKind::kCategorical) {
    complaint = add_category(field, value);
  } else if (is_text()) {
    complaint = add_word(field, missing, value);
  } else if (plan_.kind == ColumnKind::kBoolean && !missing) {
    const std::optional<bool> answer = parse_boolean(field);
    value = answer.value_or(false) ? 1.0F : 0.0F;
    if (!answer) complaint = shown(field) + " is neither true nor false (yes/no, t/f, y/n, on/off, 1/0)";
  } else if (plan_.kind == ColumnKind::kDate && !missing) {
    complaint = add_date(field, missing, value);
  } else if (plan_.kind == ColumnKind::kNumeric && !missing) {
    complaint = add_dressed(field, value);
  } else {
    complaint = add_numeric(field, value);
  }
  if (!complaint.empty() && plan_.may_be_index) {
    if (put_off_.empty()) put_off_row_ = rows();
    if (put_off_.empty()) put_off_ = complaint;
    complaint.clear();
  }
  values_.push_back(value);
  if (date_form_ == DateForm::kParts && exact_.size() < values_.size()) exact_.push_back(0);  // it is missing
  if (!plain_) look_for_plain();
  return complaint;
}

std::string ColumnReader::add_numeric(std::string_view field, float& value) {
  const NumberState state = parse_number(field, numbers_, value);
  constexpr float kWholeBelow = 16777216.0F;  // 2^24: whole numbers beyond it are rounded in float32
  switch (state) {
    case NumberState::kGood:
      if (std::abs(value) >= kWholeBelow) note_rounding(field, value);
      collapse_.add(value, exact_number(field, numbers_));
      return {};
    case NumberState::kEmpty:
      return "the value is empty; repair or remove such rows, or fill them with data.missing = mean, median, "
             "most_frequent, constant(v) or indicator";
    case NumberState::kNan:
      return shown(field) +
             " is NaN; repair or remove such rows, or fill them with data.missing = mean, median, "
             "most_frequent, "
             "constant(v) or indicator";
    case NumberState::kInfinite:
      return shown(field) + " is Inf; repair or remove such rows";
    case NumberState::kTooLarge:
      return shown(field) + " is too large for float32";
    case NumberState::kNoNumber:
      break;
  }
  return not_a_number(field);
}

std::string ColumnReader::not_a_number(std::string_view field) const {
  const std::string column = label();
  const std::string text = shown(field) + " is not a number";
  if (marks_missing(field)) {
    return text +
           ", it marks a missing value; repair or remove such rows, or fill them with data.missing = mean, "
           "median, most_frequent, constant(v) or indicator";
  }
  float ignored = 0;
  for (const char decimal : {'.', ','}) {
    const bool grouped = numbers_.thousands != ' ' &&
                         field.find_first_of("0123456789") != std::string_view::npos &&
                         parse_number(field, {decimal, ' '}, ignored) == NumberState::kGood;
    if (grouped && (field.find(' ') != std::string_view::npos || has_hard_blank(field)))
      return text + "; data.thousands = blank says that blanks stand between thousands";
  }
  const auto evidence = decimal_evidence(field);
  if (evidence && numbers_.decimal == '.') {
    return text + (*evidence == DecimalEvidence::kComma
                       ? "; with data.decimal = , it is one"
                       : "; say data.thousands = , if commas stand between thousands, or data.decimal = ,");
  }
  if (evidence) return text + " with a decimal comma; say data.decimal = . if it has a point";
  // A column has one kind: "target" would have to give way, so the target is named by its own key.
  const auto kind = [&](const char* name, const char* what) {
    if (plan_.is_target)
      return text +
             fmt::format("; data.target_columns = {0} with data.columns = {0}: {1} {2}", column, name, what);
    return text + fmt::format("; data.columns = {}: {} {} (or ignore leaves it out)", column, name, what);
  };
  if (parse_date(field, "")) return kind("date", "reads it as days since 1970-01-01");
  if (undress(field)) return kind("numeric", "reads it without its unit");
  if (parse_boolean(field)) return kind("boolean", "reads it as 1 or 0");
  if (field.starts_with('\'')) return text + "; if ' stands round cells, say data.quote = '";
  if (looks_like_numbers(field))
    return text + ", it looks like several; data.delimiter says what stands between cells";
  return text +
         (plan_.may_be_target ? fmt::format("; if it is the target, say data.target_columns = {}", column)
                              : "") +
         fmt::format(
             "; data.columns = {}: categorical makes one-hot columns of it, ignore leaves it out "
             "(data.input_columns chooses columns)",
             column);
}

/// A number that may wear a currency or a unit, the same in every row.
std::string ColumnReader::add_dressed(std::string_view field, float& value) {
  const NumberState plain = parse_number(field, numbers_, value);
  std::string prefix, suffix;
  if (plain == NumberState::kNoNumber) {
    const auto dressed = undress(field);
    if (!dressed) return not_a_number(field);
    const bool groups = numbers_.decimal == '.' && numbers_.thousands == '\0' &&
                        decimal_evidence(dressed->number) == DecimalEvidence::kPoint;
    const NumberFormat format = groups ? NumberFormat{'.', ','} : numbers_;
    const NumberState state = parse_number(dressed->number, format, value);
    if (state != NumberState::kGood) {
      return shown(field) + (state == NumberState::kNoNumber
                                 ? " can be read in two ways; say data.thousands = , if commas stand between "
                                   "thousands, or data.decimal = ,"
                                 : " is too large for float32");
    }
    collapse_.add(value, exact_number(dressed->number, format));
    prefix = dressed->prefix;
    suffix = dressed->suffix;
  } else if (plain != NumberState::kGood) {
    return add_numeric(field, value);
  } else {
    collapse_.add(value, exact_number(field, numbers_));
  }
  if (!unit_known_) {
    prefix_ = prefix;
    suffix_ = suffix;
    unit_known_ = true;
  }
  if (prefix != prefix_ || suffix != suffix_) {
    return fmt::format("{} has the unit \"{}{}\", other rows have \"{}{}\"; one column needs one unit",
                       shown(field), prefix, suffix, prefix_, suffix_);
  }
  if (std::abs(value) >= 16777216.0F) note_rounding(field, value);
  return {};
}

void ColumnReader::note_rounding(std::string_view field, float value) {
  if (rounded_) return;
  double exact = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), exact);
  std::int64_t whole = 0;
  const auto [whole_end, whole_error] = std::from_chars(field.data(), field.data() + field.size(), whole);
  const bool is_whole = whole_error == std::errc() && whole_end == field.data() + field.size();
  if (error != std::errc() || !is_whole || std::abs(exact) < 16777216.0) return;
  constexpr float kBeyondInt64 = 0x1p63F;
  if (std::abs(value) < kBeyondInt64 && whole == static_cast<std::int64_t>(value)) return;
  rounded_ = true;
  notes_.push_back(
      fmt::format("column \"{}\" holds whole numbers beyond 2^24, which float32 rounds: {} becomes {}; "
                  "subtract a start or scale "
                  "them before (time stamps: days or seconds since the first row)",
                  label(), field, fmt::format("{:.0f}", value)));
}

void ColumnReader::watch_index(std::string_view field) {
  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), whole);
  all_whole_ = all_whole_ && error == std::errc() && end == field.data() + field.size();
  all_distinct_ = all_distinct_ && distinct_.emplace(field).second;
}

bool ColumnReader::is_index() const {
  if (!plan_.may_be_index) return false;
  if (plan_.unnamed_index) return true;
  return all_distinct_ && rows() > 1 && (all_whole_ || !put_off_.empty());
}

void ColumnReader::sort() {
  if (plan_.kind == ColumnKind::kCategorical) sort_categories();
}

MissingHow ColumnReader::measured_how() const {
  const MissingHow how = plan_.missing.how;
  if (!fills() || plan_.training.is_object() || how == MissingHow::kConstant || is_text())
    return MissingHow::kError;
  return plan_.kind == ColumnKind::kCategorical ? MissingHow::kMostFrequent : how;
}

void ColumnReader::read_again() {
  known_categories_ = read_again_ = true;
  plan_.may_be_index = false;
  distinct_.clear();
  forget_values();
  look_for_plain();
}

void ColumnReader::finish_missing(double measured, const std::string& where) {
  if (!fills() || plan_.training.is_object()) return;
  const bool categorical = plan_.kind == ColumnKind::kCategorical;
  MissingRule rule = plan_.missing;
  indicator_ = rule.how == MissingHow::kIndicator && missing_ > 0;
  if (is_text()) {
    if (rule.how == MissingHow::kConstant) fill_word_ = rule.constant;
    fill_ = static_cast<double>(plan_.words->code(fill_word_));
  } else if (rule.how != MissingHow::kConstant) {
    rule.how = measured_how();
    fill_ = measured;
  } else if (categorical) {
    const auto found = places_.find(rule.constant);
    if (found == places_.end()) {
      throw InputError(fmt::format("{}: data.missing = constant({}) is none of its categories {}", where,
                                   rule.constant, category_list(categories_)));
    }
    fill_ = static_cast<double>(found->second);
  } else {
    float number = 0;
    if (parse_number(rule.constant, number) != NumberState::kGood)
      throw InputError(fmt::format("{}: data.missing = constant({}) is not a number", where, rule.constant));
    fill_ = static_cast<double>(number);
  }
  if (missing_ == 0) return;
  const std::string value = is_text()     ? fill_word_
                            : categorical ? category(fill_)
                                          : fmt::format("{:.7g}", fill_);
  const MissingHow how =
      is_text() && rule.how != MissingHow::kConstant ? MissingHow::kMostFrequent : rule.how;
  notes_.push_back(fmt::format("{}: {} missing values filled with {} ({}){}", where, missing_, value,
                               missing_name(how), indicator_ ? ", a further column says where" : ""));
}

void ColumnReader::finish(double measured, const std::string& where) {
  finish_missing(measured, where);
  if (!rounded_ && collapse_.matters()) {
    notes_.push_back(
        fmt::format("{} holds numbers that float32 does not tell apart: {}; subtract a start or scale them "
                    "before (time stamps: days or seconds since the first row)",
                    where, collapse_.text()));
  }
  if (!prefix_.empty() || !suffix_.empty()) {
    notes_.push_back(fmt::format("{}: numbers without their unit \"{}{}\", {} among them", where, prefix_,
                                 suffix_, shown(example_)));
  }
}

std::vector<std::string> ColumnReader::value_names() const {
  const std::string name = plan_.name.empty() ? fmt::format("column_{}", plan_.index) : plan_.name;
  std::vector<std::string> names;
  if (plan_.kind == ColumnKind::kCategorical && !form_.indices) {
    if (form_.oov) names.push_back(fmt::format("{}_{}", name, kUnknownWord));
    for (const std::string& category : categories_) names.push_back(name + "_" + category);
  } else if (date_form_ == DateForm::kParts) {
    for (const char* part : {"year", "month", "day", "hour", "minute", "second"}) {
      if (names.size() < 3 || has_times_) names.push_back(name + "_" + part);
    }
  } else {
    names.push_back(name);
  }
  if (indicator_) names.push_back(name + "_missing");
  return names;
}

void ColumnReader::write(std::size_t row, float* out) const {
  float value = values_[row];
  const bool missing = std::isnan(value);
  if (missing) value = static_cast<float>(fill_);
  if (form_.oov) ++value;  // what is unknown has index 0
  if (plan_.kind == ColumnKind::kCategorical && !form_.indices) {
    const std::size_t width = categories_.size() + (form_.oov ? 1 : 0);
    std::fill_n(out, width, 0.0F);
    out[static_cast<std::size_t>(value)] = 1.0F;
    out += width;
  } else if (date_form_ == DateForm::kParts) {
    write_date(row, out);
  } else {
    *out++ = value;
  }
  if (indicator_) *out = missing ? 1.0F : 0.0F;
}

Json ColumnReader::description() const {
  const ColumnKind kind = plan_.kind == ColumnKind::kAuto ? ColumnKind::kAuto : plan_.kind;
  Json json = {{"name", plan_.name}, {"index", plan_.index}, {"kind", kind_name(kind)}};
  if (!plan_.argument.empty()) json["argument"] = plan_.argument;
  if (!prefix_.empty()) json["prefix"] = prefix_;
  if (!suffix_.empty()) json["suffix"] = suffix_;
  if (plan_.kind == ColumnKind::kCategorical) json["categories"] = categories_;
  if (fills()) json["fill"] = is_text() ? Json(fill_word_) : Json(fill_);
  if (indicator_) json["indicator"] = true;
  if (has_times_) json["times"] = true;
  return json;
}

}  // namespace nntrain::data

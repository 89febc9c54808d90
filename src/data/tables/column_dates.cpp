// ColumnReader's part in dates.

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"
#include "data/tables/column_reader.h"

namespace nntrain::data {

namespace {

std::string shown(std::string_view field) {
  return fmt::format("\"{}{}\"", field.substr(0, 40), field.size() > 40 ? "..." : "");
}

}  // namespace

/// `date`, `date(parts)`, `date("%d/%m/%Y", parts)`.
void ColumnReader::read_date_argument() {
  if (plan_.kind != ColumnKind::kDate) return;
  for (const std::string& item : split_items(plan_.argument)) {
    if (item == "days" || item == "seconds" || item == "parts") {
      date_form_ = item == "days"      ? DateForm::kDays
                   : item == "seconds" ? DateForm::kSeconds
                                       : DateForm::kParts;
      continue;
    }
    const bool quoted =
        item.size() > 1 && (item.front() == '"' || item.front() == '\'') && item.back() == item.front();
    date_format_ = quoted ? item.substr(1, item.size() - 2) : item;
    if (date_format_.find('%') == std::string::npos)
      throw InputError(
          fmt::format("data.columns: date({}): \"{}\" is neither days, seconds or parts nor a form "
                      "such as \"%d/%m/%Y\"",
                      plan_.argument, item));
  }
}

std::string ColumnReader::add_date(std::string_view field, bool missing, float& value) {
  if (missing) return {};
  const std::optional<double> days = parse_date(field, date_format_);
  if (!days) {
    return date_format_.empty() ? shown(field) +
                                      " is no date such as 2021-03-01 or 01.03.2021; give its form, e.g. "
                                      "date(\"%d/%m/%Y\")"
                                : shown(field) + " is no date of the form " + date_format_;
  }
  constexpr double kDay = 86400;
  const double exact = date_form_ == DateForm::kSeconds ? *days * kDay : *days;
  value = static_cast<float>(exact);
  if (date_form_ == DateForm::kParts) {
    exact_.push_back(*days);
    const bool has_time = *days != std::floor(*days);
    if (has_time && !has_times_ && (plan_.training.is_object() || read_again_))
      return shown(field) + " has a time of the day, the dates of the training had none";
    has_times_ = has_times_ || has_time;
    return {};
  }
  const double lost =
      std::abs(static_cast<double>(value) - exact) * (date_form_ == DateForm::kSeconds ? 1 : kDay);
  if (lost >= 0.5 && !rounded_) {
    rounded_ = true;
    notes_.push_back(
        fmt::format("column \"{}\": float32 rounds {} by {:.0f} s; date(parts) makes columns of year, month, "
                    "day, hour, minute "
                    "and second of it",
                    plan_.name.empty() ? std::to_string(plan_.index) : plan_.name, shown(field), lost));
  }
  return {};
}

void ColumnReader::write_date(std::size_t row, float*& out) const {
  const bool missing = std::isnan(values_[row]);
  const DateParts parts = date_parts(missing ? std::floor(fill_) : exact_[row]);
  for (const double part : {parts.year, parts.month, parts.day}) *out++ = static_cast<float>(part);
  if (!has_times_) return;
  for (const double part : {parts.hour, parts.minute, parts.second}) *out++ = static_cast<float>(part);
}

}  // namespace nntrain::data

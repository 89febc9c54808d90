#include "data/tables/missing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/registry.h"
#include "data/python_slice.h"
#include "data/tables/columns.h"
#include "data/tables/number_text.h"

namespace nntrain::data {

namespace {

constexpr std::array<std::pair<std::string_view, MissingHow>, 6> kNames = {
    {{"error", MissingHow::kError},
     {"mean", MissingHow::kMean},
     {"median", MissingHow::kMedian},
     {"most_frequent", MissingHow::kMostFrequent},
     {"constant", MissingHow::kConstant},
     {"indicator", MissingHow::kIndicator}}};

MissingRule parse_rule(std::string_view text) {
  MissingRule rule;
  std::string_view name = trimmed(text);
  const std::size_t open = name.find('(');
  if (open != std::string_view::npos && name.ends_with(')')) {
    std::string_view value = trimmed(name.substr(open + 1, name.size() - open - 2));
    if (value.size() >= 2 && value.front() == value.back() && (value.front() == '"' || value.front() == '\''))
      value = value.substr(1, value.size() - 2);
    rule.constant = value;
    name = trimmed(name.substr(0, open));
  }
  std::vector<std::string> known;
  for (const auto& [word, how] : kNames) {
    known.emplace_back(word);
    if (word != name) continue;
    rule.how = how;
    const bool constant = how == MissingHow::kConstant;
    if (constant == (open == std::string_view::npos)) break;
    return rule;
  }
  const std::string near = nearest(name, known);
  throw InputError(fmt::format(
      "data.missing: \"{}\" is none of error, mean, median, most_frequent, constant(v), indicator{}",
      trimmed(text),
      near.empty() || near == "\"" + std::string(name) + "\"" ? "" : "; did you mean " + near + "?"));
}

}  // namespace

const char* missing_name(MissingHow how) {
  for (const auto& [name, known] : kNames) {
    if (known == how) return name.data();
  }
  return "error";
}

MissingRules::MissingRules(std::string_view text) {
  for (const std::string& item : split_items(text)) {
    const std::size_t colon = item.rfind(':');
    if (colon == std::string::npos) {
      all_ = parse_rule(item);
      continue;
    }
    std::string_view column = trimmed(std::string_view(item).substr(0, colon));
    if (column.size() >= 2 && column.front() == '"' && column.back() == '"')
      column = column.substr(1, column.size() - 2);
    by_column_[std::string(column)] = parse_rule(std::string_view(item).substr(colon + 1));
  }
}

const MissingRule& MissingRules::of(const std::string& column) const {
  const auto found = by_column_.find(column);
  return found == by_column_.end() ? all_ : found->second;
}

std::vector<std::string> MissingRules::columns() const {
  std::vector<std::string> names;
  for (const auto& [name, rule] : by_column_) names.push_back(name);
  return names;
}

namespace {

constexpr std::size_t kHalves = std::size_t{1} << 16;

/// Numbers as whole numbers in the same order.
std::uint32_t ordered(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits >> 31U) != 0 ? ~bits : bits | 0x80000000U;
}

float from_ordered(std::uint32_t key) {
  return std::bit_cast<float>((key >> 31U) != 0 ? key & 0x7FFFFFFFU : ~key);
}

}  // namespace

FillMeasure::FillMeasure(MissingHow how) : how_(how) {
  if (how_ == MissingHow::kMedian) upper_.assign(kHalves, 0);
}

void FillMeasure::add(float value) {
  value += 0.0F;  // -0 is 0
  if (how_ == MissingHow::kMostFrequent) {
    ++counts_[value];
  } else if (how_ != MissingHow::kMedian) {
    sum_ += static_cast<double>(value);
  } else if (pass_ == 0) {
    ++upper_[ordered(value) >> 16U];
  } else {
    const std::uint32_t key = ordered(value);
    for (Middle& middle : middles_) {
      if (middle.upper == key >> 16U) ++middle.lower[key & 0xFFFFU];
    }
  }
  count_ += pass_ == 0;
}

bool FillMeasure::wants_more() {
  if (how_ != MissingHow::kMedian || pass_ > 0 || count_ == 0) return false;
  pass_ = 1;
  begin_low_halves();
  return true;
}

void FillMeasure::begin_low_halves() {
  for (const std::int64_t rank : {(count_ - 1) / 2, count_ / 2}) {
    Middle middle;
    middle.rank = rank;
    for (; middle.rank >= upper_[middle.upper]; ++middle.upper) middle.rank -= upper_[middle.upper];
    middle.lower.assign(kHalves, 0);
    middles_.push_back(std::move(middle));
  }
  upper_ = {};
}

float FillMeasure::Middle::value() const {
  std::int64_t left = rank;
  std::uint32_t low = 0;
  for (; left >= lower[low]; ++low) left -= lower[low];
  return from_ordered(upper << 16U | low);
}

double FillMeasure::result(const std::string& name) const {
  if (count_ == 0) {
    throw InputError(
        fmt::format("{}: no training row has a value, so there is no {} to fill in; leave the column out "
                    "(data.columns = ...: ignore) or give constant(v)",
                    name, missing_name(how_)));
  }
  if (how_ == MissingHow::kMedian) {
    const auto lower = static_cast<double>(middles_[0].value()),
               upper = static_cast<double>(middles_[1].value());
    return lower == upper ? upper : (lower + upper) / 2;
  }
  if (how_ != MissingHow::kMostFrequent) return sum_ / static_cast<double>(count_);
  const auto most = std::max_element(counts_.begin(), counts_.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second < b.second : a.first > b.first;
  });
  return static_cast<double>(most->first);
}

double fill_value(const std::vector<float>& values, const std::vector<bool>& training,
                  const MissingRule& rule, const std::string& name) {
  FillMeasure measure(rule.how);
  do {
    for (std::size_t row = 0; row < values.size(); ++row) {
      if ((training.empty() || training[row]) && !std::isnan(values[row])) measure.add(values[row]);
    }
  } while (measure.wants_more());
  return measure.result(name);
}

}  // namespace nntrain::data

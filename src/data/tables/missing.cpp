#include "data/tables/missing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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

double fill_value(const std::vector<float>& values, const std::vector<bool>& training,
                  const MissingRule& rule, const std::string& name) {
  std::vector<float> known;
  for (std::size_t row = 0; row < values.size(); ++row) {
    if ((training.empty() || training[row]) && !std::isnan(values[row])) known.push_back(values[row]);
  }
  if (known.empty()) {
    throw InputError(
        fmt::format("{}: no training row has a value, so there is no {} to fill in; leave the column out "
                    "(data.columns = ...: ignore) or give constant(v)",
                    name, missing_name(rule.how)));
  }
  if (rule.how == MissingHow::kMean || rule.how == MissingHow::kIndicator) {
    double sum = 0;
    for (const float value : known) sum += static_cast<double>(value);
    return sum / static_cast<double>(known.size());
  }
  std::sort(known.begin(), known.end());
  if (rule.how == MissingHow::kMedian) {
    const std::size_t half = known.size() / 2;
    const auto upper = static_cast<double>(known[half]);
    return known.size() % 2 == 1 ? upper : (static_cast<double>(known[half - 1]) + upper) / 2;
  }
  double best = known.front();
  std::ptrdiff_t most = 0;
  for (auto begin = known.begin(); begin != known.end();) {
    const auto end = std::upper_bound(begin, known.end(), *begin);
    if (end - begin > most) {
      most = end - begin;
      best = *begin;
    }
    begin = end;
  }
  return best;
}

}  // namespace nntrain::data

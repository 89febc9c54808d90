#include "train/data/one_hot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace nntrain::train {

namespace {

/// "0.5, 0.9, 1".
std::string shown(const float* values, std::int64_t count) {
  std::string text;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(count, 12); ++i)
    text += fmt::format("{}{:g}", i == 0 ? "" : ", ", values[i]);
  return count > 12 ? text + ", ..." : text;
}

std::string loss_of(const TargetRules& rules) {
  const Json& spec = rules.loss->spec();
  return spec.is_object() ? spec.value("class_name", "the loss") : "the loss";
}

}  // namespace

std::vector<float> one_hot(const std::vector<float>& labels, std::int64_t classes) {
  std::vector<float> values(labels.size() * static_cast<std::size_t>(classes), 0.0F);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    values[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(labels[i])] = 1.0F;
  }
  return values;
}

std::vector<float> arg_max(const std::vector<float>& values, std::int64_t classes) {
  const std::size_t width = static_cast<std::size_t>(classes);
  std::vector<float> labels(values.size() / width);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = values.begin() + static_cast<std::ptrdiff_t>(i * width);
    labels[i] = static_cast<float>(std::max_element(row, row + classes) - row);
  }
  return labels;
}

void check_one_hot(const std::vector<float>& values, std::int64_t classes, std::int64_t per_row,
                   const TargetRules& rules) {
  const auto positions = static_cast<std::int64_t>(values.size()) / classes;
  for (std::int64_t i = 0; i < positions; ++i) {
    const float* row = values.data() + i * classes;
    const auto ones = std::count(row, row + classes, 1.0F), zeros = std::count(row, row + classes, 0.0F);
    if (ones == 1 && zeros == classes - 1) continue;
    throw InputError(fmt::format(
        "{}, row {}: the targets {} are not one 1 and else 0; {} takes one class a row: its index, or a "
        "one-hot "
        "row (categorical_crossentropy takes probabilities, binary_crossentropy several labels a row)",
        rules.where, i / per_row, shown(row, classes), loss_of(rules)));
  }
}

std::string shares_note(const std::vector<float>& values, std::int64_t classes, std::int64_t per_row,
                        const TargetRules& rules) {
  // Shares with two digits; more of them add up to more.
  const double rounded = std::min(0.05, 0.01 * static_cast<double>(std::max<std::int64_t>(1, classes / 10)));
  if (rules.loss->target_meaning() != nn::TargetMeaning::kClasses) return "";
  const auto positions = static_cast<std::int64_t>(values.size()) / classes;
  std::int64_t odd = 0, first = -1;
  for (std::int64_t i = 0; i < positions; ++i) {
    double sum = 0;
    for (std::int64_t k = 0; k < classes; ++k)
      sum += static_cast<double>(values[static_cast<std::size_t>(i * classes + k)]);
    if (std::abs(sum - 1) <= rounded) continue;
    if (odd++ == 0) first = i;
  }
  if (odd == 0) return "";
  return fmt::format(
      "{}: {} of {} rows of targets do not sum to 1, first row {} ({}); {} takes one-hot rows or "
      "probabilities: "
      "each such row weighs as much as its sum, a row of zeros has no class (binary_crossentropy takes "
      "several "
      "labels a row)",
      rules.where, odd, positions, first / per_row, shown(values.data() + first * classes, classes),
      loss_of(rules));
}

}  // namespace nntrain::train

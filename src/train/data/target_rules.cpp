#include "train/data/target_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace nntrain::train {

namespace {

/// The names as whole numbers; empty when one of them is none.
std::vector<double> as_numbers(const std::vector<std::string>& names) {
  std::vector<double> values;
  for (const std::string& name : names) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
    if (error != std::errc() || end != name.data() + name.size()) return {};
    values.push_back(static_cast<double>(value));
  }
  return values;
}

}  // namespace

TargetRules target_rules(const DataSettings& settings, const DataSets& sets, const TargetPlan& plan,
                         const std::string& where, const Json& training) {
  TargetRules rules;
  rules.loss = plan.loss;
  rules.output_shape = plan.output_shape;
  rules.positive_class = settings.positive_class;
  rules.where = where;
  rules.loss_origin = plan.loss_origin;
  // With a positive class the outputs have other names than the file's classes.
  rules.class_names =
      settings.positive_class.empty() && !sets.class_names.empty() ? sets.class_names : settings.class_names;
  const nn::TargetMeaning meaning = plan.loss->target_meaning();
  const bool numbers = meaning == nn::TargetMeaning::kNumbers || meaning == nn::TargetMeaning::kCounts ||
                       meaning == nn::TargetMeaning::kDistribution;
  const bool several = plan.output_shape.last() > 1;
  if (!rules.positive_class.empty()) {
    rules.labels = data::Labels::kClasses;
  } else if (numbers) {
    rules.labels = data::Labels::kRefused;
  } else if (several && meaning != nn::TargetMeaning::kClasses && meaning != nn::TargetMeaning::kGroups) {
    rules.labels = data::Labels::kSets;
  }
  const Json& spec = plan.loss->spec();
  if (spec.is_object()) rules.wants_numbers = "compile.loss = " + spec.value("class_name", "");
  if (training.is_object() && training.contains("label_values")) {
    rules.label_values = training["label_values"].get<std::vector<double>>();
    rules.label_values_known = true;
  } else if (meaning == nn::TargetMeaning::kClasses &&
             !(training.is_object() && training.contains("label_names"))) {
    rules.label_values = as_numbers(settings.class_names);
    rules.label_values_known = !rules.label_values.empty();
  }
  return rules;
}

}  // namespace nntrain::train

#include "train/data/target_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "metrics/metric.h"

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

std::string metric_of_signs(const CompileSettings& settings, const Shape& output) {
  // What is wrong with a metric is told where all are made, with line and file.
  const auto sign_name = [&](const Json& spec) -> std::string {
    try {
      std::string name;
      const auto metric = metrics::make_metric(spec, output, output, name);
      return metric->takes_signs() ? metric->spec()["class_name"].get<std::string>() : "";
    } catch (const InputError&) {
      return "";
    }
  };
  const auto first = [&](const std::vector<Json>& specs, const char* key, const std::string& origin) {
    for (const Json& spec : specs) {
      if (const std::string name = sign_name(spec); !name.empty())
        return fmt::format("{} = {}", origin.empty() ? key : origin, name);
    }
    return std::string();
  };
  const std::string plain = first(settings.metrics, "compile.metrics", settings.metrics_origin);
  return !plain.empty()
             ? plain
             : first(settings.weighted_metrics, "compile.weighted_metrics", settings.weighted_metrics_origin);
}

void check_signs(const PreparedTargets& prepared, const std::string& where, const std::string& sign_metric) {
  if (sign_metric.empty()) return;
  const std::int64_t per_row = prepared.info.sample.size();
  std::int64_t zero = -1, minus = -1;  // their first rows
  for (std::size_t i = 0; i < prepared.values.size(); ++i) {
    const float value = prepared.values[i];
    const std::int64_t row = static_cast<std::int64_t>(i) / per_row;
    if (value == 0 && zero < 0) zero = row;
    if (value == -1 && minus < 0) minus = row;
    const bool sign = value == -1 || value == 0 || value == 1;
    if (sign && (zero < 0 || minus < 0)) continue;
    throw InputError(
        fmt::format("{}, row {}: the target {:g} {}; {} takes 0 and 1, or -1 and 1 (0 counts as -1 in the "
                    "first case, and "
                    "has no meaning in the second); write the targets so, or leave this metric out",
                    where, row, value,
                    !sign        ? std::string("is neither of 0 and 1, nor of -1 and 1")
                    : value == 0 ? fmt::format("stands beside -1 in row {}", minus)
                                 : fmt::format("stands beside 0 in row {}", zero),
                    sign_metric));
  }
}

}  // namespace nntrain::train

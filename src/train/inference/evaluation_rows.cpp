#include "train/inference/evaluation_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/elementary.h"

namespace nntrain::train {

namespace {

/// Appends what every rank holds, in rank order, on rank 0.
template <class T>
void gather_onto(comm::Session& session, std::span<const T> mine, std::vector<T>& all) {
  for (const std::vector<std::byte>& part : session.gather(std::as_bytes(mine))) {
    if (part.empty()) continue;
    const std::size_t old = all.size();
    all.resize(old + part.size() / sizeof(T));
    std::memcpy(all.data() + old, part.data(), part.size());
  }
}

bool finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

// Outcomes of which there is nothing to report.
constexpr std::int32_t kNotFinite = -1, kNoClass = -2;

/// The share of the largest output in the softmax of all.
float softmax_of_largest(const float* outputs, std::int64_t classes, float largest) {
  double sum = 0;
  for (std::int64_t c = 0; c < classes; ++c)
    sum += elementary::exp(static_cast<double>(outputs[c]) - static_cast<double>(largest));
  return static_cast<float>(1.0 / sum);
}

}  // namespace

void EvaluationRows::add_outcomes(std::span<const float> outputs, std::span<const float> targets,
                                  std::vector<ClassOutcome>& outcomes) const {
  const std::int64_t width = classes();
  const auto positions = static_cast<std::int64_t>(outputs.size()) / width;
  const std::int64_t target_width = positions > 0 ? static_cast<std::int64_t>(targets.size()) / positions : 1;
  for (std::int64_t i = 0; i < positions; ++i) {
    const float* output = outputs.data() + i * width;
    const float* target = targets.data() + i * target_width;
    ClassOutcome outcome;
    outcome.truth = static_cast<std::int32_t>(
        target_width == 1 ? *target : static_cast<float>(std::max_element(target, target + width) - target));
    outcome.predicted = static_cast<std::int32_t>(std::max_element(output, output + width) - output);
    const bool known = outcome.truth >= 0 && outcome.truth < width;
    if (!known || !finite({output, static_cast<std::size_t>(width)})) {
      outcome.predicted = known ? kNotFinite : kNoClass;
    } else {
      const float of_truth = output[outcome.truth], largest = output[outcome.predicted];
      outcome.better = static_cast<std::int32_t>(
          std::count_if(output, output + width, [&](float value) { return value > of_truth; }));
      outcome.confidence = reading_.logits ? softmax_of_largest(output, width, largest) : largest;
    }
    outcomes.push_back(outcome);
  }
}

void EvaluationRows::add(comm::Session& session, std::span<const float> outputs,
                         std::span<const float> targets) {
  if (reading_.decision == Decision::kArgMax) {
    std::vector<ClassOutcome> mine;
    add_outcomes(outputs, targets, mine);
    gather_onto<ClassOutcome>(session, mine, outcomes_);
  } else {
    gather_onto<float>(session, outputs, outputs_);
    gather_onto<float>(session, targets, targets_);
  }
}

std::int64_t EvaluationRows::row_of(std::size_t position) const {
  return reading_.first_row + static_cast<std::int64_t>(position) / reading_.output.leading();
}

bool EvaluationRows::targets_are_one_hot() const {
  const auto width = static_cast<std::size_t>(classes());
  if (targets_.size() != outputs_.size()) return false;
  for (std::size_t i = 0; i < targets_.size(); i += width) {
    const auto row = targets_.begin() + static_cast<std::ptrdiff_t>(i);
    const auto end = row + static_cast<std::ptrdiff_t>(width);
    if (std::count(row, end, 1.0F) != 1 ||
        std::count(row, end, 0.0F) != static_cast<std::ptrdiff_t>(width) - 1)
      return false;
  }
  return true;
}

/// Are the targets 0 and 1 (or -1 and 1 where the sign decides)? Else says why not.
bool EvaluationRows::holds_only_classes(EvaluationReport& report) const {
  const bool sign = reading_.decision == Decision::kSign && !reading_.logits;
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i] == 0 || targets_[i] == 1 || (sign && targets_[i] == -1)) continue;
    const auto row = row_of(i / static_cast<std::size_t>(std::max<std::int64_t>(1, classes())));
    report.notes.push_back("row " + std::to_string(row) + " of the targets is " +
                           std::to_string(targets_[i]) + ", neither 0 nor 1: no classes to report on");
    return false;
  }
  return true;
}

EvaluationReport EvaluationRows::report() {
  EvaluationReport report;
  const auto any = [&](std::int32_t what) {
    return std::any_of(outcomes_.begin(), outcomes_.end(),
                       [&](const ClassOutcome& outcome) { return outcome.predicted == what; });
  };
  if (any(kNoClass)) {
    report.notes.emplace_back(
        "targets name classes that the model has no output for: no classes to report on");
    return report;
  }
  if (any(kNotFinite) || !finite(outputs_)) {
    report.notes.emplace_back("outputs of the model are NaN or Inf: there is nothing to report on");
    return report;
  }
  if (reading_.decision == Decision::kArgMax) {
    report.taken_as = "classes: the largest of " + std::to_string(classes()) + " outputs";
    report_classes(report);
  } else if (reading_.decision != Decision::kNone) {
    report.taken_as = reading_.decision == Decision::kProbability
                          ? "two classes: 1 where the output is above 0.5"
                          : "two classes: 1 where the output is above 0";
    if (holds_only_classes(report)) report_binary(report);
  } else if (reading_.labels && holds_only_classes(report)) {
    report.taken_as = "labels: " + std::to_string(classes()) + " outputs, each yes or no";
    report_labels(report);
  } else if (reading_.labels && reading_.logits) {
    return report;
  } else if (reading_.softmax && classes() > 1 && targets_are_one_hot()) {
    report.taken_as = "classes: softmax outputs, and every row of the targets is one-hot";
    add_outcomes(outputs_, targets_, outcomes_);
    report_classes(report);
  } else if (EvaluationReport none;
             reading_.sigmoid && reading_.output.size() == 1 && holds_only_classes(none)) {
    report.taken_as = "two classes: one sigmoid output, and the targets are 0 and 1";
    reading_.decision = Decision::kProbability;
    reading_.probabilities = true;
    report_binary(report);
  } else if (outputs_.size() == targets_.size()) {
    report.taken_as = "numbers";
    report_regression(report);
  }
  return report;
}

}  // namespace nntrain::train

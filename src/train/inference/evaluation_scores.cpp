// From the outcomes of all rows to the report, task by task.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "core/elementary.h"
#include "core/registry.h"
#include "train/inference/evaluation_rows.h"

namespace nntrain::train {

namespace {

constexpr std::size_t kWorst = 10;
constexpr std::size_t kDrawn = 400;            // points of a curve or a scatter plot
constexpr std::int64_t kLargestMatrix = 2000;  // classes of a confusion matrix that anybody can use

/// `count` names, all different: the user's where there are any, else PREFIX and the index.
std::vector<std::string> names_for(const std::vector<std::string>& given, std::int64_t count,
                                   const std::string& prefix) {
  std::vector<std::string> names;
  std::set<std::string> taken = {"macro avg", "weighted avg", "micro avg", "samples avg"};
  for (std::int64_t i = 0; i < count; ++i) {
    const bool named = i < static_cast<std::int64_t>(given.size());
    std::string name = named ? given[static_cast<std::size_t>(i)] : prefix + std::to_string(i);
    while (!taken.insert(name).second) name += " (" + std::to_string(i) + ")";
    names.push_back(name);
  }
  return names;
}

/// The first `kWorst` of `count` indices by `before`.
template <class Before>
std::vector<std::size_t> first_of(std::vector<std::size_t> indices, Before&& before) {
  const std::size_t keep = std::min(kWorst, indices.size());
  std::partial_sort(indices.begin(), indices.begin() + static_cast<std::ptrdiff_t>(keep), indices.end(),
                    before);
  indices.resize(keep);
  return indices;
}

double sigmoid(double logit) { return 1.0 / (1.0 + elementary::exp(-logit)); }

struct Truths {
  std::vector<std::uint8_t> truth, predicted;
};

Truths decide_all(std::span<const float> outputs, std::span<const float> targets, float threshold) {
  Truths truths;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    truths.truth.push_back(targets[i] > 0 ? 1 : 0);
    truths.predicted.push_back(outputs[i] > threshold ? 1 : 0);
  }
  return truths;
}

/// Every `width`-th value from `first`.
template <class T>
std::vector<T> column(const std::vector<T>& values, std::size_t width, std::size_t first) {
  std::vector<T> result;
  result.reserve(values.size() / width);
  for (std::size_t i = first; i < values.size(); i += width) result.push_back(values[i]);
  return result;
}

BinaryScores binary_scores(std::span<const float> scores, const std::vector<std::uint8_t>& truth,
                           const std::vector<std::uint8_t>& predicted) {
  BinaryScores result;
  result.confusion.assign(4, 0);
  for (std::size_t i = 0; i < truth.size(); ++i)
    ++result.confusion[static_cast<std::size_t>(truth[i]) * 2 + predicted[i]];
  result.report = metrics::classification_report(metrics::counts_of(result.confusion, 2));
  const metrics::ScoreCurve curve = metrics::score_curve(scores, truth);
  result.positives = curve.positives;
  result.negatives = curve.negatives;
  result.roc_auc = metrics::roc_area(curve);
  result.pr_auc = metrics::average_precision(curve);
  result.best_f1 = metrics::best_f1(curve);
  result.best_youden = metrics::best_youden(curve);
  result.curve = metrics::thinned(curve, kDrawn);
  return result;
}

void note_missing_side(const BinaryScores& scores, const std::string& of, EvaluationReport& report) {
  if (scores.positives > 0 && scores.negatives > 0) return;
  report.notes.push_back(fmt::format(
      "{}all {} rows are {}: no ROC area{}", of, scores.positives + scores.negatives,
      scores.positives > 0 ? "positive" : "negative", scores.positives > 0 ? "" : " and no PR area"));
}

}  // namespace

void EvaluationRows::report_classes(EvaluationReport& report) const {
  report.task = EvaluationTask::kClasses;
  const std::int64_t count = classes();
  report.names = names_for(reading_.class_names, count, "");
  if (!reading_.class_names.empty() && static_cast<std::int64_t>(reading_.class_names.size()) != count) {
    report.notes.push_back(fmt::format("data.class_names has {} names, the model {} outputs",
                                       reading_.class_names.size(), count));
  }
  std::vector<metrics::ClassCounts> counts(static_cast<std::size_t>(count));
  const bool matrix = count <= kLargestMatrix;
  if (matrix) report.confusion.assign(static_cast<std::size_t>(count * count), 0);
  std::vector<std::size_t> wrong;
  std::vector<float> confidence;
  std::vector<std::uint8_t> right;
  std::vector<std::int64_t> better(static_cast<std::size_t>(count), 0);
  std::int64_t rows = 0;
  for (std::size_t i = 0; i < outcomes_.size(); ++i) {
    const ClassOutcome& outcome = outcomes_[i];
    if (reading_.ignored_class && outcome.truth == *reading_.ignored_class) continue;
    const auto truth = static_cast<std::size_t>(outcome.truth);
    const auto predicted = static_cast<std::size_t>(outcome.predicted);
    ++rows;
    ++counts[truth].actual;
    ++counts[predicted].predicted;
    if (truth == predicted) ++counts[truth].true_positives;
    if (matrix) ++report.confusion[truth * static_cast<std::size_t>(count) + predicted];
    if (truth != predicted) wrong.push_back(i);
    ++better[static_cast<std::size_t>(outcome.better)];
    confidence.push_back(outcome.confidence);
    right.push_back(truth == predicted ? 1 : 0);
  }
  report.classes = metrics::classification_report(counts);
  for (const int k : {2, 3, 5}) {
    if (k >= count || rows == 0) continue;
    const std::int64_t among = std::accumulate(better.begin(), better.begin() + k, std::int64_t{0});
    report.top_k.emplace_back(k, static_cast<double>(among) / static_cast<double>(rows));
  }
  if (reading_.probabilities || reading_.logits || reading_.softmax)
    report.calibration = metrics::calibration(confidence, right);
  const auto surer = [&](std::size_t a, std::size_t b) {
    return outcomes_[a].confidence != outcomes_[b].confidence
               ? outcomes_[a].confidence > outcomes_[b].confidence
               : a < b;
  };
  for (const std::size_t i : first_of(std::move(wrong), surer)) {
    const ClassOutcome& outcome = outcomes_[i];
    report.worst.push_back(
        {row_of(i), outcome.truth, outcome.predicted, static_cast<double>(outcome.confidence)});
  }
}

void EvaluationRows::report_binary(EvaluationReport& report) const {
  report.task = EvaluationTask::kBinary;
  const bool two_names = reading_.class_names.size() == 2;
  report.names = names_for(two_names ? reading_.class_names : std::vector<std::string>{}, 2, "");
  const float threshold = reading_.decision == Decision::kProbability ? 0.5F : 0.0F;
  const Truths truths = decide_all(outputs_, targets_, threshold);
  report.labels.push_back(binary_scores(outputs_, truths.truth, truths.predicted));
  report.confusion = report.labels.front().confusion;
  report.classes = report.labels.front().report;
  note_missing_side(report.labels.front(), "", report);

  std::vector<float> confidence;
  std::vector<std::uint8_t> right;
  std::vector<std::size_t> wrong;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const double output = outputs_[i];
    const double positive = reading_.logits ? sigmoid(output) : output;
    const bool probability = reading_.probabilities || reading_.logits;
    const double sure = !probability               ? std::abs(output)
                        : truths.predicted[i] != 0 ? positive
                                                   : 1.0 - positive;
    confidence.push_back(static_cast<float>(sure));
    right.push_back(truths.truth[i] == truths.predicted[i] ? 1 : 0);
    if (right.back() == 0) wrong.push_back(i);
  }
  if (reading_.probabilities || reading_.logits) report.calibration = metrics::calibration(confidence, right);
  const auto surer = [&](std::size_t a, std::size_t b) {
    return confidence[a] != confidence[b] ? confidence[a] > confidence[b] : a < b;
  };
  for (const std::size_t i : first_of(std::move(wrong), surer)) {
    report.worst.push_back(
        {row_of(i), truths.truth[i], truths.predicted[i], static_cast<double>(confidence[i])});
  }
}

void EvaluationRows::report_labels(EvaluationReport& report) const {
  report.task = EvaluationTask::kLabels;
  const auto width = static_cast<std::size_t>(classes());
  const bool by_class = reading_.class_names.size() == width;
  report.names = names_for(by_class ? reading_.class_names : reading_.column_names, classes(), "label_");
  const Truths truths = decide_all(outputs_, targets_, reading_.logits ? 0.0F : 0.5F);
  report.label_report = metrics::label_report(truths.truth, truths.predicted, classes());
  for (std::size_t label = 0; label < width; ++label) {
    report.labels.push_back(binary_scores(column(outputs_, width, label), column(truths.truth, width, label),
                                          column(truths.predicted, width, label)));
    note_missing_side(report.labels.back(), report.names[label] + ": ", report);
  }
}

void EvaluationRows::report_regression(EvaluationReport& report) const {
  report.task = EvaluationTask::kRegression;
  const auto width = static_cast<std::size_t>(reading_.output.size());
  const bool by_column = reading_.column_names.size() == width;
  report.names = names_for(by_column ? reading_.column_names : std::vector<std::string>{},
                           static_cast<std::int64_t>(width), "output_");
  std::vector<metrics::RegressionScores> scores;
  for (std::size_t output = 0; output < width; ++output) {
    const std::vector<float> predicted = column(outputs_, width, output);
    const std::vector<float> truth = column(targets_, width, output);
    OutputScores one;
    one.scores = metrics::regression_scores(truth, predicted);
    const std::vector<double> residuals = metrics::residuals(truth, predicted);
    one.residual_quantiles = metrics::quantiles(residuals, kResidualQuantiles);
    const std::size_t step = std::max<std::size_t>(1, (truth.size() + kDrawn - 1) / kDrawn);
    for (std::size_t i = 0; i < truth.size(); i += step) one.points.emplace_back(truth[i], predicted[i]);
    std::vector<std::size_t> all(truth.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    const auto worse = [&](std::size_t a, std::size_t b) {
      const double left = std::abs(residuals[a]), right = std::abs(residuals[b]);
      return left != right ? left > right : a < b;
    };
    for (const std::size_t i : first_of(std::move(all), worse)) {
      one.worst.push_back({reading_.first_row + static_cast<std::int64_t>(i), static_cast<double>(truth[i]),
                           static_cast<double>(predicted[i])});
    }
    scores.push_back(one.scores);
    report.outputs.push_back(std::move(one));
  }
  report.regression = metrics::average(scores);
  if (!report.outputs.empty() && !report.regression.r2)
    report.notes.emplace_back("R2 needs at least two rows");
}

OutputReading reading_of(const nn::Loss& loss, const nn::Sequential& model) {
  const nn::OutputMeaning meaning = loss.output_meaning();
  OutputReading reading;
  reading.output = model.output_shape();
  const bool binary =
      meaning != nn::OutputMeaning::kValues && loss.target_meaning() == nn::TargetMeaning::kLabels;
  reading.labels = binary && reading.output.last() > 1;
  reading.logits = meaning == nn::OutputMeaning::kLogits;
  if (const auto ignored = loss.ignored_class()) reading.ignored_class = *ignored;
  if (!model.layers().empty()) {
    const nn::Head end = model.layers().back()->output_head();
    reading.softmax = end == nn::Head::kSoftmax;
    reading.sigmoid = end == nn::Head::kSigmoid;
  }
  reading.probabilities = meaning == nn::OutputMeaning::kProbabilities;
  return reading;
}

}  // namespace nntrain::train

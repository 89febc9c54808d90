#include "metrics/classification_report.h"

#include "metrics/compensated_sum.h"

namespace nntrain::metrics {

namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

/// Means of all scores, each class weighing 1 or its support.
ClassScores average(std::span<const ClassScores> classes, bool by_support) {
  CompensatedSum precision, recall, f1;
  double weights = 0;
  ClassScores mean;
  for (const ClassScores& scores : classes) {
    const double weight = by_support ? static_cast<double>(scores.support) : 1.0;
    precision.add(weight * scores.precision);
    recall.add(weight * scores.recall);
    f1.add(weight * scores.f1);
    weights += weight;
    mean.support += scores.support;
  }
  if (weights > 0) {
    mean.precision = precision.value() / weights;
    mean.recall = recall.value() / weights;
    mean.f1 = f1.value() / weights;
  }
  return mean;
}

ClassCounts row_counts(std::span<const std::uint8_t> truth, std::span<const std::uint8_t> predicted) {
  ClassCounts counts;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    counts.actual += truth[i];
    counts.predicted += predicted[i];
    counts.true_positives += truth[i] & predicted[i];
  }
  return counts;
}

}  // namespace

ClassScores class_scores(const ClassCounts& counts) {
  return {ratio(counts.true_positives, counts.predicted), ratio(counts.true_positives, counts.actual),
          ratio(2 * counts.true_positives, counts.predicted + counts.actual), counts.actual};
}

ClassificationReport classification_report(std::span<const ClassCounts> classes) {
  ClassificationReport report;
  std::int64_t right = 0;
  for (const ClassCounts& counts : classes) {
    report.classes.push_back(class_scores(counts));
    right += counts.true_positives;
    report.rows += counts.actual;
  }
  report.accuracy = ratio(right, report.rows);
  report.macro = average(report.classes, false);
  report.weighted = average(report.classes, true);
  return report;
}

std::vector<ClassCounts> counts_of(std::span<const std::int64_t> confusion, std::int64_t classes) {
  const auto n = static_cast<std::size_t>(classes);
  std::vector<ClassCounts> counts(n);
  for (std::size_t truth = 0; truth < n; ++truth) {
    for (std::size_t predicted = 0; predicted < n; ++predicted) {
      const std::int64_t rows = confusion[truth * n + predicted];
      counts[truth].actual += rows;
      counts[predicted].predicted += rows;
      if (truth == predicted) counts[truth].true_positives += rows;
    }
  }
  return counts;
}

LabelReport label_report(std::span<const std::uint8_t> truth, std::span<const std::uint8_t> predicted,
                         std::int64_t labels) {
  const auto width = static_cast<std::size_t>(labels);
  const std::size_t rows = width > 0 ? truth.size() / width : 0;
  LabelReport report;
  std::vector<ClassCounts> counts(width);
  std::vector<ClassScores> of_rows(rows);
  std::int64_t right = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    const auto is = truth.subspan(row * width, width), called = predicted.subspan(row * width, width);
    of_rows[row] = class_scores(row_counts(is, called));
    std::size_t equal = 0;
    for (std::size_t label = 0; label < width; ++label) {
      counts[label].actual += is[label];
      counts[label].predicted += called[label];
      counts[label].true_positives += is[label] & called[label];
      equal += is[label] == called[label] ? 1 : 0;
    }
    right += equal == width ? 1 : 0;
  }
  ClassCounts all;
  for (const ClassCounts& label : counts) {
    report.labels.push_back(class_scores(label));
    all.true_positives += label.true_positives;
    all.predicted += label.predicted;
    all.actual += label.actual;
  }
  report.accuracy = ratio(right, static_cast<std::int64_t>(rows));
  report.micro = class_scores(all);
  report.macro = average(report.labels, false);
  report.weighted = average(report.labels, true);
  report.samples = average(of_rows, false);
  return report;
}

}  // namespace nntrain::metrics

#pragma once
// Precision, recall, F1 and support, as scikit-learn's classification_report gives them with zero_division=0:
// ratios of counts, so exact. Pure functions.

#include <cstdint>
#include <span>
#include <vector>

namespace nntrain::metrics {

/// What is known of one class (or one label): all its scores are ratios of these.
struct ClassCounts {
  std::int64_t true_positives = 0;
  std::int64_t predicted = 0;  ///< rows that were called this class
  std::int64_t actual = 0;     ///< rows that are of this class
};

struct ClassScores {
  double precision = 0, recall = 0, f1 = 0;  ///< 0 where the denominator is 0
  std::int64_t support = 0;                  ///< rows that are of this class
};

struct ClassificationReport {
  std::vector<ClassScores> classes;
  double accuracy = 0;
  std::int64_t rows = 0;
  ClassScores macro, weighted;  ///< over all classes, those without rows too; weighted by support
};

ClassScores class_scores(const ClassCounts& counts);

/// One class a row.
ClassificationReport classification_report(std::span<const ClassCounts> classes);

/// Counts of each class from a confusion matrix (classes, classes): true rows, predicted columns.
std::vector<ClassCounts> counts_of(std::span<const std::int64_t> confusion, std::int64_t classes);

/// Any number of labels a row.
struct LabelReport {
  std::vector<ClassScores> labels;
  double accuracy = 0;  ///< the rows whose labels are all right (scikit-learn's accuracy_score)
  ClassScores micro, macro, weighted, samples;  ///< samples: the mean of every row's own scores
};

/// `truth`, `predicted` (rows, labels) hold 0 and 1.
LabelReport label_report(std::span<const std::uint8_t> truth, std::span<const std::uint8_t> predicted,
                         std::int64_t labels);

}  // namespace nntrain::metrics

#pragma once
// What an evaluation found beside loss and metrics: by class, by threshold, by label or by output. Made on
// rank 0 from every row's outcome, in the order of rows, so equal for every number of ranks.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "metrics/calibration.h"
#include "metrics/classification_report.h"
#include "metrics/curves.h"
#include "metrics/logs.h"
#include "metrics/regression_report.h"

namespace nntrain::train {

/// What the outputs mean.
enum class EvaluationTask {
  kNone,        ///< nothing beside loss and metrics (a note says why)
  kClasses,     ///< one of several classes
  kBinary,      ///< one output: class 1 or not
  kLabels,      ///< several outputs, each a yes or no of its own
  kRegression,  ///< numbers
};

/// A row that was told wrong; rows count from 0 in the source.
struct Mistake {
  std::int64_t row = 0;
  std::int64_t truth = 0, predicted = 0;  ///< classes
  double confidence = 0;                  ///< in what was predicted: a probability, or the output itself
};

/// One yes or no: everything about its two classes and its thresholds.
struct BinaryScores {
  std::vector<std::int64_t> confusion;  ///< (2, 2): true rows, predicted columns
  metrics::ClassificationReport report;
  std::optional<double> roc_auc, pr_auc;
  std::optional<metrics::BestThreshold> best_f1, best_youden;
  std::int64_t positives = 0, negatives = 0;
  std::vector<metrics::CurvePoint> curve;  ///< thinned, for drawing
};

struct WorstResidual {
  std::int64_t row = 0;
  double truth = 0, predicted = 0;
};

/// One output of a regression.
struct OutputScores {
  metrics::RegressionScores scores;
  std::vector<double> residual_quantiles;       ///< at kResidualQuantiles
  std::vector<std::pair<float, float>> points;  ///< (truth, predicted) of evenly spaced rows, for drawing
  std::vector<WorstResidual> worst;
};
constexpr double kResidualQuantiles[] = {0, 0.05, 0.25, 0.5, 0.75, 0.95, 1};

struct EvaluationReport {
  std::int64_t rows = 0;
  metrics::Logs logs;
  EvaluationTask task = EvaluationTask::kNone;
  std::string taken_as;            ///< how the outputs were read, in words
  std::vector<std::string> notes;  ///< what the reader should know about the numbers
  std::vector<std::string> names;  ///< of the classes (kClasses, kBinary), labels or outputs; all different

  // kClasses, kBinary
  std::vector<std::int64_t> confusion;  ///< (classes, classes); empty when there are too many classes
  metrics::ClassificationReport classes;
  std::vector<std::pair<int, double>> top_k;  ///< k, share of rows whose class is among the k largest outputs
  std::optional<metrics::Calibration> calibration;  ///< where outputs are probabilities
  std::vector<Mistake> worst;                       ///< the most confident ones first
  // kLabels, kBinary (one)
  std::vector<BinaryScores> labels;
  metrics::LabelReport label_report;  ///< kLabels
  // kRegression
  metrics::RegressionScores regression;  ///< means over the outputs
  std::vector<OutputScores> outputs;
};

}  // namespace nntrain::train

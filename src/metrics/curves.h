#pragma once
// What every threshold on one score does: ROC and precision-recall curves, their areas and best thresholds,
// as scikit-learn's roc_curve, roc_auc_score, average_precision_score. From counts, so exact. Pure functions.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace nntrain::metrics {

/// The rows whose score is at least `threshold` are called positive.
struct CurvePoint {
  double threshold = 0;
  std::int64_t true_positives = 0, false_positives = 0;
};

struct ScoreCurve {
  std::int64_t positives = 0, negatives = 0;
  std::vector<CurvePoint> points;  ///< one for each distinct score, from the highest down
};

/// `scores` are finite; `truth` holds 0 and 1.
ScoreCurve score_curve(std::span<const float> scores, std::span<const std::uint8_t> truth);

/// Area under the ROC curve; none when one of the two classes has no row.
std::optional<double> roc_area(const ScoreCurve& curve);
/// Average precision: the area under the precision-recall curve in steps; none without positives.
std::optional<double> average_precision(const ScoreCurve& curve);

struct BestThreshold {
  double threshold = 0;
  double value = 0;
};
/// The threshold with the largest F1, or with the largest true positive rate - false positive rate (Youden's
/// J); the highest of equally good ones. None where the area is none.
std::optional<BestThreshold> best_f1(const ScoreCurve& curve);
std::optional<BestThreshold> best_youden(const ScoreCurve& curve);

/// At most about `most` points of the curve for drawing, the first and the last among them.
std::vector<CurvePoint> thinned(const ScoreCurve& curve, std::size_t most);

}  // namespace nntrain::metrics

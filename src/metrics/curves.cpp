#include "metrics/curves.h"

#include <algorithm>
#include <numeric>

#include "metrics/compensated_sum.h"

namespace nntrain::metrics {

namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

template <class Value>
BestThreshold best(const ScoreCurve& curve, Value&& value) {
  BestThreshold found{curve.points.front().threshold, value(curve.points.front())};
  for (const CurvePoint& point : curve.points) {
    const double here = value(point);
    if (here > found.value) found = {point.threshold, here};
  }
  return found;
}

}  // namespace

ScoreCurve score_curve(std::span<const float> scores, std::span<const std::uint8_t> truth) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  ScoreCurve curve;
  for (std::size_t i = 0; i < order.size(); ++i) {
    (truth[order[i]] != 0 ? curve.positives : curve.negatives) += 1;
    const bool last_of_score = i + 1 == order.size() || scores[order[i + 1]] != scores[order[i]];
    if (last_of_score) {
      curve.points.push_back(
          {static_cast<double>(scores[order[i]]), curve.positives, curve.negatives});  // counted so far
    }
  }
  return curve;
}

std::optional<double> roc_area(const ScoreCurve& curve) {
  if (curve.positives == 0 || curve.negatives == 0) return std::nullopt;
  // Twice the area in units of one positive times one negative: a whole number.
  std::uint64_t twice = 0;
  CurvePoint before;
  for (const CurvePoint& point : curve.points) {
    twice += static_cast<std::uint64_t>(point.false_positives - before.false_positives) *
             static_cast<std::uint64_t>(point.true_positives + before.true_positives);
    before = point;
  }
  return static_cast<double>(twice) /
         (2.0 * static_cast<double>(curve.positives) * static_cast<double>(curve.negatives));
}

std::optional<double> average_precision(const ScoreCurve& curve) {
  if (curve.positives == 0) return std::nullopt;
  CompensatedSum area;
  std::int64_t before = 0;
  for (const CurvePoint& point : curve.points) {
    area.add(ratio(point.true_positives - before, curve.positives) *
             ratio(point.true_positives, point.true_positives + point.false_positives));
    before = point.true_positives;
  }
  return area.value();
}

std::optional<BestThreshold> best_f1(const ScoreCurve& curve) {
  if (curve.positives == 0) return std::nullopt;
  return best(curve, [&](const CurvePoint& point) {
    return ratio(2 * point.true_positives, curve.positives + point.true_positives + point.false_positives);
  });
}

std::optional<BestThreshold> best_youden(const ScoreCurve& curve) {
  if (curve.positives == 0 || curve.negatives == 0) return std::nullopt;
  return best(curve, [&](const CurvePoint& point) {
    return ratio(point.true_positives, curve.positives) - ratio(point.false_positives, curve.negatives);
  });
}

std::vector<CurvePoint> thinned(const ScoreCurve& curve, std::size_t most) {
  const std::size_t step = std::max<std::size_t>(1, (curve.points.size() + most - 1) / most);
  std::vector<CurvePoint> points;
  for (std::size_t i = 0; i < curve.points.size(); i += step) points.push_back(curve.points[i]);
  if (step > 1 && (curve.points.size() - 1) % step != 0) points.push_back(curve.points.back());
  return points;
}

}  // namespace nntrain::metrics

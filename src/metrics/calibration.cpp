#include "metrics/calibration.h"

#include <algorithm>
#include <cmath>

#include "metrics/compensated_sum.h"

namespace nntrain::metrics {

Calibration calibration(std::span<const float> confidence, std::span<const std::uint8_t> right, int bins) {
  Calibration result;
  result.bins.resize(static_cast<std::size_t>(bins));
  std::vector<CompensatedSum> sums(result.bins.size());
  std::vector<std::int64_t> hits(result.bins.size(), 0);
  for (std::size_t i = 0; i < confidence.size(); ++i) {
    const double place = std::ceil(static_cast<double>(confidence[i]) * bins) - 1;
    const auto bin = static_cast<std::size_t>(std::clamp(place, 0.0, bins - 1.0));
    sums[bin].add(static_cast<double>(confidence[i]));
    hits[bin] += right[i];
    ++result.bins[bin].rows;
  }
  CompensatedSum error;
  for (std::size_t b = 0; b < sums.size(); ++b) {
    CalibrationBin& bin = result.bins[b];
    if (bin.rows == 0) continue;
    const auto rows = static_cast<double>(bin.rows);
    bin.confidence = sums[b].value() / rows;
    bin.accuracy = static_cast<double>(hits[b]) / rows;
    error.add(rows * std::abs(bin.accuracy - bin.confidence));
  }
  if (!confidence.empty()) result.error = error.value() / static_cast<double>(confidence.size());
  return result;
}

}  // namespace nntrain::metrics

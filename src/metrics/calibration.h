#pragma once
// Does a model that says 90 % be right 90 times of 100? Expected calibration error (Guo et al. 2017).

#include <cstdint>
#include <span>
#include <vector>

namespace nntrain::metrics {

struct CalibrationBin {
  std::int64_t rows = 0;
  double confidence = 0, accuracy = 0;  ///< means over the rows
};

struct Calibration {
  std::vector<CalibrationBin> bins;  ///< bin i holds confidences in (i / bins, (i + 1) / bins]
  double error = 0;                  ///< mean of |accuracy - confidence| over the bins, weighted by rows
};

/// `confidence`: the probability that the model gives to what it predicts; `right` holds 0 and 1. Pure.
Calibration calibration(std::span<const float> confidence, std::span<const std::uint8_t> right,
                        int bins = 10);

}  // namespace nntrain::metrics

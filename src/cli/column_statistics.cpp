#include "cli/column_statistics.h"

#include <algorithm>
#include <cmath>

namespace nntrain::cli {

ColumnStatistics::ColumnStatistics(std::int64_t columns) : columns_(static_cast<std::size_t>(columns)) {}

void ColumnStatistics::add(std::span<const float> rows) {
  if (rows.empty()) return;
  if (rows_ == 0) {
    first_.assign(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(columns_));
    minima_ = maxima_ = first_;
    sums_.assign(columns_, 0);
    squares_.assign(columns_, 0);
  }
  for (std::size_t at = 0; at < rows.size(); at += columns_, ++rows_) {
    for (std::size_t c = 0; c < columns_; ++c) {
      const double value = static_cast<double>(rows[at + c]), difference = value - first_[c];
      sums_[c] += difference;
      squares_[c] += difference * difference;
      minima_[c] = std::min(minima_[c], value);
      maxima_[c] = std::max(maxima_[c], value);
    }
  }
}

std::vector<double> ColumnStatistics::means() const {
  std::vector<double> means = first_;
  for (std::size_t c = 0; c < means.size(); ++c) means[c] += sums_[c] / static_cast<double>(rows_);
  return means;
}

std::vector<double> ColumnStatistics::deviations() const {
  std::vector<double> deviations(first_.size());
  for (std::size_t c = 0; c < deviations.size(); ++c) {
    const double mean = sums_[c] / static_cast<double>(rows_);
    deviations[c] = std::sqrt(std::max(0.0, squares_[c] / static_cast<double>(rows_) - mean * mean));
  }
  return deviations;
}

}  // namespace nntrain::cli

#pragma once
// What convert tells of a table's columns: mean, standard deviation, least and greatest value.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nntrain::cli {

class ColumnStatistics {
 public:
  explicit ColumnStatistics(std::int64_t columns);
  /// Whole rows, one after the other, float32 without NaN. Sums are float64, of differences to the first row,
  /// in the order of the rows; how they are cut into calls changes no bit.
  void add(std::span<const float> rows);

  // (columns) each; of no rows: empty.
  std::vector<double> means() const;
  std::vector<double> deviations() const;  ///< divided by the number of rows, as numpy.std
  std::vector<double> minima() const { return minima_; }
  std::vector<double> maxima() const { return maxima_; }

 private:
  std::size_t columns_;
  std::int64_t rows_ = 0;
  std::vector<double> first_, sums_, squares_, minima_, maxima_;
};

}  // namespace nntrain::cli

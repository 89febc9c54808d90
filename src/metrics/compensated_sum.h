#pragma once
// A sum of float64 that keeps what rounding drops (Neumaier 1974): the evaluation's sums run over all rows in
// their order on one rank, and are good to the last digits however many rows there are.

#include <cmath>

namespace nntrain::metrics {

class CompensatedSum {
 public:
  void add(double value) {
    const double next = sum_ + value;
    dropped_ += std::abs(sum_) >= std::abs(value) ? (sum_ - next) + value : (value - next) + sum_;
    sum_ = next;
  }
  double value() const { return sum_ + dropped_; }

 private:
  double sum_ = 0, dropped_ = 0;
};

}  // namespace nntrain::metrics

#pragma once
// Who computes the products of a layer's rows with its weights: each replica its own, or several together.

#include <cstdint>

namespace nntrain::nn {

/// A replica alone; `train` has one that works with others. Every element is a chain (core/chain.h), so that it does not
/// matter for its bits who computes it. Row-major, contiguous, no overlap. Collective where several work together: all
/// replicas call in the same order with the same positions, n and k, with 0 rows too.
class Products {
 public:
  virtual ~Products() = default;
  /// y (rows * positions, n) = x (rows * positions, k) w (k, n), `rows` of the mini-batch.
  virtual void multiply(std::int64_t rows, std::int64_t positions, std::int64_t n, std::int64_t k, const float* x, const float* w, float* y);
  /// y (rows * positions, n) = x (rows * positions, k) w', w (n, k).
  virtual void multiply_transposed(std::int64_t rows, std::int64_t positions, std::int64_t n, std::int64_t k, const float* x, const float* w, float* y);

  static Products& alone();
};

}  // namespace nntrain::nn

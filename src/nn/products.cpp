#include "nntrain/nn/products.h"

#include "nntrain/core/chain.h"

namespace nntrain::nn {

void Products::multiply(std::int64_t rows, std::int64_t positions, std::int64_t n, std::int64_t k, const float* x, const float* w, float* y) {
  chain::multiply(rows * positions, n, k, x, w, y);
}

void Products::multiply_transposed(std::int64_t rows, std::int64_t positions, std::int64_t n, std::int64_t k, const float* x, const float* w, float* y) {
  chain::multiply_transposed(rows * positions, n, k, x, w, y);
}

Products& Products::alone() {
  static Products products;
  return products;
}

}  // namespace nntrain::nn

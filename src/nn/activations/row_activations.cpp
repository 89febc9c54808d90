#include "nn/activations/row_activations.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/elementary.h"
#include "nn/activations/vector_math.h"

namespace nntrain::nn {

void softmax_rows(std::int64_t rows, std::int64_t columns, const float* z, float* y) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* x = z + r * columns;
    float* out = y + r * columns;
    float largest = x[0];
    for (std::int64_t c = 1; c < columns; ++c) largest = x[c] > largest ? x[c] : largest;
    for (std::int64_t c = 0; c < columns; ++c) out[c] = fast_exp(x[c] - largest);
    float sum = 0;
    for (std::int64_t c = 0; c < columns; ++c) sum += out[c];
    for (std::int64_t c = 0; c < columns; ++c) out[c] /= sum;
  }
}

void softmax_rows_backward(std::int64_t rows, std::int64_t columns, const float* y, const float* dy,
                           float* dz) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* out = y + r * columns;
    const float* d = dy + r * columns;
    float dot = 0;
    for (std::int64_t c = 0; c < columns; ++c) dot += d[c] * out[c];
    for (std::int64_t c = 0; c < columns; ++c) dz[r * columns + c] = out[c] * (d[c] - dot);
  }
}

void log_softmax_rows(std::int64_t rows, std::int64_t columns, const float* z, float* y) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* x = z + r * columns;
    const float largest = *std::max_element(x, x + columns);
    float sum = 0;
    for (std::int64_t c = 0; c < columns; ++c) sum += fast_exp(x[c] - largest);
    const float shift = elementary::log(sum);
    for (std::int64_t c = 0; c < columns; ++c) y[r * columns + c] = (x[c] - largest) - shift;
  }
}

void log_softmax_rows_backward(std::int64_t rows, std::int64_t columns, const float* y, const float* dy,
                               float* dz) {
  for (std::int64_t r = 0; r < rows; ++r) {
    float sum = 0;
    for (std::int64_t c = 0; c < columns; ++c) sum += dy[r * columns + c];
    for (std::int64_t c = 0; c < columns; ++c) {
      const std::int64_t i = r * columns + c;
      dz[i] = dy[i] - fast_exp(y[i]) * sum;
    }
  }
}

namespace {

/// Keras' threshold (keras/src/backend/jax/nn.py): (sum of the cumulative sums over the support - 1) / k. The
/// paper (Martins and Astudillo 2016) takes the last cumulative sum alone; Keras is the reference here.
struct Sparsemax {
  std::vector<std::int64_t>& order;  // by value, descending
  std::int64_t support = 0;
  float threshold = 0;

  void find(const float* x, std::int64_t columns) {
    order.resize(static_cast<std::size_t>(columns));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::stable_sort(order.begin(), order.end(), [x](std::int64_t a, std::int64_t b) { return x[a] > x[b]; });
    float sum = 0, supported = 0;
    support = 0;
    for (std::int64_t k = 1; k <= columns; ++k) {
      const float value = x[order[static_cast<std::size_t>(k - 1)]];
      sum += value;
      if (value - (sum - 1.0F) / static_cast<float>(k) > 0) {
        ++support;
        supported += sum;
      }
    }
    threshold = (supported - 1.0F) / static_cast<float>(std::max<std::int64_t>(support, 1));
  }
};

}  // namespace

void sparsemax_rows(std::int64_t rows, std::int64_t columns, const float* z, float* y,
                    std::vector<std::int64_t>& order) {
  Sparsemax row{order};
  for (std::int64_t r = 0; r < rows; ++r) {
    row.find(z + r * columns, columns);
    for (std::int64_t c = 0; c < columns; ++c)
      y[r * columns + c] = std::max(z[r * columns + c] - row.threshold, 0.0F);
  }
}

void sparsemax_rows_backward(std::int64_t rows, std::int64_t columns, const float* z, const float* y,
                             const float* dy, float* dz, std::vector<std::int64_t>& order) {
  Sparsemax row{order};
  for (std::int64_t r = 0; r < rows; ++r) {
    row.find(z + r * columns, columns);
    float sum = 0;
    for (std::int64_t c = 0; c < columns; ++c) sum += y[r * columns + c] > 0 ? dy[r * columns + c] : 0.0F;
    for (std::int64_t c = 0; c < columns; ++c)
      dz[r * columns + c] = y[r * columns + c] > 0 ? dy[r * columns + c] : 0.0F;
    // The i-th largest value stands in the cumulative sums i .. support.
    for (std::int64_t i = 0; i < row.support; ++i) {
      dz[r * columns + row.order[static_cast<std::size_t>(i)]] -=
          sum * static_cast<float>(row.support - i) / static_cast<float>(row.support);
    }
  }
}

}  // namespace nntrain::nn

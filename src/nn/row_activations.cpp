#include "nn/row_activations.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "nn/vector_math.h"

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

void softmax_rows_backward(std::int64_t rows, std::int64_t columns, const float* y, const float* dy, float* dz) {
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
    const float shift = std::log(sum);
    for (std::int64_t c = 0; c < columns; ++c) y[r * columns + c] = (x[c] - largest) - shift;
  }
}

void log_softmax_rows_backward(std::int64_t rows, std::int64_t columns, const float* y, const float* dy, float* dz) {
  for (std::int64_t r = 0; r < rows; ++r) {
    float sum = 0;
    for (std::int64_t c = 0; c < columns; ++c) sum += dy[r * columns + c];
    for (std::int64_t c = 0; c < columns; ++c) {
      const std::int64_t i = r * columns + c;
      dz[i] = dy[i] - fast_exp(y[i]) * sum;
    }
  }
}

void sparsemax_rows(std::int64_t rows, std::int64_t columns, const float* z, float* y) {
  thread_local std::vector<float> sorted;  // grows once, to the widest row
  if (static_cast<std::int64_t>(sorted.size()) < columns) sorted.resize(static_cast<std::size_t>(columns));
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* x = z + r * columns;
    std::copy_n(x, columns, sorted.begin());
    std::sort(sorted.begin(), sorted.begin() + columns, std::greater<>());
    float sum = 0, support_sum = 0;
    std::int64_t support = 0;
    for (std::int64_t k = 1; k <= columns; ++k) {
      const float value = sorted[static_cast<std::size_t>(k - 1)];
      sum += value;
      if (1.0F + static_cast<float>(k) * value > sum) {
        support = k;
        support_sum = sum;
      }
    }
    const float threshold = (support_sum - 1.0F) / static_cast<float>(std::max<std::int64_t>(support, 1));
    for (std::int64_t c = 0; c < columns; ++c) y[r * columns + c] = std::max(x[c] - threshold, 0.0F);
  }
}

void sparsemax_rows_backward(std::int64_t rows, std::int64_t columns, const float* y, const float* dy, float* dz) {
  for (std::int64_t r = 0; r < rows; ++r) {
    float sum = 0;
    float support = 0;
    for (std::int64_t c = 0; c < columns; ++c) {
      const bool on = y[r * columns + c] > 0;
      sum += on ? dy[r * columns + c] : 0.0F;
      support += on ? 1.0F : 0.0F;
    }
    const float mean = support > 0 ? sum / support : 0.0F;
    for (std::int64_t c = 0; c < columns; ++c) {
      const std::int64_t i = r * columns + c;
      dz[i] = y[i] > 0 ? dy[i] - mean : 0.0F;
    }
  }
}

}  // namespace nntrain::nn

#pragma once
// Activations along a row: softmax, log_softmax, sparsemax.

#include <cstdint>
#include <vector>

namespace nntrain::nn {

/// y (rows, columns) = softmax of each row of z; y == z is fine.
void softmax_rows(std::int64_t rows, std::int64_t columns, const float* z, float* y);
/// dz = y * (dy - sum(dy * y)); dz == dy is fine.
void softmax_rows_backward(std::int64_t rows, std::int64_t columns, const float* y, const float* dy,
                           float* dz);
void log_softmax_rows(std::int64_t rows, std::int64_t columns, const float* z, float* y);
void log_softmax_rows_backward(std::int64_t rows, std::int64_t columns, const float* y, const float* dy,
                               float* dz);
/// As Keras computes it (see the source). `order`: scratch of the caller, which grows to (columns).
void sparsemax_rows(std::int64_t rows, std::int64_t columns, const float* z, float* y,
                    std::vector<std::int64_t>& order);
void sparsemax_rows_backward(std::int64_t rows, std::int64_t columns, const float* z, const float* y,
                             const float* dy, float* dz, std::vector<std::int64_t>& order);

}  // namespace nntrain::nn

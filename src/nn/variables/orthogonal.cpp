#include "nn/variables/orthogonal.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "nn/variables/axis_groups.h"

namespace nntrain::nn {

void orthogonal_matrix(std::int64_t rows, std::int64_t columns, const RandomStream& stream, double gain,
                       std::span<float> values) {
  const std::int64_t count = std::min(rows, columns);   // vectors
  const std::int64_t length = std::max(rows, columns);  // of each
  std::vector<double> vectors(static_cast<std::size_t>(count * length));
  for (std::size_t i = 0; i < vectors.size(); ++i) vectors[i] = stream.normal(0, i);
  const auto dot = [length](const double* a, const double* b) {
    return lane_sum(length, [=](std::int64_t i) { return a[i] * b[i]; });
  };
  // Gram-Schmidt, each vector twice ("twice is enough", Giraud et al. 2005).
  for (std::int64_t v = 0; v < count; ++v) {
    double* vector = vectors.data() + v * length;
    for (int pass = 0; pass < 2; ++pass) {
      for (std::int64_t u = 0; u < v; ++u) {
        const double* other = vectors.data() + u * length;
        const double overlap = dot(vector, other);
        for (std::int64_t i = 0; i < length; ++i) vector[i] -= overlap * other[i];
      }
    }
    const double norm = std::sqrt(dot(vector, vector));
    for (std::int64_t i = 0; i < length; ++i) vector[i] /= norm;
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      const std::int64_t from = rows < columns ? r * length + c : c * length + r;
      values[static_cast<std::size_t>(r * columns + c)] =
          static_cast<float>(gain * vectors[static_cast<std::size_t>(from)]);
    }
  }
}

}  // namespace nntrain::nn

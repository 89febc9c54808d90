#pragma once
// A random orthogonal matrix (Saxe, McClelland, Ganguli 2014): Q of the QR decomposition of a normal matrix.

#include <cstdint>
#include <span>

#include "core/random.h"

namespace nntrain::nn {

/// values (rows, columns) = gain * Q, with orthonormal rows or columns, whichever are fewer. float64 inside.
void orthogonal_matrix(std::int64_t rows, std::int64_t columns, const RandomStream& stream, double gain,
                       std::span<float> values);

}  // namespace nntrain::nn

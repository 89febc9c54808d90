#pragma once
// NPY files, version 1.0 (numpy.lib.format).

#include <string>

#include "core/shape.h"

namespace nntrain::io {

/// What stands before the values, float32 in C order, of an array of `shape`; its length is a multiple of 64.
std::string npy_header(const Shape& shape);

}  // namespace nntrain::io

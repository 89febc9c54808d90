#pragma once
// Arrays of float32, row-major; the first axis counts samples where they hold data.

#include <cstdint>
#include <span>
#include <vector>

namespace nntrain {

/// The caller's memory, read only.
struct ArrayView {
  std::span<const float> values;    ///< the product of `shape`
  std::vector<std::int64_t> shape;  ///< (rows, ...)
  bool empty() const { return shape.empty(); }
};

struct Array {
  std::vector<float> values;
  std::vector<std::int64_t> shape;
  operator ArrayView() const { return {values, shape}; }
};

/// Samples for training and evaluation. Class indices are whole floats; one-hot targets work wherever Keras
/// takes them. The first rank of each node gives all rows; the other ranks may give the same or leave
/// everything empty.
struct Data {
  ArrayView x;              ///< (rows, sample)
  ArrayView y;              ///< (rows) or (rows, ...)
  ArrayView sample_weight;  ///< (rows), >= 0; empty: all weigh 1
};

}  // namespace nntrain

#pragma once
// Axes of a sample: which elements a layer takes together, and sums over them in a fixed order.

#include <cstdint>
#include <vector>

#include "core/shape.h"

namespace nntrain::nn {

/// A sample as groups of `width` elements, one group for each place outside `axes`.
struct AxisGroups {
  Shape shape;             ///< extents along the axes
  std::int64_t width = 1;  ///< shape.size()
  std::int64_t count = 1;  ///< groups
  bool contiguous = true;  ///< group g is the elements g * width ..
  std::vector<std::int64_t>
      index;  ///< element k of group g is x[index[g * width + k]]; empty when contiguous

  /// `axes`: sorted, without the batch.
  AxisGroups(const Shape& sample, const std::vector<std::int64_t>& axes);
  AxisGroups() = default;

  /// Copies group `group` of `sample` to `target` (width), and back.
  void gather(const float* sample, std::int64_t group, float* target) const {
    const std::int64_t* at = index.data() + group * width;
    for (std::int64_t k = 0; k < width; ++k) target[k] = sample[at[k]];
  }
  void scatter(const float* source, std::int64_t group, float* sample) const {
    const std::int64_t* at = index.data() + group * width;
    for (std::int64_t k = 0; k < width; ++k) sample[at[k]] = source[k];
  }
};

/// For each element of a sample, its row-major place among the extents along `kept` (sorted).
std::vector<std::int64_t> kept_places(const Shape& sample, const std::vector<std::int64_t>& kept);

/// Sum of term(0) .. term(count - 1) in eight lanes and one fixed order, which depends on `count` alone.
template <class Term>
double lane_sum(std::int64_t count, Term term) {
  double lanes[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (std::int64_t k = 0; k < 8; ++k) lanes[k] += term(i + k);
  }
  for (std::int64_t k = 0; i + k < count; ++k) lanes[k] += term(i + k);
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

}  // namespace nntrain::nn

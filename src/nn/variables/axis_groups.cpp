#include "nn/variables/axis_groups.h"

#include <algorithm>

namespace nntrain::nn {

namespace {

bool contains(const std::vector<std::int64_t>& axes, std::int64_t axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

}  // namespace

AxisGroups::AxisGroups(const Shape& sample, const std::vector<std::int64_t>& axes) {
  std::vector<std::int64_t> extents;
  extents.reserve(axes.size());
  for (const std::int64_t axis : axes) extents.push_back(sample[axis]);
  shape = Shape(extents);
  width = shape.size();
  count = sample.size() / width;
  std::vector<std::int64_t> others;
  for (std::int64_t axis = 0; axis < sample.rank(); ++axis) {
    if (!contains(axes, axis)) others.push_back(axis);
  }
  contiguous = others.empty() || axes.empty() || others.back() < axes.front();
  if (contiguous) return;
  const std::vector<std::int64_t> inside = kept_places(sample, axes), outside = kept_places(sample, others);
  index.resize(inside.size());
  for (std::size_t i = 0; i < inside.size(); ++i) {
    index[static_cast<std::size_t>(outside[i] * width + inside[i])] = static_cast<std::int64_t>(i);
  }
}

std::vector<std::int64_t> kept_places(const Shape& sample, const std::vector<std::int64_t>& kept) {
  std::vector<std::int64_t> places(static_cast<std::size_t>(sample.size()), 0);
  std::int64_t inner = 1, stride = 1;
  for (std::int64_t axis = sample.rank() - 1; axis >= 0; --axis) {
    if (contains(kept, axis)) {
      for (std::size_t i = 0; i < places.size(); ++i) {
        places[i] += static_cast<std::int64_t>(i) / inner % sample[axis] * stride;
      }
      stride *= sample[axis];
    }
    inner *= sample[axis];
  }
  return places;
}

}  // namespace nntrain::nn

#include <algorithm>

#include "comm/exchange/exchange_layout.h"
#include "core/error.h"

namespace nntrain::comm {

std::vector<std::int64_t> allowed_cuts(std::span<const Extent> extents, std::int64_t floats) {
  std::vector<std::int64_t> cuts{0};
  for (const Extent& extent : extents) {
    if (extent.offset < cuts.back() || extent.size < 0 || extent.offset + extent.size > floats)
      throw RuntimeError("internal: the extents of the variables overlap or exceed the flat array");
    const std::int64_t step = extent.divisible ? kChunk : std::max<std::int64_t>(extent.size, 1);
    for (std::int64_t begin = 0; begin < extent.size; begin += step) cuts.push_back(extent.offset + begin);
  }
  cuts.push_back(floats);
  return cuts;
}

std::vector<Range> partition(std::span<const std::int64_t> cuts, Range whole, int parts) {
  std::vector<Range> ranges;
  std::int64_t begin = whole.begin;
  for (int part = 1; part <= parts; ++part) {
    const std::int64_t ideal =
        whole.begin + whole.count() / parts * part + whole.count() % parts * part / parts;
    const auto above = std::lower_bound(cuts.begin(), cuts.end(), ideal);
    std::int64_t end = above == cuts.end() ? whole.end : *above;
    if (above != cuts.begin() && ideal - *(above - 1) < end - ideal) end = *(above - 1);
    if (part == parts) end = whole.end;
    end = std::clamp(end, begin, whole.end);
    ranges.push_back({begin, end});
    begin = end;
  }
  return ranges;
}

std::vector<Range> partition(std::span<const Extent> extents, std::int64_t floats, int parts) {
  return partition(std::span<const std::int64_t>(allowed_cuts(extents, floats)), Range{0, floats}, parts);
}

}  // namespace nntrain::comm

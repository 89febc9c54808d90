#include <algorithm>

#include "nntrain/comm/exchange.h"
#include "nntrain/core/error.h"

namespace nntrain::comm {

namespace {

/// Every element at which a slice may begin, ascending; 0 and `floats` included.
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

}  // namespace

std::vector<Range> partition(std::span<const Extent> extents, std::int64_t floats, int parts) {
  const std::vector<std::int64_t> cuts = allowed_cuts(extents, floats);
  std::vector<Range> ranges;
  std::int64_t begin = 0;
  for (int part = 1; part <= parts; ++part) {
    const std::int64_t ideal = floats / parts * part + floats % parts * part / parts;
    const auto above = std::lower_bound(cuts.begin(), cuts.end(), ideal);
    std::int64_t end = above == cuts.end() ? floats : *above;
    if (above != cuts.begin() && ideal - *(above - 1) < end - ideal) end = *(above - 1);
    if (part == parts) end = floats;
    end = std::max(end, begin);
    ranges.push_back({begin, end});
    begin = end;
  }
  return ranges;
}

}  // namespace nntrain::comm

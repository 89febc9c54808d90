#include "comm/exchange/buckets.h"

#include <algorithm>

namespace nntrain::comm {

namespace {

/// Ranges that backward completes together, ascending. Backward goes from the last variable to the first, so
/// small variables (biases) join the one that is complete next.
std::vector<Range> groups_of(const ExchangeOptions& options, std::int64_t least) {
  std::vector<Range> groups;
  std::int64_t end = options.trainable_floats;
  for (std::size_t v = options.trainables.size(); v-- > 0;) {
    const std::int64_t begin = v == 0 ? 0 : options.trainables[v].offset;
    if (v > 0 && end - begin < least) continue;
    groups.push_back({begin, end});
    end = begin;
  }
  if (groups.empty()) groups.push_back({0, end});
  std::reverse(groups.begin(), groups.end());
  return groups;
}

}  // namespace

std::int64_t most_buckets(const ExchangeOptions& options) {
  return kMostMessages + static_cast<std::int64_t>(options.trainables.size()) + 1;
}

std::vector<Bucket> cut_into_buckets(const NodeMap& map, const ExchangeOptions& options) {
  const int parts = map.owners * map.nodes();
  const std::vector<std::int64_t> cuts = allowed_cuts(options.trainables, options.trainable_floats);
  std::vector<Range> ranges;
  if (map.nodes() == 1) {
    ranges.push_back({0, options.trainable_floats});
  } else {
    const std::int64_t wanted =
        std::max(parts * kMessageFloats, options.trainable_floats / kMostMessages + 1);
    for (const Range& group : groups_of(options, parts * kLeastMessageFloats)) {
      // Whole messages first and the rest last: equal cuts would lean to the same side in every bucket.
      std::int64_t begin = group.begin;
      while (group.end - begin > wanted) {
        const std::int64_t end = *std::lower_bound(cuts.begin(), cuts.end(), begin + wanted);
        if (end >= group.end) break;
        ranges.push_back({begin, end});
        begin = end;
      }
      ranges.push_back({begin, group.end});
    }
  }
  std::vector<Bucket> buckets;
  for (const Range& range : ranges) buckets.push_back({range, partition(std::span(cuts), range, parts)});
  return buckets;
}

std::vector<Range> homes_of_rank(const std::vector<Bucket>& buckets, const NodeMap& map, int node,
                                 int local_rank) {
  return steps_of_rank(buckets, map, node, local_rank, SumFormat::kFloat32);
}

std::vector<Range> steps_of_rank(const std::vector<Bucket>& buckets, const NodeMap& map, int node,
                                 int local_rank, SumFormat format) {
  std::vector<Range> ranges;
  for (const Bucket& bucket : buckets) {
    if (local_rank >= map.owners) {
      ranges.push_back({bucket.range.begin, bucket.range.begin});
      continue;
    }
    const auto first = bucket.pieces.begin() + std::int64_t{local_rank} * map.nodes();
    if (format == SumFormat::kBfloat16) {
      ranges.push_back({first->begin, (first + map.nodes() - 1)->end});
    } else {
      ranges.push_back(first[node]);
    }
  }
  return ranges;
}

}  // namespace nntrain::comm

#include "comm/exchange/exchange_layout.h"

#include <algorithm>

#include "comm/exchange/buckets.h"
#include "comm/session/node_barrier.h"
#include "core/error.h"

namespace nntrain::comm {

namespace {

constexpr std::int64_t kPage = 4096;

std::int64_t round_up(std::int64_t value, std::int64_t unit) { return (value + unit - 1) / unit * unit; }

}  // namespace

NodeMap::NodeMap(const std::vector<int>& leaders, int my_rank) : rank(my_rank) {
  for (int r = 0; r < static_cast<int>(leaders.size()); ++r) {
    if (r == 0 || leaders[static_cast<std::size_t>(r)] != leaders[static_cast<std::size_t>(r - 1)]) {
      sizes.push_back(0);
      firsts.push_back(r);
    }
    if (r == rank) {
      node = static_cast<int>(sizes.size()) - 1;
      local_rank = sizes.back();
    }
    ++sizes.back();
  }
  owners = *std::min_element(sizes.begin(), sizes.end());
}

std::vector<ShardRange> shard_nodes_of_ranks(const NodeMap& map, int node, int shards) {
  std::vector<ShardRange> all;
  const int first = map.firsts[static_cast<std::size_t>(node)];
  for (int r = first; r < first + map.sizes[static_cast<std::size_t>(node)]; ++r) {
    const auto nodes = covering_nodes(shards_of_rank(r, map.ranks(), shards), shards);
    all.insert(all.end(), nodes.begin(), nodes.end());
  }
  return all;
}

ShardRange shards_of_node(const NodeMap& map, int node, int shards) {
  const int first = map.firsts[static_cast<std::size_t>(node)];
  const int last = first + map.sizes[static_cast<std::size_t>(node)] - 1;
  return {shards_of_rank(first, map.ranks(), shards).begin, shards_of_rank(last, map.ranks(), shards).end};
}

std::vector<ShardRange> shard_nodes_of_node(const NodeMap& map, int node, int shards) {
  return covering_nodes(shards_of_node(map, node, shards), shards);
}

WindowLayout window_layout(const std::vector<ShardRange>& nodes, int local_size,
                           const ExchangeOptions& options) {
  constexpr auto kFloatBytes = static_cast<std::int64_t>(sizeof(float));
  const auto line = static_cast<std::int64_t>(kLine);
  WindowLayout layout;
  layout.published = static_cast<std::int64_t>(sizeof(BarrierState));
  layout.flags = layout.published + line;
  layout.stamps = layout.flags + 2 * local_size * line;
  layout.stamp_row_bytes =
      round_up(most_buckets(options) * static_cast<std::int64_t>(sizeof(std::uint32_t)), line);
  layout.values = round_up(layout.stamps + kStamps * local_size * layout.stamp_row_bytes, kPage);
  std::int64_t end = round_up(layout.values + options.total_floats * kFloatBytes, kPage);
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    layout.gradients.push_back(end);
    end = round_up(end + options.trainable_floats * kFloatBytes, kPage);
  }
  layout.total_bytes = end;
  return layout;
}

ChunkMap map_chunks(const std::vector<Extent>& extents, const std::vector<std::vector<Range>>& homes,
                    int my_rank) {
  std::vector<std::vector<Exchange::Chunk>> by_rank(homes.size());
  struct Home {
    Range range;
    std::size_t rank;
  };
  std::vector<Home> sorted;
  for (std::size_t r = 0; r < homes.size(); ++r)
    for (const Range& range : homes[r])
      if (range.count() > 0) sorted.push_back({range, r});
  std::sort(sorted.begin(), sorted.end(),
            [](const Home& a, const Home& b) { return a.range.begin < b.range.begin; });
  const auto owner_of = [&](std::int64_t place) {
    const auto after =
        std::upper_bound(sorted.begin(), sorted.end(), place,
                         [](std::int64_t at, const Home& home) { return at < home.range.begin; });
    if (after == sorted.begin() || place >= (after - 1)->range.end)
      throw RuntimeError("internal: a variable lies outside of all slices");
    return (after - 1)->rank;
  };
  for (std::size_t v = 0; v < extents.size(); ++v) {
    for (std::int64_t begin = 0; begin < extents[v].size; begin += kChunk) {
      const std::int64_t place = extents[v].offset + begin;
      by_rank[owner_of(place)].push_back(
          {static_cast<int>(v), place, std::min(kChunk, extents[v].size - begin)});
    }
  }
  ChunkMap map;
  map.rank_offsets.push_back(0);
  map.of_variable.resize(extents.size());
  struct Place {
    std::int64_t begin;
    int place;
  };
  std::vector<std::vector<Place>> places(extents.size());
  for (const auto& chunks : by_rank) {
    int place = map.rank_offsets.back();
    for (const Exchange::Chunk& chunk : chunks)
      places[static_cast<std::size_t>(chunk.variable)].push_back({chunk.begin, place++});
    map.rank_offsets.push_back(place);
  }
  for (std::size_t v = 0; v < extents.size(); ++v) {
    std::sort(places[v].begin(), places[v].end(),
              [](const Place& a, const Place& b) { return a.begin < b.begin; });
    for (const Place& p : places[v]) map.of_variable[v].push_back(p.place);
  }
  map.mine = std::move(by_rank[static_cast<std::size_t>(my_rank)]);
  return map;
}

}  // namespace nntrain::comm

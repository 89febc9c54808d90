#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>

#include "comm/exchange/exchange_implementation.h"
#include "core/error.h"

namespace nntrain::comm {

using Implementation = RankExchange::Implementation;

namespace {

void check_options(const ExchangeOptions& options) {
  if (options.shards < 1 || options.total_floats < 0 || options.trainable_floats < 0 ||
      options.trainable_floats > options.total_floats)
    throw RuntimeError("internal: the exchange was given impossible sizes");
}

std::vector<int> everybodys(MPI_Comm world, int ranks, int mine) {
  std::vector<int> all(static_cast<std::size_t>(ranks));
  check(MPI_Allgather(&mine, 1, MPI_INT, all.data(), 1, MPI_INT, world), "MPI_Allgather");
  return all;
}

/// The first rank that has something to say says it to all.
std::string first_text(MPI_Comm world, int ranks, int rank, std::string text) {
  const std::vector<int> lengths = everybodys(world, ranks, static_cast<int>(text.size()));
  const auto first = std::find_if(lengths.begin(), lengths.end(), [](int length) { return length > 0; });
  if (first == lengths.end()) return {};
  const int speaker = static_cast<int>(first - lengths.begin());
  if (rank != speaker) text.clear();
  text.resize(static_cast<std::size_t>(*first));
  check(MPI_Bcast(text.data(), *first, MPI_CHAR, speaker, world), "MPI_Bcast");
  return text;
}

Parts parts_by_node(const NodeMap& map, const std::vector<std::int64_t>& first_of_rank) {
  Parts parts;
  parts.offset = first_of_rank[static_cast<std::size_t>(map.rank)];
  parts.total = first_of_rank.back();
  for (int j = 0; j < map.nodes(); ++j) {
    const auto first = static_cast<std::size_t>(map.firsts[static_cast<std::size_t>(j)]);
    const auto end = first + static_cast<std::size_t>(map.sizes[static_cast<std::size_t>(j)]);
    parts.node_offsets.push_back(static_cast<int>(first_of_rank[first]));
    parts.node_counts.push_back(static_cast<int>(first_of_rank[end] - first_of_rank[first]));
  }
  for (std::size_t r = 0; r + 1 < first_of_rank.size(); ++r) {
    parts.rank_offsets.push_back(static_cast<int>(first_of_rank[r]));
    parts.rank_counts.push_back(static_cast<int>(first_of_rank[r + 1] - first_of_rank[r]));
  }
  return parts;
}

std::vector<int> leaders_of(const Session::Implementation& session) {
  std::vector<int> leaders;
  for (const int size : session.node_sizes)
    leaders.insert(leaders.end(), static_cast<std::size_t>(size), static_cast<int>(leaders.size()));
  return leaders;
}

}  // namespace

Implementation::Implementation(Session& the_session, const ExchangeOptions& the_options)
    : session(the_session.implementation()),
      options(the_options),
      map((check_options(options), open_window()), session.rank) {
  const auto clock = session.watch_inside_mpi("exchange");
  check(MPI_Comm_dup(session.world, &world), "MPI_Comm_dup");
  check(MPI_Comm_split(world, map.local_rank == 0 ? 0 : MPI_UNDEFINED, map.rank, &leaders), "MPI_Comm_split");
  local = shards_of_rank(map.rank, map.ranks(), options.shards);
  own_pieces();
  lay_out();
  plan_sums();
  plan_parts();
  check(MPI_Barrier(world), "MPI_Barrier");
}

Implementation::~Implementation() {
  for (const MPI_Comm own : {leaders, world}) {
    if (own != MPI_COMM_NULL) session.retired.push_back(own);
  }
}

/// Opens the node's window, or one for this rank alone; returns the first rank of every rank's node.
std::vector<int> Implementation::open_window() {
  const auto clock = session.watch_inside_mpi("exchange");
  const NodeMap wanted(leaders_of(session), session.rank);
  const auto bytes_for = [&](const NodeMap& nodes) {
    return window_layout(shard_nodes_of_ranks(nodes, nodes.node, options.shards), nodes.local_size(), options)
        .total_bytes;
  };
  node_ranks = session.node_ranks;
  const std::int64_t bytes = bytes_for(wanted);
  window = SharedWindow::create(node_ranks, bytes);
  std::string text;
  if (!window) {
    node_ranks = MPI_COMM_SELF;
    text = fmt::format(
        "host {}: values and gradients need {:.1f} MB of shared memory, {} has {:.1f} MB free; its ranks "
        "exchange by "
        "messages and keep private copies, which is slower. Make it larger (docker run --shm-size=..., or "
        "`mount -o "
        "remount,size=... /dev/shm`)",
        session.host, static_cast<double>(bytes) / 1e6, backing_directory(),
        static_cast<double>(shared_bytes_free()) / 1e6);
  }
  const int leader = window ? session.rank - session.local_rank : session.rank;
  std::vector<int> leaders_now = everybodys(session.world, session.size, leader);
  if (!window) window = SharedWindow::create(MPI_COMM_SELF, bytes_for(NodeMap(leaders_now, session.rank)));
  if (node_ranks != MPI_COMM_SELF && session.local_size > 1) session.windows.push_back(window);
  note = first_text(session.world, session.size, session.rank, std::move(text));
  return leaders_now;
}

void Implementation::own_pieces() {
  buckets = cut_into_buckets(map, options);
  std::vector<std::vector<Range>> rank_homes;
  for (int j = 0; j < map.nodes(); ++j) {
    for (int i = 0; i < map.sizes[static_cast<std::size_t>(j)]; ++i) {
      rank_homes.push_back(homes_of_rank(buckets, map, j, i));
      rank_pieces.push_back(steps_of_rank(buckets, map, j, i, options.wire));
    }
  }
  homes = rank_homes[static_cast<std::size_t>(map.rank)];
  summed = homes;
  chunks = map_chunks(options.trainables, rank_homes, map.rank);
  const std::vector<Range>& mine = rank_pieces[static_cast<std::size_t>(map.rank)];
  for (std::size_t b = 0; b < buckets.size(); ++b) {
    if (mine[b].count() == 0) continue;
    pieces.push_back(mine[b]);
    bucket_of_piece.push_back(b);
    owned_floats += mine[b].count();
  }
  states.resize(buckets.size());
  for (const Extent& extent : options.trainables) {
    for (std::size_t b = 0; b < buckets.size(); ++b) {
      const Range& range = buckets[b].range;
      states[b].variable_floats += std::max<std::int64_t>(
          0, std::min(range.end, extent.offset + extent.size) - std::max(range.begin, extent.offset));
    }
  }
}

void Implementation::lay_out() {
  const auto nodes = shard_nodes_of_ranks(map, map.node, options.shards);
  const WindowLayout layout = window_layout(nodes, map.local_size(), options);
  std::byte* base = window->data();
  const auto floats_at = [&](std::int64_t offset) { return reinterpret_cast<float*>(base + offset); };
  barrier = NodeBarrier(reinterpret_cast<BarrierState*>(base), map.local_size());
  waiter = Waiter(session.crowding, map.nodes() > 1 ? this : nullptr, &session.watch, &session.errand);
  published = reinterpret_cast<Published*>(base + layout.published);
  flag_lines = reinterpret_cast<FlagLine*>(base + layout.flags);
  stamps = base + layout.stamps;
  stamp_row_bytes = layout.stamp_row_bytes;
  values = {floats_at(layout.values), static_cast<std::size_t>(options.total_floats)};
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    node_gradients.push_back(floats_at(layout.gradients[k]));
    if (nodes[k].begin >= local.begin && nodes[k].end <= local.end)
      gradients.emplace_back(floats_at(layout.gradients[k]),
                             static_cast<std::size_t>(options.trainable_floats));
  }
  if (gradients.empty()) {  // no shards: nothing to add, but sums to make for the slices that this rank owns
    constexpr std::size_t kLineFloats = kLine / sizeof(float);
    own_sums = std::make_unique<float[]>(static_cast<std::size_t>(options.trainable_floats) + kLineFloats);
    const auto past = reinterpret_cast<std::uintptr_t>(own_sums.get()) / sizeof(float) % kLineFloats;
    sums = {own_sums.get() + (kLineFloats - past), static_cast<std::size_t>(options.trainable_floats)};
  } else {
    sums = gradients.front();
  }
}

void Implementation::plan_sums() {
  if (map.nodes() > 1 && map.is_owner()) {
    Peers::Plan plan;
    plan.world = world;
    plan.waiter = &session.waiter;
    plan.map = &map;
    plan.buckets = &buckets;
    plan.shards = options.shards;
    plan.format = options.wire;
    plan.node_gradients = node_gradients;
    plan.made = made;
    plan.make = &make;
    plan.sums = sums.data();
    plan.values = values.data();
    peers = std::make_unique<Peers>(plan);
  }
  if (!map.is_owner()) return;
  // On my node the ranks' own arrays, or what is made for them; from other nodes what arrives: one program
  // adds both in tree order.
  std::vector<ShardRange> nodes, nodes_alone;
  for (int j = 0; j < map.nodes(); ++j) {
    const auto whole = shard_nodes_of_node(map, j, options.shards);
    nodes_alone.insert(nodes_alone.end(), whole.begin(), whole.end());
    const auto part = j == map.node ? shard_nodes_of_ranks(map, j, options.shards) : whole;
    nodes.insert(nodes.end(), part.begin(), part.end());
  }
  total_inputs.assign(buckets.size(), {});
  for (std::size_t b = 0; b < buckets.size(); ++b) {
    std::vector<const float*>& inputs = total_inputs[b];
    states[b].made = peers != nullptr && peers->makes_sums(b);
    for (int j = 0; j < map.nodes(); ++j) {
      if (j == map.node && !states[b].made) {
        for (const float* array : node_gradients) inputs.push_back(array + homes[b].begin);
      } else {
        const auto parts = peers->sums_of_node(b, j);
        inputs.insert(inputs.end(), parts.begin(), parts.end());
      }
    }
  }
  const ShardRange all{0, options.shards};
  total = SumProgram(nodes, std::span(&all, 1), options.shards, options.wire);
  total_of_nodes = SumProgram(nodes_alone, std::span(&all, 1), options.shards, options.wire);
}

void Implementation::plan_parts() {
  std::vector<std::int64_t> first_shard;
  for (int r = 0; r < map.ranks(); ++r)
    first_shard.push_back(shards_of_rank(r, map.ranks(), options.shards).begin);
  first_shard.push_back(options.shards);
  tree_parts = parts_by_node(map, first_shard);
  scaled_parts = tree_parts;
  chunk_parts = parts_by_node(map, {chunks.rank_offsets.begin(), chunks.rank_offsets.end()});
  std::size_t longest = static_cast<std::size_t>(options.shards);
  for (const auto& places : chunks.of_variable) longest = std::max(longest, places.size());
  leaves.resize(longest);
}

}  // namespace nntrain::comm

#include "comm/exchange/peers.h"

#include <algorithm>

namespace nntrain::comm {

namespace {

constexpr int kFlagsTag = 1;
constexpr int kFirstBucketTag = 2;  // two tags a bucket: buckets may overtake one another

int sums_tag(std::size_t bucket) { return kFirstBucketTag + 2 * static_cast<int>(bucket); }
int results_tag(std::size_t bucket) { return sums_tag(bucket) + 1; }

}  // namespace

Range Peers::home(const Plan& plan, std::size_t bucket, int j) const {
  const int place = plan.map->local_rank * plan.map->nodes() + j;
  return (*plan.buckets)[bucket].pieces[static_cast<std::size_t>(place)];
}

Peers::Peers(const Plan& plan)
    : waiter_(plan.waiter),
      make_(plan.make),
      format_(plan.format),
      partial_(shard_nodes_of_ranks(*plan.map, plan.map->node, plan.shards),
               shard_nodes_of_node(*plan.map, plan.map->node, plan.shards), plan.shards, plan.format) {
  const NodeMap& map = *plan.map;
  their_flags_.resize(static_cast<std::size_t>(map.nodes()));
  buckets_.resize(plan.buckets->size());
  for (std::size_t b = 0; b < buckets_.size(); ++b) {
    buckets_[b].of_node.resize(static_cast<std::size_t>(map.nodes()));
    plan_own(plan, b);
  }
  // Each node begins with its right neighbour, so that no rank is everybody's first receiver.
  for (int d = 1; d < map.nodes(); ++d) {
    const int j = (map.node + d) % map.nodes();
    flags_out_.plan_send(&my_flags_, 1, MPI_UINT32_T, map.peer(j), kFlagsTag, plan.world);
    flags_in_.plan_receive(&their_flags_[static_cast<std::size_t>(j)], 1, MPI_UINT32_T, map.peer(j),
                           kFlagsTag, plan.world);
    for (std::size_t b = 0; b < buckets_.size(); ++b) {
      plan_sends(plan, b, j);
      plan_receives(plan, b, j);
      plan_results(plan, b, j);
    }
  }
}

float* Peers::room_for_floats(std::int64_t count) {
  return float_room_.emplace_back(static_cast<std::size_t>(count)).data();
}

Peers::Packed Peers::room_for_halves(const float* floats, std::int64_t count) {
  return {const_cast<float*>(floats), half_room_.emplace_back(static_cast<std::size_t>(count)).data(), count};
}

void Peers::plan_own(const Plan& plan, std::size_t bucket) {
  Own& own = buckets_[bucket].own;
  own.range = {home(plan, bucket, 0).begin, home(plan, bucket, plan.map->nodes() - 1).end};
  std::int64_t done = own.range.begin;
  for (const Range& made : plan.made) {
    const Range part{std::max(made.begin, own.range.begin), std::min(made.end, own.range.end)};
    if (part.count() <= 0) continue;
    own.makes = true;
    if (part.begin > done) own.added.push_back({done - own.range.begin, part.begin - own.range.begin});
    done = part.end;
  }
  if (!own.makes) return;
  if (done < own.range.end) own.added.push_back({done - own.range.begin, own.range.count()});
  for (const float* array : plan.node_gradients) own.inputs.push_back(array + own.range.begin);
  const std::int64_t my_home = home(plan, bucket, plan.map->node).begin - own.range.begin;
  for (int k = 0; k < partial_.outputs(); ++k) {
    own.sums.push_back(room_for_floats(own.range.count()));
    buckets_[bucket].of_node[static_cast<std::size_t>(plan.map->node)].push_back(own.sums.back() + my_home);
  }
}

void Peers::plan_sends(const Plan& plan, std::size_t bucket, int j) {
  Traffic& traffic = buckets_[bucket];
  const Range theirs = home(plan, bucket, j);
  const int to = plan.map->peer(j);
  if (traffic.own.makes) {
    for (const float* sums : traffic.own.sums)
      traffic.sums_out.plan_send(sums + (theirs.begin - traffic.own.range.begin), theirs.count(), MPI_FLOAT,
                                 to, sums_tag(bucket), plan.world);
    return;
  }
  Outgoing out;
  out.count = theirs.count();
  for (const float* array : plan.node_gradients) out.inputs.push_back(array + theirs.begin);
  for (int k = 0; k < partial_.outputs(); ++k) {
    // A sum that repeats one rank's array leaves from that array, without a copy.
    const int input = partial_.only_input(k);
    out.outputs.push_back(input < 0 ? room_for_floats(out.count) : nullptr);
    const float* from = input < 0 ? out.outputs.back() : out.inputs[static_cast<std::size_t>(input)];
    if (format_ == SumFormat::kFloat32) {
      traffic.sums_out.plan_send(from, out.count, MPI_FLOAT, to, sums_tag(bucket), plan.world);
    } else {
      out.packed.push_back(room_for_halves(from, out.count));
      traffic.sums_out.plan_send(out.packed.back().halves, out.count, MPI_UINT16_T, to, sums_tag(bucket),
                                 plan.world);
    }
  }
  traffic.outgoing.push_back(std::move(out));
}

void Peers::plan_receives(const Plan& plan, std::size_t bucket, int j) {
  Traffic& traffic = buckets_[bucket];
  const std::int64_t count = home(plan, bucket, plan.map->node).count();
  const int from = plan.map->peer(j);
  for (std::size_t k = 0; k < shard_nodes_of_node(*plan.map, j, plan.shards).size(); ++k) {
    float* into = room_for_floats(count);
    traffic.of_node[static_cast<std::size_t>(j)].push_back(into);
    if (format_ == SumFormat::kFloat32) {
      traffic.sums_in.plan_receive(into, count, MPI_FLOAT, from, sums_tag(bucket), plan.world);
    } else {
      traffic.packed_sums_in.push_back(room_for_halves(into, count));
      traffic.sums_in.plan_receive(traffic.packed_sums_in.back().halves, count, MPI_UINT16_T, from,
                                   sums_tag(bucket), plan.world);
    }
  }
}

void Peers::plan_results(const Plan& plan, std::size_t bucket, int j) {
  Traffic& traffic = buckets_[bucket];
  const Range mine = home(plan, bucket, plan.map->node);
  const Range theirs = home(plan, bucket, j);
  const int peer = plan.map->peer(j);
  const int tag = results_tag(bucket);
  if (format_ == SumFormat::kFloat32) {
    traffic.results_in.plan_receive(plan.values + theirs.begin, theirs.count(), MPI_FLOAT, peer, tag,
                                    plan.world);
    traffic.results_out.plan_send(plan.values + mine.begin, mine.count(), MPI_FLOAT, peer, tag, plan.world);
    return;
  }
  if (traffic.packed_result_out.halves == nullptr)
    traffic.packed_result_out = room_for_halves(plan.sums + mine.begin, mine.count());
  traffic.results_out.plan_send(traffic.packed_result_out.halves, mine.count(), MPI_UINT16_T, peer, tag,
                                plan.world);
  traffic.packed_results_in.push_back(room_for_halves(plan.sums + theirs.begin, theirs.count()));
  traffic.results_in.plan_receive(traffic.packed_results_in.back().halves, theirs.count(), MPI_UINT16_T, peer,
                                  tag, plan.world);
}

std::span<const float* const> Peers::sums_of_node(std::size_t bucket, int j) const {
  return buckets_[bucket].of_node[static_cast<std::size_t>(j)];
}

void Peers::expect_sums() {
  flags_in_.start(*waiter_);
  // In the order in which backward completes them: a message that finds its receive first in the list is
  // cheap.
  for (std::size_t b = buckets_.size(); b-- > 0;) buckets_[b].sums_in.start(*waiter_);
}

void Peers::send_sums(std::size_t bucket) {
  Traffic& traffic = buckets_[bucket];
  traffic.sums_out.wait(*waiter_);
  if (const Own& own = traffic.own; own.makes && !own.sums.empty()) {
    (*make_)(own.range, own.sums);
    for (const Range& part : own.added) partial_.run(own.inputs, own.sums, part.begin, part.end);
  }
  for (const Outgoing& out : traffic.outgoing) {
    partial_.run(out.inputs, out.outputs, 0, out.count);
    for (const Packed& packed : out.packed) packed.pack();
  }
  traffic.sums_out.start(*waiter_);
}

bool Peers::sums_have_left(std::size_t bucket) { return buckets_[bucket].sums_out.have_ended(); }

bool Peers::sums_have_arrived(std::size_t bucket) {
  if (!buckets_[bucket].sums_in.have_ended()) return false;
  for (const Packed& packed : buckets_[bucket].packed_sums_in) packed.unpack();
  return true;
}

void Peers::expect_results() {
  for (Traffic& traffic : buckets_) traffic.results_in.start(*waiter_);
}

void Peers::send_results(std::size_t bucket) {
  Traffic& traffic = buckets_[bucket];
  traffic.results_out.wait(*waiter_);
  if (traffic.packed_result_out.halves != nullptr) traffic.packed_result_out.pack();
  traffic.results_out.start(*waiter_);
}

bool Peers::results_have_arrived(std::size_t bucket) {
  if (!buckets_[bucket].results_in.have_ended()) return false;
  for (const Packed& packed : buckets_[bucket].packed_results_in) packed.unpack();
  return true;
}

void Peers::finish_results() {
  for (Traffic& traffic : buckets_) traffic.results_out.wait(*waiter_);
}

void Peers::send_flags(std::uint32_t flags) {
  flags_out_.wait(*waiter_);
  my_flags_ = flags;
  flags_out_.start(*waiter_);
}

bool Peers::flags_have_arrived() { return flags_in_.have_ended(); }

std::uint32_t Peers::joined_flags() const {
  std::uint32_t joined = my_flags_;
  for (const std::uint32_t theirs : their_flags_) joined |= theirs;
  return joined;
}

}  // namespace nntrain::comm

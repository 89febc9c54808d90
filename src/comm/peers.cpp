#include "comm/peers.h"

#include <algorithm>

namespace nntrain::comm {

namespace {

constexpr int kFlagsTag = 1;
constexpr int kSumsTag = 2;
constexpr int kValuesTag = 3;
constexpr std::int64_t kPieceFloats = kPieceBytes / static_cast<std::int64_t>(sizeof(float));

void start(std::span<MPI_Request> requests) {
  if (requests.empty()) return;
  check(MPI_Startall(static_cast<int>(requests.size()), requests.data()), "MPI_Startall");
}

void wait(std::span<MPI_Request> requests) {
  if (requests.empty()) return;
  check(MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
}

// Messages of one kind between two ranks keep their order, so pieces need no tags of their own.
void plan_send(const float* from, std::int64_t count, int to, int tag, MPI_Comm world,
               std::vector<MPI_Request>& list) {
  for (std::int64_t begin = 0; begin < count; begin += kPieceFloats) {
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Send_init(from + begin, static_cast<int>(std::min(kPieceFloats, count - begin)), MPI_FLOAT, to,
                        tag, world, &request),
          "MPI_Send_init");
    list.push_back(request);
  }
}

void plan_receive(float* into, std::int64_t count, int from, int tag, MPI_Comm world,
                  std::vector<MPI_Request>& list) {
  for (std::int64_t begin = 0; begin < count; begin += kPieceFloats) {
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Recv_init(into + begin, static_cast<int>(std::min(kPieceFloats, count - begin)), MPI_FLOAT,
                        from, tag, world, &request),
          "MPI_Recv_init");
    list.push_back(request);
  }
}

Range slice_of(const Peers::Plan& plan, int rank) { return (*plan.slices)[static_cast<std::size_t>(rank)]; }

}  // namespace

Peers::Peers(const Plan& plan)
    : partial_(shard_nodes_of_ranks(*plan.map, plan.map->node, plan.shards),
               shard_nodes_of_node(*plan.map, plan.map->node, plan.shards), plan.shards) {
  const NodeMap& map = *plan.map;
  std::int64_t outgoing = 0;
  std::int64_t incoming = 0;
  const std::int64_t mine = slice_of(plan, map.rank).count();
  for (int j = 0; j < map.nodes(); ++j) {
    if (j == map.node) continue;
    for (int k = 0; k < partial_.outputs(); ++k)
      if (partial_.only_input(k) < 0) outgoing += slice_of(plan, map.peer(j)).count();
    incoming += mine * static_cast<std::int64_t>(shard_nodes_of_node(map, j, plan.shards).size());
  }
  outgoing_room_.resize(static_cast<std::size_t>(outgoing));
  incoming_room_.resize(static_cast<std::size_t>(incoming));
  outgoing_end_ = outgoing_room_.data();
  incoming_end_ = incoming_room_.data();
  arriving_.resize(static_cast<std::size_t>(map.nodes()));
  their_flags_.resize(static_cast<std::size_t>(map.nodes()));
  // Each node begins with its right neighbour, so that no rank is everybody's first receiver.
  for (int d = 1; d < map.nodes(); ++d) {
    const int j = (map.node + d) % map.nodes();
    plan_sends(plan, j);
    plan_receives(plan, j);
    plan_values(plan, j);
  }
}

void Peers::plan_sends(const Plan& plan, int j) {
  const int to = plan.map->peer(j);
  const Range theirs = slice_of(plan, to);
  MPI_Request flags = MPI_REQUEST_NULL;
  check(MPI_Send_init(&my_flags_, 1, MPI_UINT32_T, to, kFlagsTag, plan.world, &flags), "MPI_Send_init");
  flag_sends_.push_back(flags);

  Peer peer;
  peer.count = theirs.count();
  peer.first_send = sum_sends_.size();
  for (const float* array : plan.node_gradients) peer.inputs.push_back(array + theirs.begin);
  for (int k = 0; k < partial_.outputs(); ++k) {
    const int input = partial_.only_input(k);
    float* output = nullptr;
    if (input < 0) {
      output = outgoing_end_;
      outgoing_end_ += peer.count;
    }
    peer.outputs.push_back(output);
    const float* from = input < 0 ? output : peer.inputs[static_cast<std::size_t>(input)];
    plan_send(from, peer.count, to, kSumsTag, plan.world, sum_sends_);
  }
  peer.end_send = sum_sends_.size();
  peers_.push_back(std::move(peer));
}

void Peers::plan_receives(const Plan& plan, int j) {
  const int from = plan.map->peer(j);
  const std::int64_t mine = slice_of(plan, plan.map->rank).count();
  MPI_Request flags = MPI_REQUEST_NULL;
  check(MPI_Recv_init(&their_flags_[static_cast<std::size_t>(j)], 1, MPI_UINT32_T, from, kFlagsTag,
                      plan.world, &flags),
        "MPI_Recv_init");
  sum_receives_.push_back(flags);
  for (std::size_t k = 0; k < shard_nodes_of_node(*plan.map, j, plan.shards).size(); ++k) {
    plan_receive(incoming_end_, mine, from, kSumsTag, plan.world, sum_receives_);
    arriving_[static_cast<std::size_t>(j)].push_back(incoming_end_);
    incoming_end_ += mine;
  }
}

void Peers::plan_values(const Plan& plan, int j) {
  const int peer = plan.map->peer(j);
  const Range mine = slice_of(plan, plan.map->rank);
  const Range theirs = slice_of(plan, peer);
  plan_receive(plan.values + theirs.begin, theirs.count(), peer, kValuesTag, plan.world, value_requests_);
  plan_send(plan.values + mine.begin, mine.count(), peer, kValuesTag, plan.world, value_requests_);
}

Peers::~Peers() {
  int ended = 0;
  if (MPI_Finalized(&ended) != MPI_SUCCESS || ended != 0) return;
  for (auto* list : {&flag_sends_, &sum_sends_, &sum_receives_, &value_requests_})
    for (MPI_Request& request : *list) MPI_Request_free(&request);
}

void Peers::expect_sums() {
  finish_sums();  // of a reduce() that no share() followed
  start(sum_receives_);
}

std::uint32_t Peers::trade_sums(std::uint32_t flags) {
  my_flags_ = flags;
  start(flag_sends_);
  for (const Peer& peer : peers_) {
    partial_.run(peer.inputs, peer.outputs, 0, peer.count);
    start(std::span(sum_sends_).subspan(peer.first_send, peer.end_send - peer.first_send));
  }
  wait(sum_receives_);
  std::uint32_t joined = flags;
  for (const std::uint32_t theirs : their_flags_) joined |= theirs;
  return joined;
}

void Peers::finish_sums() {
  wait(flag_sends_);
  wait(sum_sends_);
}

void Peers::trade_values() {
  start(value_requests_);
  wait(value_requests_);
}

}  // namespace nntrain::comm

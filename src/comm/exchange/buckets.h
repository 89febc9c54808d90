#pragma once
// Buckets: the trainable array cut into ranges that cross the network one by one, so that the first leave
// while backward still works on the others. Plain arithmetic, no MPI calls.

#include <vector>

#include "comm/exchange/exchange.h"
#include "comm/exchange/exchange_layout.h"

namespace nntrain::comm {

/// Floats of one message, about: 56 KiB. Open MPI sends up to 64 KiB (TCP; its headers included) without
/// asking the receiver first. What needs no answer flows while both sides compute; what needs one waits for
/// the next MPI call of each side.
constexpr std::int64_t kMessageFloats = 14 * kChunk;
/// Larger models have larger messages instead of more of them: what was sent without asking may lie in
/// buffers.
constexpr std::int64_t kMostMessages = 512;
/// A bucket that would give each rank less waits for the next variable, unless there is none.
constexpr std::int64_t kLeastMessageFloats = 2 * kChunk;

/// One bucket: everything below is the same on every rank.
struct Bucket {
  Range range;
  std::vector<Range> pieces;  ///< piece i * nodes + j: local index i on node j steps it, or sums it
};

/// No layout of ranks has more buckets.
std::int64_t most_buckets(const ExchangeOptions& options);

/// Ascending; a partition of [0, options.trainable_floats). One bucket on one node: nothing crosses a
/// network. Bucket bounds and piece bounds lie where partition() may cut.
std::vector<Bucket> cut_into_buckets(const NodeMap& map, const ExchangeOptions& options);

/// What a rank sums over all shards: one range a bucket, empty where it owns nothing.
std::vector<Range> homes_of_rank(const std::vector<Bucket>& buckets, const NodeMap& map, int node,
                                 int local_rank);
/// What a rank steps: its homes when values cross the network (kFloat32); with kBfloat16 sums do, and each
/// node steps everything: the homes of its local index on all nodes, which are neighbours.
std::vector<Range> steps_of_rank(const std::vector<Bucket>& buckets, const NodeMap& map, int node,
                                 int local_rank, SumFormat format);

}  // namespace nntrain::comm

#include <algorithm>
#include <string>

#include "comm/exchange/exchange_implementation.h"
#include "comm/session/collective.h"
#include "core/error.h"

namespace nntrain::comm {

using Implementation = RankExchange::Implementation;

double* Scratch::half(Session::Implementation& session, MPI_Comm node_ranks, MPI_Comm world,
                      std::int64_t doubles) {
  if (doubles > capacity_) {
    const auto clock = session.watch_inside_mpi("shared memory");
    const std::int64_t wanted = std::max<std::int64_t>(2 * doubles, 4096);
    const std::int64_t bytes = 2 * wanted * static_cast<std::int64_t>(sizeof(double));
    // create() synchronises the ranks, so nobody reads the old window any more when it is freed.
    std::shared_ptr<SharedWindow> larger;
    if (!private_) {
      larger = SharedWindow::create(node_ranks, bytes);
      int everywhere = larger ? 1 : 0;
      check(MPI_Allreduce(MPI_IN_PLACE, &everywhere, 1, MPI_INT, MPI_MIN, world), "MPI_Allreduce");
      private_ = everywhere == 0;
      if (private_ && larger) larger->free();
    }
    if (window_) {
      window_->free();
      std::erase(session.windows, window_);
    }
    if (private_) larger = SharedWindow::create(MPI_COMM_SELF, bytes);
    window_ = std::move(larger);
    capacity_ = wanted;
    int sharers = 1;
    check(MPI_Comm_size(private_ ? MPI_COMM_SELF : node_ranks, &sharers), "MPI_Comm_size");
    if (sharers > 1) session.windows.push_back(window_);
  }
  parity_ = 1 - parity_;
  return reinterpret_cast<double*>(window_->data()) + parity_ * capacity_;
}

const double* Implementation::join(std::span<const double> mine, const Parts& parts) {
  double* all = scratch.half(session, node_ranks, world, parts.total);
  std::copy(mine.begin(), mine.end(), all + parts.offset);
  const auto gather = [&](MPI_Comm ranks, const std::vector<int>& counts, const std::vector<int>& offsets) {
    await(session.waiter, "MPI_Iallgatherv", [&](MPI_Request* request) {
      return MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, counts.data(), offsets.data(),
                             MPI_DOUBLE, ranks, request);
    });
  };
  if (scratch.is_private()) {
    gather(world, parts.rank_counts, parts.rank_offsets);
    return all;
  }
  barrier.arrive_and_wait(waiter);
  if (map.nodes() > 1) {
    if (leaders != MPI_COMM_NULL) gather(leaders, parts.node_counts, parts.node_offsets);
    barrier.arrive_and_wait(waiter);
  }
  return all;
}

void Implementation::scale_parts(std::int64_t width) {
  scaled_parts.offset = tree_parts.offset * width;
  scaled_parts.total = tree_parts.total * width;
  const auto scale = [width](const std::vector<int>& from, std::vector<int>& to) {
    for (std::size_t i = 0; i < from.size(); ++i) to[i] = static_cast<int>(from[i] * width);
  };
  scale(tree_parts.node_counts, scaled_parts.node_counts);
  scale(tree_parts.node_offsets, scaled_parts.node_offsets);
  scale(tree_parts.rank_counts, scaled_parts.rank_counts);
  scale(tree_parts.rank_offsets, scaled_parts.rank_offsets);
}

void RankExchange::prepare_sums(std::int64_t width) {
  Implementation& e = *impl_;
  const std::int64_t doubles = std::max(width * e.tree_parts.total, e.chunk_parts.total);
  if (doubles == 0) return;
  const bool was_private = e.scratch.is_private();
  e.scratch.half(e.session, e.node_ranks, e.world, doubles);
  if (!e.scratch.is_private() || was_private) return;
  e.note +=
      std::string(e.note.empty() ? "" : "; ") + "no room for sums over ranks in " + backing_directory() +
      ": ranks send them to one another, which is slower. Make it larger (docker run --shm-size=..., or "
      "`mount -o remount,size=... /dev/shm`)";
}

void RankExchange::tree_sum(std::span<const double> per_shard, std::span<double> total) {
  Implementation& e = *impl_;
  const std::size_t width = total.size();
  if (width == 0) return;
  if (per_shard.size() != width * static_cast<std::size_t>(e.local.count()))
    throw RuntimeError("internal: tree_sum got a wrong number of values for the shards of this rank");
  e.scale_parts(static_cast<std::int64_t>(width));
  const double* all = e.join(per_shard, e.scaled_parts);  // (shards, width)
  const auto shards = static_cast<std::size_t>(e.options.shards);
  for (std::size_t column = 0; column < width; ++column) {
    for (std::size_t s = 0; s < shards; ++s) e.leaves[s] = all[s * width + column];
    total[column] = nntrain::tree_sum(std::span<const double>(e.leaves).first(shards));
  }
}

void RankExchange::chunk_sums(std::span<const double> chunks, std::span<double> per_variable) {
  Implementation& e = *impl_;
  if (chunks.size() != e.chunks.mine.size() || per_variable.size() != e.chunks.of_variable.size())
    throw RuntimeError("internal: chunk_sums got a wrong number of chunks or variables");
  if (e.chunks.total() == 0) {
    std::fill(per_variable.begin(), per_variable.end(), 0.0);
    return;
  }
  const double* all = e.join(chunks, e.chunk_parts);
  for (std::size_t v = 0; v < per_variable.size(); ++v) {
    const std::vector<int>& places = e.chunks.of_variable[v];
    for (std::size_t k = 0; k < places.size(); ++k) e.leaves[k] = all[places[k]];
    per_variable[v] = nntrain::tree_sum(std::span<const double>(e.leaves).first(places.size()));
  }
}

namespace {

constexpr int kSlicesTag = 11;
/// Taken from a rank while it still lies in the cache, and no more memory than that.
constexpr std::int64_t kPieceFloats = std::int64_t{1} << 20;

template <class Transfer>
void in_pieces(std::int64_t count, const Transfer& transfer) {
  for (std::int64_t begin = 0; begin < count; begin += kPieceFloats)
    transfer(begin, static_cast<int>(std::min(kPieceFloats, count - begin)));
}

std::int64_t total_count(const std::vector<Range>& ranges) {
  std::int64_t count = 0;
  for (const Range& range : ranges) count += range.count();
  return count;
}

/// Does rank 0 take a rank's pieces? With kBfloat16 every node steps everything: its own node's do.
bool root_takes_from(const Implementation& e, int rank) {
  return !e.sends_sums_only() || rank < e.map.sizes.front();
}

/// On rank 0: receives the pieces of rank `r` and hands them on.
void take_from(const Implementation& e, int r, const RankExchange::TakeRange& take) {
  const std::vector<Range>& ranges = e.rank_pieces[static_cast<std::size_t>(r)];
  const std::int64_t total = total_count(ranges);
  std::vector<float> piece(static_cast<std::size_t>(std::min(total, kPieceFloats)));
  auto range = ranges.begin();
  std::int64_t taken = 0;  // of *range
  in_pieces(total, [&](std::int64_t, int count) {
    await(e.session.waiter, "MPI_Irecv", [&](MPI_Request* request) {
      return MPI_Irecv(piece.data(), count, MPI_FLOAT, r, kSlicesTag, e.world, request);
    });
    for (std::int64_t done = 0; done < count;) {
      const std::int64_t begin = range->begin + taken;
      const std::int64_t floats = std::min(range->end - begin, count - done);
      if (floats > 0) take({begin, begin + floats}, piece.data() + done);
      done += floats;
      taken += floats;
      if (taken < range->count()) continue;
      ++range;
      taken = 0;
    }
  });
}

}  // namespace

std::vector<float> RankExchange::gather_slices(std::span<const float> mine) {
  std::vector<float> whole;
  if (impl_->map.rank == 0) whole.resize(static_cast<std::size_t>(impl_->options.trainable_floats));
  gather_slices(mine, [&](const Range& range, const float* values) {
    std::copy_n(values, range.count(), whole.data() + range.begin);
  });
  return whole;
}

void RankExchange::gather_slices(std::span<const float> mine, const TakeRange& take) {
  const Implementation& e = *impl_;
  if (static_cast<std::int64_t>(mine.size()) != e.owned_floats)
    throw RuntimeError("internal: gather_slices got an array of another length than the pieces");
  if (e.map.rank != 0) {
    if (!root_takes_from(e, e.map.rank)) return;
    in_pieces(e.owned_floats, [&](std::int64_t begin, int count) {
      await(e.session.waiter, "MPI_Isend", [&](MPI_Request* request) {
        return MPI_Isend(mine.data() + begin, count, MPI_FLOAT, 0, kSlicesTag, e.world, request);
      });
    });
    return;
  }
  for (int r = 0; r < e.map.ranks(); ++r) {
    if (!root_takes_from(e, r)) continue;
    if (r != 0) {
      take_from(e, r, take);
      continue;
    }
    const float* from = mine.data();
    for (const Range& range : e.rank_pieces.front()) {
      take(range, from);
      from += range.count();
    }
  }
}

void RankExchange::scatter_slices(std::span<const float> whole_on_root, std::span<float> mine) {
  const Implementation& e = *impl_;
  if (static_cast<std::int64_t>(mine.size()) != e.owned_floats)
    throw RuntimeError("internal: scatter_slices got an array of another length than the pieces");
  if (e.map.rank != 0) {
    in_pieces(e.owned_floats, [&](std::int64_t begin, int count) {
      await(e.session.waiter, "MPI_Irecv", [&](MPI_Request* request) {
        return MPI_Irecv(mine.data() + begin, count, MPI_FLOAT, 0, kSlicesTag, e.world, request);
      });
    });
    return;
  }
  if (static_cast<std::int64_t>(whole_on_root.size()) != e.options.trainable_floats)
    throw RuntimeError(
        "internal: scatter_slices got an array of another length than the trainable variables");
  std::vector<float> part;
  for (int r = 0; r < e.map.ranks(); ++r) {
    const std::vector<Range>& ranges = e.rank_pieces[static_cast<std::size_t>(r)];
    part.resize(static_cast<std::size_t>(total_count(ranges)));
    float* into = r == 0 ? mine.data() : part.data();
    for (const Range& range : ranges)
      into = std::copy_n(whole_on_root.data() + range.begin, range.count(), into);
    if (r == 0) continue;
    in_pieces(total_count(ranges), [&](std::int64_t begin, int count) {
      await(e.session.waiter, "MPI_Isend", [&](MPI_Request* request) {
        return MPI_Isend(part.data() + begin, count, MPI_FLOAT, r, kSlicesTag, e.world, request);
      });
    });
  }
}

}  // namespace nntrain::comm

#pragma once
// Samples that are read from disk while a node's ranks use them: block after block of a pass over them, into
// a ring of memory that the ranks share. A thread of one rank reads, ahead of the slowest rank by the ring; a
// rank that comes too early sleeps until it is told.
//
// Bits do not depend on it: rows come in the Sampler's order, as from memory. Every row is read once a pass;
// a pass that begins in the middle reads the rows of its first window again, and nothing before.
//
// Where nodes share (block_share.h), each reads some of the blocks and has the others from their readers.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "core/background_job.h"
#include "data/array_source.h"
#include "data/batch.h"
#include "data/block_ring.h"
#include "data/block_share.h"
#include "data/sampler.h"
#include "data/stream_shape.h"

namespace nntrain::data {

class BlockStream {
 public:
  /// `memory` (shape.memory_bytes(), aligned to 64) is the same on all ranks of the node and outlives the
  /// stream; several streams may have it, of which one at a time has begun. `source`, with has_rows(): on the
  /// one rank of the node that reads, null on the others. `mail`, where nodes share: outlives the stream.
  BlockStream(StreamShape shape, std::span<std::byte> memory, int rank, std::unique_ptr<ArraySource> source,
              BlockMail* mail = nullptr);
  ~BlockStream();
  BlockStream(const BlockStream&) = delete;
  BlockStream& operator=(const BlockStream&) = delete;

  /// Called again and again while gather() waits longer than a second, with the seconds waited: the process
  /// that reads may be stopped.
  void on_long_wait(std::function<void(double seconds)> look) { long_wait_ = std::move(look); }

  /// Reading begins at `position` of the order `sampler`, of the file or of these blocks; `pass` names it. On
  /// all ranks, between two barriers of the node, and after all streams of this memory were stopped, and
  /// their mail has ended.
  void begin(const Sampler& sampler, std::int64_t pass, std::int64_t position);
  /// Is `position` what comes next in `pass`? Then there is nothing to begin. The same on all ranks.
  bool stands_at(std::int64_t pass, std::int64_t position) const;
  /// No rank wants rows of this pass any more. On all ranks.
  void stop();

  /// data::gather of the data set. Waits until the rows are there; positions ascend from call to call. False,
  /// and zeros, when the reader failed.
  bool gather(std::int64_t position, std::int64_t count, float scale, float* out);
  /// This rank wants no position below `position` any more. Every rank after each mini-batch, or another
  /// waits for ever.
  void release(std::int64_t position);
  /// Throws what this node's reader failed of, if it did. Another node's failure is told there.
  void check() const;
  /// Where nodes share: to be called whenever this rank waits for others, from the barrier after begin() to
  /// stop(). Local, and never waits.
  void attend();

 private:
  std::int64_t places() const { return shape_.blocks.count(); }
  std::int64_t window() const;
  std::int64_t place_of(std::int64_t position) const;
  std::int64_t position_of(std::int64_t place) const;
  std::int64_t block_of(std::int64_t place) const;
  std::int64_t bytes_of(std::int64_t place) const;
  bool wait_for(std::int64_t place);
  void copy(std::int64_t position, std::int64_t count, float scale, float* out) const;
  bool is_read_here(std::int64_t place) const { return !share_ || share_->is_read_here(place); }
  void read_ahead(std::int64_t place);
  void read_block(std::int64_t place);

  StreamShape shape_;
  BlockRing ring_;
  int rank_;
  std::unique_ptr<ArraySource> source_;
  std::function<void(double)> long_wait_;
  std::optional<Sampler> sampler_;  ///< empty: nothing has begun
  std::optional<BlockShare> share_;
  std::int64_t pass_ = 0, next_ = 0;
  BackgroundJob job_;  // last: ends before what it uses
};

}  // namespace nntrain::data

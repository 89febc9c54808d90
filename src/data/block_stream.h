#pragma once
// Samples that are read from disk while a node's ranks use them: block after block of a pass over them, into
// a ring of memory that the ranks share. A thread of one rank reads, ahead of the slowest rank by the ring; a
// rank that comes too early sleeps until it is told.
//
// Bits do not depend on it: rows come in the Sampler's order, as from memory. Every row is read once a pass;
// a pass that begins in the middle reads the rows of its first window again, and nothing before.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "core/background_job.h"
#include "data/array_source.h"
#include "data/batch.h"
#include "data/sampler.h"

namespace nntrain::data {

struct StreamShape {
  Element element = Element::kFloat32;
  std::int64_t sample_size = 0;  ///< values per sample
  std::int64_t first = 0;        ///< row of the source at which the data set begins
  RowBlocks blocks{1, 1};        ///< what is read at a time; those of the samplers, where they mix blocks
  std::int64_t slots = 2;  ///< blocks in memory: a window at least, and from there on reading runs ahead
  int ranks = 1;           ///< of the node

  std::int64_t row_bytes() const;
  std::int64_t block_bytes() const;   ///< of a slot
  std::int64_t memory_bytes() const;  ///< of the ring, and of what the ranks tell one another in it
};

class BlockStream {
 public:
  /// `memory` (shape.memory_bytes(), aligned to 64) is the same on all ranks of the node and outlives the
  /// stream; several streams may have it, of which one at a time has begun. `source`, with has_rows(): on the
  /// one rank that reads, null on the others.
  BlockStream(StreamShape shape, std::span<std::byte> memory, int rank, std::unique_ptr<ArraySource> source);
  ~BlockStream();
  BlockStream(const BlockStream&) = delete;
  BlockStream& operator=(const BlockStream&) = delete;

  /// Called again and again while gather() waits longer than a second, with the seconds waited: the process
  /// that reads may be stopped.
  void on_long_wait(std::function<void(double seconds)> look) { long_wait_ = std::move(look); }

  /// Reading begins at `position` of the order `sampler`, of the file or of these blocks; `pass` names it. On
  /// all ranks, between two barriers of the node, and after all streams of this memory were stopped.
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
  /// Throws what the reader failed of, if it did.
  void check() const;

 private:
  struct Control;
  std::int64_t places() const { return shape_.blocks.count(); }
  std::int64_t window() const;
  std::int64_t place_of(std::int64_t position) const;
  std::int64_t position_of(std::int64_t place) const;
  std::byte* slot(std::int64_t place) const;
  std::int64_t* wanted(int rank) const;
  std::int64_t slowest() const;
  void want(std::int64_t place);
  template <class Ready>
  bool wait_a_moment(const Ready& is_ready) const;
  bool wait_for(std::int64_t place) const;
  void copy(std::int64_t position, std::int64_t count, float scale, float* out) const;
  void read_ahead(std::int64_t place);
  bool wait_for_room(std::int64_t place) const;
  void read_block(std::int64_t place);
  void report(int kind, const char* what);

  StreamShape shape_;
  Control* control_;
  std::byte* ring_;
  int rank_;
  std::unique_ptr<ArraySource> source_;
  std::function<void(double)> long_wait_;
  std::optional<Sampler> sampler_;  ///< empty: nothing has begun
  std::int64_t pass_ = 0, next_ = 0;
  BackgroundJob job_;  // last: ends before what it uses
};

}  // namespace nntrain::data

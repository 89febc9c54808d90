#pragma once
// Private to src/data: the memory of a node for blocks that are read from disk, and what the node's processes
// tell one another of them.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "data/stream_shape.h"

namespace nntrain::data {

/// Blocks of a pass are counted in the order in which they are used: places. Place p lies in slot
/// p % shape.slots, after place p - shape.slots.
class BlockRing {
 public:
  enum Failure : int {
    kNone,
    kInput,
    kRuntime,
    kElsewhere  ///< on another node, which says what it was
  };

  /// `memory`: shape.memory_bytes(), aligned to 64, the same on all ranks of the node.
  BlockRing(const StreamShape& shape, std::span<std::byte> memory);
  /// By one rank, before any other uses the ring.
  void create();
  /// A pass begins at `place`: no block is there, and every rank wants them all. By one rank, while no other
  /// uses the ring.
  void begin(std::int64_t place);
  /// wait_for_room() ends.
  void stop();

  std::byte* slot(std::int64_t place) const { return slots_ + place % count_ * block_bytes_; }

  /// Places below it are in memory, or were.
  std::int64_t ready() const;
  /// Where nodes share: are the rows of this place in its slot?
  bool holds(std::int64_t place) const;
  /// The place's rows are in its slot.
  void add(std::int64_t place);
  /// Where nodes share: no message writes or reads the place's slot any more.
  void settle(std::int64_t place);
  /// The first place that a rank still wants.
  void want(int rank, std::int64_t place);
  /// Is the place's slot free for it?
  bool has_room(std::int64_t place) const;
  /// Until it is; false when the pass was given up.
  bool wait_for_room(std::int64_t place) const;
  /// Until `is_ready` or something has failed; false after `seconds` without either.
  bool wait_a_moment(double seconds, const std::function<bool()>& is_ready) const;

  /// `place`: what could not be read; of no meaning for kElsewhere.
  void fail(Failure kind, const char* what, std::int64_t place);
  int failure() const;
  /// The place that this node could not read; -1: none.
  std::int64_t failed_place() const;
  const char* message() const;

 private:
  struct Control;
  class Lock;
  using Place = std::atomic<std::int64_t>;

  Place& wanted(int rank) const;
  std::int64_t slowest() const;

  Control* control_;
  std::byte* lines_;  ///< one a rank: what it wants
  int ranks_;
  std::int64_t count_, block_bytes_;
  Place* held_ = nullptr;     ///< where nodes share, a slot each: the place that was added last
  Place* settled_ = nullptr;  ///< and the one that no message touches any more
  std::byte* slots_;
};

}  // namespace nntrain::data

#pragma once
// Private to src/data, but for BlockMail: several nodes read each block once, together. The blocks of a pass
// are dealt over the nodes, a function of the place and the order alone; each node reads and decompresses its
// own and sends them to all others, from ring to ring. So every node has all rows of a window, whichever its
// ranks need, and the files are read once an epoch.
//
// Messages are the ranks' main threads' business, a few blocks each: MPI may be called by no other thread. A
// rank that computes looks after them with each mini-batch; a rank that waits, for whatever it is, must
// attend() meanwhile, or all wait for ever. Then the first place that is not yet everywhere always comes on:
// the place before it in its slot is everywhere, so every rank can pass it, and every message of it ends.

#include <cstdint>
#include <functional>
#include <map>
#include <span>

#include "data/block_ring.h"

namespace nntrain::data {

/// Messages between ranks, which go on by themselves. Those from one rank to another arrive in the order in
/// which they were sent and asked for.
class BlockMail {
 public:
  using Ended = std::function<void(std::int64_t ticket, std::int64_t bytes)>;
  virtual ~BlockMail() = default;
  /// The bytes stay what they are, and where, until look() tells the ticket.
  virtual void send(int rank, std::span<const std::byte> bytes, std::int64_t ticket) = 0;
  virtual void receive(int rank, std::span<std::byte> bytes, std::int64_t ticket) = 0;
  /// Calls `ended` for each message that has ended since, with the bytes that were sent or have arrived.
  virtual void look(const Ended& ended) = 0;
};

class BlockShare {
 public:
  /// All of them outlive it. `bytes_of`: of the rows of a place.
  BlockShare(const StreamShape& shape, int local_rank, BlockRing& ring, BlockMail& mail,
             std::function<std::int64_t(std::int64_t place)> bytes_of);

  /// A pass over places [begin, end); `run` of them in a row are one node's. After the messages of the pass
  /// before have all ended.
  void begin(std::int64_t begin, std::int64_t end, std::int64_t run);
  /// Is the place read here?
  bool is_read_here(std::int64_t place) const { return node_of(place) == node_; }
  /// Sends what is there and asks for what has room. Local, and never waits.
  void attend();

 private:
  std::int64_t nodes() const { return static_cast<std::int64_t>(sizes_.size()); }
  int node_of(std::int64_t place) const { return static_cast<int>(place / run_ % nodes()); }
  int rank_of(int node, std::int64_t place) const;
  bool is_my_business(std::int64_t place) const { return rank_of(node_, place) == rank_; }
  void end(std::int64_t place, std::int64_t bytes);
  void send_what_is_read();
  void ask_for_what_has_room();

  std::vector<int> sizes_, firsts_;  ///< ranks of each node, and the first of them
  int node_, rank_;
  BlockRing& ring_;
  BlockMail& mail_;
  std::function<std::int64_t(std::int64_t)> bytes_of_;
  std::int64_t to_send_ = 0, to_ask_ = 0, end_ = 0, run_ = 1;
  std::map<std::int64_t, int> leaving_;  ///< places that are being sent: messages that have not ended
};

}  // namespace nntrain::data

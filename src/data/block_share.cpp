#include "data/block_share.h"

#include <numeric>

namespace nntrain::data {

BlockShare::BlockShare(const StreamShape& shape, int local_rank, BlockRing& ring, BlockMail& mail,
                       std::function<std::int64_t(std::int64_t place)> bytes_of)
    : sizes_(shape.nodes),
      firsts_(shape.nodes.size()),
      node_(shape.node),
      ring_(ring),
      mail_(mail),
      bytes_of_(std::move(bytes_of)) {
  std::exclusive_scan(sizes_.begin(), sizes_.end(), firsts_.begin(), 0);
  rank_ = firsts_[static_cast<std::size_t>(node_)] + local_rank;
}

void BlockShare::begin(std::int64_t begin, std::int64_t end, std::int64_t run) {
  to_send_ = to_ask_ = begin;
  end_ = end;
  run_ = run;
  leaving_.clear();
}

/// The rank that sends or receives the place on this node.
int BlockShare::rank_of(int node, std::int64_t place) const {
  const auto n = static_cast<std::size_t>(node);
  return firsts_[n] + static_cast<int>(place / nodes() % sizes_[n]);
}

void BlockShare::attend() {
  mail_.look([this](std::int64_t place, std::int64_t bytes) { end(place, bytes); });
  send_what_is_read();
  ask_for_what_has_room();
}

void BlockShare::end(std::int64_t place, std::int64_t bytes) {
  if (is_read_here(place)) {
    const auto left = leaving_.find(place);
    if (--left->second > 0) return;
    leaving_.erase(left);
    ring_.settle(place);
  } else if (bytes == bytes_of_(place)) {
    ring_.settle(place);
    ring_.add(place);
  } else {  // nothing in place of the rows: they could not be read
    ring_.fail(BlockRing::kElsewhere, "", place);
  }
}

void BlockShare::send_what_is_read() {
  for (; to_send_ < end_; ++to_send_) {
    if (!is_read_here(to_send_) || !is_my_business(to_send_)) continue;
    const bool failed = ring_.failed_place() == to_send_;
    if (!failed && !ring_.holds(to_send_)) return;
    const auto bytes = failed ? std::size_t{0} : static_cast<std::size_t>(bytes_of_(to_send_));
    leaving_[to_send_] = static_cast<int>(nodes()) - 1;
    for (std::int64_t i = 1; i < nodes(); ++i) {  // no node is everybody's first
      const int node = static_cast<int>((node_ + i) % nodes());
      mail_.send(rank_of(node, to_send_), {ring_.slot(to_send_), bytes}, to_send_);
    }
  }
}

void BlockShare::ask_for_what_has_room() {
  for (; to_ask_ < end_; ++to_ask_) {
    if (is_read_here(to_ask_) || !is_my_business(to_ask_)) continue;
    if (!ring_.has_room(to_ask_)) return;
    mail_.receive(rank_of(node_of(to_ask_), to_ask_),
                  {ring_.slot(to_ask_), static_cast<std::size_t>(bytes_of_(to_ask_))}, to_ask_);
  }
}

}  // namespace nntrain::data

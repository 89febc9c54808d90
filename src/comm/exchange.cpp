#include "nntrain/comm/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "comm/exchange_implementation.h"
#include "nntrain/core/error.h"

namespace nntrain::comm {

using Implementation = Exchange::Implementation;

Exchange::Exchange(Session& session, const ExchangeOptions& options)
    : impl_(std::make_unique<Implementation>(session, options)) {}
Exchange::~Exchange() = default;

std::span<float> Exchange::values() { return impl_->values; }
bool Exchange::private_values() const { return impl_->map.local_size() < impl_->session.local_size; }
ShardRange Exchange::local_shards() const { return impl_->local; }
const std::vector<std::span<float>>& Exchange::gradient_nodes() { return impl_->gradients; }
Range Exchange::slice() const { return impl_->slice(); }
const std::vector<Range>& Exchange::slices() const { return impl_->slices; }
const std::vector<Exchange::Chunk>& Exchange::my_chunks() const { return impl_->chunks.mine; }
const std::string& Exchange::note() const { return impl_->note; }
double Exchange::seconds_waiting() const { return impl_->waiter.seconds(); }
void Exchange::on_wait(WaitListener listener) { impl_->waiter.on_wait = std::move(listener); }

void Exchange::leave_to_owners(std::span<const Range> ranges) {
  Implementation& e = *impl_;
  if (e.map.nodes() > 1) throw RuntimeError("internal: owners make whole sums on one node only");
  std::vector<Range> left = e.summed;
  for (const Range& range : ranges) {
    const Range cut{range.begin - e.slice().begin, range.end - e.slice().begin};
    std::vector<Range> rest;
    for (const Range& part : left) {
      const Range before{part.begin, std::min(part.end, cut.begin)}, after{std::max(part.begin, cut.end), part.end};
      if (before.count() > 0) rest.push_back(before);
      if (after.count() > 0) rest.push_back(after);
    }
    left = std::move(rest);
  }
  e.summed = std::move(left);
}

// The place where messages to other nodes will start while backward goes on; within a node there is nothing
// to move.
void Exchange::complete(std::int64_t /*offset*/, std::int64_t /*size*/) {}

std::uint32_t Implementation::join_flags_of_node(std::uint32_t parity) const {
  std::uint32_t joined = 0;
  const FlagLine* lines = flag_lines + parity * static_cast<std::uint32_t>(map.local_size());
  for (int i = 0; i < map.local_size(); ++i) joined |= lines[i].bits;
  return joined;
}

std::span<float> Exchange::reduce(StepFlags& flags) {
  Implementation& e = *impl_;
  ++e.generation;
  // Two sets of words in turn: a fast rank writes the next step's while a slow one still reads this step's.
  const std::uint32_t parity = e.generation % 2;
  e.flag_lines[static_cast<int>(parity) * e.map.local_size() + e.map.local_rank].bits = flags.bits;
  if (e.peers) e.peers->expect_sums();
  e.barrier.arrive_and_wait(e.waiter);
  flags.bits = e.join_flags_of_node(parity);
  if (e.peers) {
    flags.bits = e.peers->trade_sums(flags.bits);
    if (e.map.local_rank == 0) {
      e.published->flags[parity] = flags.bits;
      e.published->generation.store(e.generation, std::memory_order_release);
    }
  } else if (e.map.nodes() > 1) {
    e.waiter.until([&] { return e.published->generation.load(std::memory_order_acquire) == e.generation; });
    flags.bits = e.published->flags[parity];
  }
  const Range mine = e.slice();
  for (const Range& range : e.summed) e.total.run(e.total_inputs, e.total_output, range.begin, range.end);
  return {e.total_output[0], static_cast<std::size_t>(mine.count())};
}

void Exchange::share() {
  Implementation& e = *impl_;
  if (e.peers) {
    e.peers->finish_sums();
    e.peers->trade_values();
  }
  e.barrier.arrive_and_wait(e.waiter);
}

}  // namespace nntrain::comm

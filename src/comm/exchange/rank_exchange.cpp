#include "comm/exchange/rank_exchange.h"

#include <algorithm>
#include <utility>

#include "comm/exchange/exchange_implementation.h"
#include "core/error.h"

namespace nntrain::comm {

using Implementation = RankExchange::Implementation;

RankExchange::RankExchange(Session& session, const ExchangeOptions& options)
    : impl_(std::make_unique<Implementation>(session, options)) {}
RankExchange::~RankExchange() = default;

std::span<float> RankExchange::values() { return impl_->values; }
bool RankExchange::shares_values() const { return impl_->map.local_size() > 1; }
bool RankExchange::private_values() const { return impl_->map.local_size() < impl_->session.local_size; }
ShardRange RankExchange::local_shards() const { return impl_->local; }
const std::vector<std::span<float>>& RankExchange::gradient_nodes() { return impl_->gradients; }
const std::vector<Range>& RankExchange::pieces() const { return impl_->pieces; }
std::int64_t RankExchange::owned_floats() const { return impl_->owned_floats; }
std::span<float> RankExchange::sums() { return impl_->sums; }
const std::vector<Exchange::Chunk>& RankExchange::my_chunks() const { return impl_->chunks.mine; }
const std::string& RankExchange::note() const { return impl_->note; }
double RankExchange::seconds_waiting() const { return impl_->waiter.seconds(); }
void RankExchange::on_wait(WaitListener listener) { impl_->waiter.on_wait = std::move(listener); }
void RankExchange::await_values(std::int64_t end) { impl_->await_values(end); }
void RankExchange::settle() { impl_->settle(); }

void RankExchange::leave_to_owners(std::span<const Range> ranges) {
  Implementation& e = *impl_;
  if (e.map.nodes() > 1) throw RuntimeError("internal: owners make whole sums on one node only");
  for (const Range& range : ranges) {
    std::vector<Range> rest;
    for (const Range& part : e.summed) {
      const Range before{part.begin, std::min(part.end, range.begin)},
          after{std::max(part.begin, range.end), part.end};
      if (before.count() > 0) rest.push_back(before);
      if (after.count() > 0) rest.push_back(after);
    }
    e.summed = std::move(rest);
  }
}

bool RankExchange::can_make_node_sums() const {
  const NodeMap& map = impl_->map;
  // Owners make what all ranks would have made. Where nodes are of unequal size, those without slices idle.
  const bool all_work = 4 * map.local_size() <= 5 * map.owners;
  return map.nodes() > 1 && map.local_size() > 1 && all_work && !impl_->sends_sums_only();
}

void RankExchange::make_node_sums(std::span<const Range> ranges, MakeNodeSums make) {
  if (!can_make_node_sums()) throw RuntimeError("internal: the owners of this node cannot make its sums");
  impl_->made.assign(ranges.begin(), ranges.end());
  impl_->make = std::move(make);
  impl_->plan_sums();
}

void RankExchange::complete(std::int64_t offset, std::int64_t size) {
  Implementation& e = *impl_;
  if (e.map.nodes() == 1) return;  // nothing to move
  e.open_step();
  const auto first =
      std::upper_bound(e.buckets.begin(), e.buckets.end(), offset,
                       [](std::int64_t at, const Bucket& bucket) { return at < bucket.range.end; });
  for (auto b = static_cast<std::size_t>(first - e.buckets.begin()); b < e.buckets.size(); ++b) {
    const Range& range = e.buckets[b].range;
    if (range.begin >= offset + size) break;
    e.states[b].missing -= std::min(range.end, offset + size) - std::max(range.begin, offset);
    if (e.states[b].missing <= 0) e.mark_complete(b);
  }
  e.progress();
}

void RankExchange::reduce(StepFlags mine) {
  Implementation& e = *impl_;
  e.open_step();
  e.reduced = true;
  if (e.map.nodes() > 1)
    for (std::size_t b = 0; b < e.buckets.size(); ++b) e.mark_complete(b);
  // Two sets of words in turn: a fast rank writes the next step's while a slow one still reads this step's.
  const std::uint32_t parity = e.generation % 2;
  e.flag_lines[static_cast<int>(parity) * e.map.local_size() + e.map.local_rank].bits = mine.bits;
  e.barrier.arrive_and_wait(e.waiter);
  e.joined_flags = e.join_flags_of_node(parity);
  if (!e.peers) return;
  e.peers->send_flags(e.joined_flags);
  if (!e.sends_sums_only()) {
    e.peers->finish_results();  // of the last step: my pieces of the values may change
    e.peers->expect_results();  // nobody on this node reads old values any more
  }
  e.progress();  // all have completed everything: every sum leaves now
}

void RankExchange::await_sum(std::size_t index) {
  Implementation& e = *impl_;
  const std::size_t bucket = e.bucket_of_piece[index];
  const BucketState& state = e.states[bucket];
  if (!e.peers) {
    if (!state.summed) e.sum_bucket(bucket);
    return;
  }
  e.waiter.until([&] { return e.sends_sums_only() ? state.result : state.summed; });
}

StepFlags RankExchange::flags() {
  impl_->learn_flags();
  return {impl_->joined_flags};
}

StepFlags RankExchange::share() {
  Implementation& e = *impl_;
  StepFlags flags;
  if (e.map.nodes() == 1) {
    if (e.reduced) flags.bits = e.joined_flags;
    e.barrier.arrive_and_wait(e.waiter);
    e.step_is_open = e.reduced = false;
    return flags;
  }
  if (!e.reduced) {
    e.settle();
    ++e.generation;
    if (e.peers && !e.sends_sums_only()) e.peers->expect_results();
  }
  if (e.peers) {
    if (e.reduced)
      e.waiter.until([&] { return e.to_sum == 0 && (!e.sends_sums_only() || e.to_result == 0); });
    for (std::size_t b = 0; !e.sends_sums_only() && b < e.buckets.size(); ++b) e.peers->send_results(b);
  }
  if (e.reduced) {
    e.learn_flags();
    flags.bits = e.joined_flags;
    // Owners have made my node's sums, so what they are made of may change.
    if (e.make) e.waiter.until([&] { return e.all_have(Stamp::kMade, e.map.owners, 0); });
  }
  e.step_is_open = e.reduced = false;
  e.shared = true;
  e.to_result = e.known_new = 0;
  e.progress();
  return flags;
}

}  // namespace nntrain::comm

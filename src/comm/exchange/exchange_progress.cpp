// The course of a step on several nodes: what is due is done whenever this rank comes by, from complete(),
// from a wait, from a barrier. docs/exchange.md says why each move is safe.

#include <algorithm>

#include "comm/exchange/exchange_implementation.h"

namespace nntrain::comm {

using Implementation = RankExchange::Implementation;

std::atomic<std::uint32_t>& Implementation::stamp(int local_rank, Stamp kind, std::size_t bucket) const {
  std::byte* row = stamps + (local_rank * kStamps + static_cast<int>(kind)) * stamp_row_bytes;
  return reinterpret_cast<std::atomic<std::uint32_t>*>(row)[bucket];
}

/// Have local ranks [0, ranks) stamped the bucket in this step?
bool Implementation::all_have(Stamp kind, int ranks, std::size_t bucket) const {
  for (int r = 0; r < ranks; ++r)
    if (stamp(r, kind, bucket).load(std::memory_order_acquire) != generation) return false;
  return true;
}

std::uint32_t Implementation::join_flags_of_node(std::uint32_t parity) const {
  std::uint32_t joined = 0;
  const FlagLine* lines = flag_lines + parity * static_cast<std::uint32_t>(map.local_size());
  for (int i = 0; i < map.local_size(); ++i) joined |= lines[i].bits;
  return joined;
}

void Implementation::open_step() {
  if (step_is_open) return;
  await_values(options.trainable_floats);
  step_is_open = true;
  knows_flags = map.nodes() == 1;  // reduce() joins a node's
  ++generation;
  session.watch.at_step(generation);
  for (BucketState& state : states) {
    state.missing = state.variable_floats;
    state.complete = state.summed = state.result = false;
  }
  to_send = to_sum = to_result = buckets.size();
  if (!peers) return;
  peers->expect_sums();
  if (sends_sums_only()) peers->expect_results();
}

/// Of all nodes; in a step, after reduce().
void Implementation::learn_flags() {
  if (knows_flags) return;
  knows_flags = true;
  const std::uint32_t parity = generation % 2;
  if (!peers) {
    waiter.until([&] { return published->generation.load(std::memory_order_acquire) == generation; });
    joined_flags = published->flags[parity];
    return;
  }
  waiter.until([&] { return peers->flags_have_arrived(); });
  joined_flags = peers->joined_flags();
  if (map.local_rank != 0) return;
  published->flags[parity] = joined_flags;
  published->generation.store(generation, std::memory_order_release);
}

void Implementation::mark_complete(std::size_t bucket) {
  if (states[bucket].complete) return;
  states[bucket].complete = true;
  stamp(map.local_rank, Stamp::kComplete, bucket).store(generation, std::memory_order_release);
}

/// Everything of my home of the bucket is here: the sum goes into my own memory, where nobody else reads that
/// part.
void Implementation::sum_bucket(std::size_t bucket) {
  const Range& home = homes[bucket];
  float* const output = sums.data() + home.begin;
  SumProgram& program = states[bucket].made ? total_of_nodes : total;
  for (const Range& range : summed) {
    const Range part{std::max(range.begin, home.begin), std::min(range.end, home.end)};
    if (part.count() > 0)
      program.run(total_inputs[bucket], std::span(&output, 1), part.begin - home.begin,
                  part.end - home.begin);
  }
  states[bucket].summed = true;
}

/// My node's sums of the buckets that all of its ranks have completed leave. Returns the time of making them.
std::chrono::steady_clock::duration Implementation::send_complete() {
  const auto is_due = [&] {
    return to_send > 0 && all_have(Stamp::kComplete, map.local_size(), to_send - 1);
  };
  if (!is_due()) return {};
  const auto start = std::chrono::steady_clock::now();
  for (; is_due(); --to_send) peers->send_sums(to_send - 1);
  if (!make) return {};
  if (to_send == 0) stamp(map.local_rank, Stamp::kMade, 0).store(generation, std::memory_order_release);
  return std::chrono::steady_clock::now() - start;
}

std::chrono::steady_clock::duration Implementation::progress() {
  if (!peers) return {};
  std::chrono::steady_clock::duration worked{};
  if (step_is_open) {
    worked = send_complete();
    for (; to_sum > to_send && peers->sums_have_arrived(to_sum - 1); --to_sum) {
      sum_bucket(to_sum - 1);
      if (sends_sums_only()) peers->send_results(to_sum - 1);
    }
    if (sends_sums_only()) {
      for (; to_result > to_sum && peers->results_have_arrived(to_result - 1); --to_result)
        states[to_result - 1].result = true;
    }
  } else if (shared) {
    // The bucket is new, and what it was made of may be overwritten: my messages with sums of it have left.
    while (to_result < buckets.size() && peers->sums_have_left(to_result) &&
           (sends_sums_only() || peers->results_have_arrived(to_result))) {
      stamp(map.local_rank, Stamp::kNew, to_result).store(generation, std::memory_order_release);
      ++to_result;
    }
  }
  // Open MPI moves data only inside MPI calls. A small message that it has buffered for us may still wait for
  // this rank, while the rank that we wait for waits for that message's receiver.
  int found = 0;
  check(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, world, &found, MPI_STATUS_IGNORE), "MPI_Iprobe");
  return worked;
}

void Implementation::await_values(std::int64_t end) {
  if (!shared) return;
  if (known_new < buckets.size()) progress();  // also when these are here: others are on their way
  for (; known_new < buckets.size() && buckets[known_new].range.begin < end; ++known_new)
    waiter.until([&] { return all_have(Stamp::kNew, map.owners, known_new); });
}

void Implementation::settle() {
  if (!shared) return;
  await_values(options.trainable_floats);
  if (peers) peers->finish_results();
  barrier.arrive_and_wait(waiter);
  shared = false;
}

}  // namespace nntrain::comm

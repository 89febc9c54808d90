// The exchange alone against MPI_Allreduce: what every data-parallel trainer needs at each step, without a
// model.
//   mpirun -np 2 build/release/tests/benchmarks/exchange_benchmark [FLOATS=1149010] [ROUNDS=300]
// One JSON object on rank 0: medians in milliseconds. `reduce` and `share` are barriers, sums and messages;
// `step` is SGD on the rank's own part (all of it after MPI_Allreduce); `gb_per_s` is memory read and written
// by the sums of one rank. NNTRAIN_RANKS_PER_NODE=1 makes it messages instead of shared memory.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "comm/exchange/rank_exchange.h"
#include "comm/session/mpi_call.h"

namespace {

using nntrain::comm::check;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

void step(float* values, const float* sums, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) values[i] -= 0.01F * sums[i];
}

struct Times {
  std::vector<double> reduce, step, share, total;
};

Times time_exchange(nntrain::comm::Session& session, std::int64_t floats, int rounds) {
  nntrain::comm::ExchangeOptions options;
  options.shards = session.size();
  options.total_floats = options.trainable_floats = floats;
  options.trainables = {{0, floats, true}};
  nntrain::comm::RankExchange exchange(session, options);
  Times times;
  for (int round = 0; round < rounds; ++round) {
    for (const auto& array : exchange.gradient_nodes()) std::fill(array.begin(), array.end(), 1.0F);
    session.barrier();
    const auto start = Clock::now();
    exchange.reduce({});
    for (std::size_t k = exchange.pieces().size(); k-- > 0;) exchange.await_sum(k);
    times.reduce.push_back(milliseconds_since(start));
    const auto reduced = Clock::now();
    for (const auto& piece : exchange.pieces())
      step(exchange.values().data() + piece.begin, exchange.sums().data() + piece.begin, piece.count());
    times.step.push_back(milliseconds_since(reduced));
    const auto stepped = Clock::now();
    exchange.share();
    exchange.await_values(floats);
    times.share.push_back(milliseconds_since(stepped));
    times.total.push_back(milliseconds_since(start));
  }
  exchange.settle();
  return times;
}

Times time_allreduce(nntrain::comm::Session& session, std::int64_t floats, int rounds) {
  std::vector<float> values(static_cast<std::size_t>(floats)), gradients(values.size(), 1.0F),
      sums(values.size());
  Times times;
  for (int round = 0; round < rounds; ++round) {
    std::fill(gradients.begin(), gradients.end(), 1.0F);
    session.barrier();
    const auto start = Clock::now();
    check(MPI_Allreduce(gradients.data(), sums.data(), static_cast<int>(floats), MPI_FLOAT, MPI_SUM,
                        MPI_COMM_WORLD),
          "MPI_Allreduce");
    times.reduce.push_back(milliseconds_since(start));
    const auto reduced = Clock::now();
    step(values.data(), sums.data(), floats);
    times.step.push_back(milliseconds_since(reduced));
    times.total.push_back(milliseconds_since(start));
  }
  return times;
}

}  // namespace

int main(int argc, char** argv) {
  nntrain::comm::Session session(argc, argv);
  const std::int64_t floats = argc > 1 ? std::atoll(argv[1]) : 1149010;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 300;
  const Times ours = time_exchange(session, floats, rounds);
  const Times theirs = time_allreduce(session, floats, rounds);
  session.close();
  if (!session.is_root()) return 0;
  const double ranks = session.size();
  // A rank reads its part of every rank's array and writes it once.
  const double bytes = 4.0 * static_cast<double>(floats) / ranks * (ranks + 1);
  const double quickest = *std::min_element(ours.reduce.begin(), ours.reduce.end());
  fmt::print(
      "{{\"ranks\": {}, \"nodes\": {}, \"floats\": {}, \"rounds\": {},\n"
      " \"exchange_ms\": {{\"reduce\": {:.4f}, \"step\": {:.4f}, \"share\": {:.4f}, \"total\": {:.4f}}},\n"
      " \"allreduce_ms\": {{\"allreduce\": {:.4f}, \"step\": {:.4f}, \"total\": {:.4f}}},\n"
      " \"times_faster\": {:.2f}, \"reduce_gb_per_s\": {{\"median\": {:.1f}, \"best\": {:.1f}}}}}\n",
      session.size(), session.nodes(), floats, rounds, median(ours.reduce), median(ours.step),
      median(ours.share), median(ours.total), median(theirs.reduce), median(theirs.step),
      median(theirs.total), median(theirs.total) / median(ours.total), bytes / median(ours.reduce) * 1e-6,
      bytes / quickest * 1e-6);
  return 0;
}

// Sums of float64 over shards and over chunks of variables: the tree's bits on every rank.

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <string>

#include "comm/exchange/rank_exchange.h"
#include "mpi_main.h"
#include "reference.h"

namespace nntrain::comm {
namespace {

using mpi_test::leaf_value;
using mpi_test::reference_sum;
using mpi_test::session;

void expect_tree_sum(Exchange& exchange, int shards, int call, std::int64_t width) {
  const ShardRange local = exchange.local_shards();
  std::vector<double> mine;
  for (int s = local.begin; s < local.end; ++s)
    for (std::int64_t c = 0; c < width; ++c) mine.push_back(leaf_value(call, s, c));
  std::vector<double> total(static_cast<std::size_t>(width), -7);
  exchange.tree_sum(mine, total);
  for (std::int64_t c = 0; c < width; ++c)
    ASSERT_EQ(total[static_cast<std::size_t>(c)],
              reference_sum<double>(shards, [&](int s) { return leaf_value(call, s, c); }))
        << "call " << call << " column " << c;
}

TEST(TreeSum, HasTheBitsOfTheTreeAtEveryWidth) {
  for (const int shards : {1, 2, 3, 8, 13, 32}) {
    RankExchange exchange(session(), mpi_test::test_options(shards));
    int call = 0;
    // Growing, shrinking, many in a row without anything between them.
    for (const std::int64_t width : {3, 1, 0, 1000, 2, 5000, 7, 1, 1, 1, 1})
      expect_tree_sum(exchange, shards, call++, width);
  }
}

TEST(TreeSum, MixesWithStepsAndChunkSums) {
  const int shards = 5;
  RankExchange exchange(session(), mpi_test::test_options(shards));
  std::vector<double> per_variable(mpi_test::test_options(shards).trainables.size());
  for (int step = 0; step < 20; ++step) {
    StepFlags flags;
    expect_tree_sum(exchange, shards, 2 * step, 3);
    exchange.reduce(flags);
    const std::vector<double> ones(exchange.my_chunks().size(), 1.0);
    exchange.chunk_sums(ones, per_variable);
    EXPECT_EQ(per_variable, (std::vector<double>{3, 1, 3, 1, 5}));
    exchange.share();
    if (step % 3 == 0) exchange.settle();
    expect_tree_sum(exchange, shards, 2 * step + 1, 5);
  }
  exchange.settle();
}

TEST(TreeSum, WrongSizesAreRefused) {
  RankExchange exchange(session(), mpi_test::test_options(session().size()));
  std::vector<double> total(2);
  EXPECT_THROW(exchange.tree_sum(std::vector<double>(3), total), RuntimeError);
  EXPECT_THROW(exchange.chunk_sums(std::vector<double>(99), total), RuntimeError);
}

/// /dev/shm is full when sums need room, on one node or all: their bits are the same, by messages.
TEST(TreeSum, NoRoomForSumsCostsSpeedOnly) {
  const char* told = std::getenv("NNTRAIN_SHARED_BYTES");
  const std::string before = told == nullptr ? "" : told;
  const int shards = 2 * session().size() + 1;
  constexpr std::size_t kWidth = 3;
  for (const int full_on : {-1, 0}) {  // -1: everywhere
    RankExchange exchange(session(), mpi_test::test_options(shards));
    std::vector<double> per_shard(kWidth * static_cast<std::size_t>(exchange.local_shards().count()));
    std::vector<double> total(kWidth);
    for (int call = 0; call < 5; ++call) {  // the room vanishes before call 2, which asks for more
      if (call == 2) {
        if (full_on < 0 || session().node() == full_on) setenv("NNTRAIN_SHARED_BYTES", "0", 1);
        exchange.prepare_sums(10000);
        const bool shared = session().local_size() > 1 && before != "0" && !exchange.private_values();
        const bool expected =
            session().maximum(std::int64_t{shared && (full_on < 0 || session().node() == full_on)}) == 1;
        EXPECT_EQ(exchange.note().find("no room for sums") != std::string::npos, expected) << exchange.note();
      }
      for (std::size_t i = 0; i < per_shard.size(); ++i)
        per_shard[i] = leaf_value(call, exchange.local_shards().begin + static_cast<int>(i / kWidth),
                                  static_cast<std::int64_t>(i % kWidth));
      exchange.tree_sum(per_shard, total);
      for (std::size_t k = 0; k < kWidth; ++k) {
        EXPECT_EQ(total[k], reference_sum<double>(shards, [&](int s) {
                    return leaf_value(call, s, static_cast<std::int64_t>(k));
                  }));
      }
    }
    if (told == nullptr)
      unsetenv("NNTRAIN_SHARED_BYTES");
    else
      setenv("NNTRAIN_SHARED_BYTES", before.c_str(), 1);
  }
}

TEST(ChunkSums, HaveTheBitsOfATreeOverEachVariable) {
  for (const int shards : {1, 3, 8}) {
    const ExchangeOptions options = mpi_test::test_options(shards);
    RankExchange exchange(session(), options);
    std::vector<double> chunks;
    for (const auto& chunk : exchange.my_chunks()) {
      EXPECT_TRUE(std::any_of(exchange.pieces().begin(), exchange.pieces().end(), [&](const Range& piece) {
        return piece.begin <= chunk.begin && chunk.begin + chunk.size <= piece.end;
      }));
      EXPECT_LE(chunk.size, kChunk);
      chunks.push_back(leaf_value(0, chunk.variable, chunk.begin));
    }
    std::vector<double> total(options.trainables.size());
    exchange.chunk_sums(chunks, total);
    for (std::size_t v = 0; v < total.size(); ++v) {
      const Extent& extent = options.trainables[v];
      const int count = static_cast<int>((extent.size + kChunk - 1) / kChunk);
      EXPECT_EQ(total[v], reference_sum<double>(count, [&](int k) {
                  return leaf_value(0, static_cast<int>(v), extent.offset + k * kChunk);
                }));
    }
  }
}

}  // namespace
}  // namespace nntrain::comm

// The arithmetic of the exchange, without communication.

#include <algorithm>
#include <set>

#include "comm/exchange/buckets.h"
#include "comm/exchange/exchange_layout.h"
#include "comm/exchange/sum_program.h"
#include "mpi_main.h"
#include "reference.h"

namespace nntrain::comm {
namespace {

using mpi_test::leaf_value;
using mpi_test::reference_sum;

TEST(Partition, CutsOnlyWhereAllowedAndCoversAll) {
  const std::vector<Extent> extents{{0, 392000, true},
                                    {392000, 500, true},
                                    {392512, 250000, false},
                                    {642512, 9 * 1024, true},
                                    {651728, 10, true}};
  const std::int64_t floats = 651744;
  std::set<std::int64_t> allowed{0, floats};
  for (const Extent& e : extents)
    for (std::int64_t k = 0; k < (e.divisible ? e.size : 1); k += kChunk) allowed.insert(e.offset + k);
  for (const int parts : {1, 2, 3, 4, 7, 64, 5000}) {
    const auto ranges = partition(extents, floats, parts);
    ASSERT_EQ(static_cast<int>(ranges.size()), parts);
    std::int64_t end = 0;
    for (const Range& range : ranges) {
      EXPECT_EQ(range.begin, end);
      EXPECT_TRUE(allowed.count(range.begin) == 1 && allowed.count(range.end) == 1);
      end = range.end;
    }
    EXPECT_EQ(end, floats);
  }
}

TEST(Partition, IsBalancedWithinAChunk) {
  const std::vector<Extent> extents{{0, 1000000, true}};
  for (const int parts : {2, 3, 8, 31})
    for (const Range& range : partition(extents, 1000000, parts))
      EXPECT_LE(std::abs(range.count() - 1000000 / parts), kChunk);
}

TEST(Partition, TinyAndEmptyArrays) {
  EXPECT_EQ(partition({}, 0, 3), (std::vector<Range>{{0, 0}, {0, 0}, {0, 0}}));
  const std::vector<Extent> one{{0, 5, true}};
  std::int64_t total = 0;
  for (const Range& range : partition(one, 5, 4)) total += range.count();
  EXPECT_EQ(total, 5);
  const std::vector<Extent> beyond{{0, 6, true}};
  EXPECT_THROW(partition(beyond, 5, 2), RuntimeError);
}

TEST(NodeMap, UnequalNodes) {
  const NodeMap map({0, 0, 0, 3, 3, 5, 5, 5}, 4);
  EXPECT_EQ(map.sizes, (std::vector<int>{3, 2, 3}));
  EXPECT_EQ(map.owners, 2);
  EXPECT_EQ(map.node, 1);
  EXPECT_EQ(map.local_rank, 1);
  EXPECT_EQ(map.peer(2), 6);
  for (const Bucket& bucket : cut_into_buckets(map, mpi_test::test_options(8)))
    EXPECT_EQ(bucket.pieces.size(), 6U);
  const auto buckets = cut_into_buckets(map, mpi_test::test_options(8));
  for (const Range& home : homes_of_rank(buckets, map, 0, 2))
    EXPECT_EQ(home.count(), 0);  // a third rank owns nothing when another node has only two
}

/// The model of configs/fashion_mnist.ini.
ExchangeOptions five_layers() {
  ExchangeOptions options;
  for (const std::int64_t size : {392000, 500, 250000, 500, 250000, 500, 250000, 500, 5000, 10}) {
    options.trainables.push_back({options.trainable_floats, size, true});
    options.trainable_floats += (size + 15) / 16 * 16;
  }
  options.total_floats = options.trainable_floats;
  return options;
}

TEST(Buckets, OneNodeHasOne) {
  const NodeMap map({0, 0, 0}, 1);
  const auto buckets = cut_into_buckets(map, five_layers());
  ASSERT_EQ(buckets.size(), 1U);
  EXPECT_EQ(buckets[0].pieces.size(), 3U);
}

TEST(Buckets, CoverAllBalancedAndNeverJoinLayersThatCompleteApart) {
  const ExchangeOptions options = five_layers();
  for (const auto& leaders :
       {std::vector<int>{0, 1}, {0, 0, 2, 2}, {0, 1, 2, 3}, {0, 0, 0, 3, 3, 3, 6, 6, 6}}) {
    const NodeMap map(leaders, 0);
    const auto buckets = cut_into_buckets(map, options);
    EXPECT_GE(buckets.size(), 5U);
    EXPECT_LE(static_cast<std::int64_t>(buckets.size()), most_buckets(options));
    std::vector<std::int64_t> owned(leaders.size());
    std::int64_t end = 0;
    for (const Bucket& bucket : buckets) {
      EXPECT_EQ(bucket.range.begin, end);
      end = bucket.range.end;
      std::int64_t piece_end = bucket.range.begin;
      for (std::size_t k = 0; k < bucket.pieces.size(); ++k) {
        EXPECT_EQ(bucket.pieces[k].begin, piece_end);
        piece_end = bucket.pieces[k].end;
        owned[k] += bucket.pieces[k].count();
        EXPECT_LE(bucket.pieces[k].count(), kMessageFloats + kChunk);
      }
      EXPECT_EQ(piece_end, end);
      // A large kernel's floats never wait for the layer before it.
      for (const std::size_t kernel : {2U, 4U, 6U}) {
        const std::int64_t start = options.trainables[kernel].offset;
        EXPECT_TRUE(bucket.range.begin >= start || bucket.range.end <= start) << kernel;
      }
    }
    EXPECT_EQ(end, options.trainable_floats);
    const std::int64_t equal = options.trainable_floats / static_cast<std::int64_t>(leaders.size());
    for (const std::int64_t floats : owned) EXPECT_LE(floats, equal + equal / 50 + 5 * kChunk);
  }
}

TEST(Buckets, ManySmallVariablesShareOne) {
  ExchangeOptions options;
  for (int v = 0; v < 10000; ++v) options.trainables.push_back({16 * v, 16, true});
  options.total_floats = options.trainable_floats = 160000;
  const NodeMap map({0, 1}, 0);
  EXPECT_LE(cut_into_buckets(map, options).size(), 40U);
}

/// Sums leaves given as arrays over `cuts` of the shards, in two stages as over nodes; compares bits.
void expect_program(int shards, const std::vector<int>& ends, std::int64_t count) {
  std::vector<ShardRange> inputs;
  int begin = 0;
  for (const int end : ends) {
    const auto nodes = covering_nodes({begin, end}, shards);
    inputs.insert(inputs.end(), nodes.begin(), nodes.end());
    begin = end;
  }
  std::vector<std::vector<float>> arrays;
  for (const ShardRange& node : inputs) {
    auto& array = arrays.emplace_back();
    for (std::int64_t i = 0; i < count; ++i) {
      const int width = static_cast<int>(std::bit_ceil(static_cast<unsigned>(node.count())));
      array.push_back(reference_sum<float>(node.begin, width, node.end,
                                           [&](int s) { return static_cast<float>(leaf_value(0, s, i)); }));
    }
  }
  const ShardRange all{0, shards};
  SumProgram program(inputs, std::span(&all, 1), shards);
  std::vector<const float*> from;
  for (const auto& array : arrays) from.push_back(array.data());
  float* const in_place = arrays.front().data();  // the result may replace an input
  program.run(from, std::span(&in_place, 1), 0, count);
  for (std::int64_t i = 0; i < count; ++i) {
    ASSERT_EQ(in_place[i],
              reference_sum<float>(shards, [&](int s) { return static_cast<float>(leaf_value(0, s, i)); }))
        << "shards " << shards << " element " << i;
  }
}

TEST(SumProgram, EveryPartitionOfEveryTree) {
  for (int shards = 1; shards <= 11; ++shards) {
    for (unsigned mask = 0; mask < 1U << (shards - 1); ++mask) {
      std::vector<int> ends;
      for (int s = 1; s < shards; ++s)
        if ((mask >> (s - 1) & 1U) != 0) ends.push_back(s);
      ends.push_back(shards);
      expect_program(shards, ends, 5);
    }
  }
  expect_program(32, {1, 2, 3, 5, 8, 13, 21, 32}, 3001);  // several blocks and a tail
}

TEST(SumProgram, PartialSumsOfANode) {
  // Ranks with shards {2} {3} {4,5,6} of 8: covering nodes of [2, 7) are [2,4) [4,6) [6,7).
  const std::vector<ShardRange> inputs{{2, 3}, {3, 4}, {4, 6}, {6, 7}};
  const auto outputs = covering_nodes({2, 7}, 8);
  SumProgram program(inputs, outputs, 8);
  ASSERT_EQ(program.outputs(), 3);
  EXPECT_EQ(program.only_input(0), -1);
  EXPECT_EQ(program.only_input(1), 2);
  EXPECT_EQ(program.only_input(2), 3);
  const std::vector<float> values{1, 2, 4, 8};
  std::vector<const float*> from;
  for (const float& value : values) from.push_back(&value);
  std::vector<float> sums(3, -1);
  const std::vector<float*> into{&sums[0], nullptr, &sums[2]};
  program.run(from, into, 0, 1);
  EXPECT_EQ(sums, (std::vector<float>{3, -1, 8}));
}

TEST(SumProgram, NodesThatDoNotFitAreRefused) {
  const std::vector<ShardRange> inputs{{0, 1}, {2, 4}};
  const ShardRange all{0, 4};
  EXPECT_THROW(SumProgram(inputs, std::span(&all, 1), 4), RuntimeError);
}

TEST(TestData, ExposesTheOrderOfAdditions) {
  int different = 0;
  for (std::int64_t i = 0; i < 1000; ++i) {
    float in_a_row = 0;
    for (int s = 0; s < 8; ++s) in_a_row += static_cast<float>(leaf_value(0, s, i));
    different +=
        in_a_row != reference_sum<float>(8, [&](int s) { return static_cast<float>(leaf_value(0, s, i)); });
  }
  EXPECT_GT(different, 300);
}

TEST(ChunkMap, EveryChunkHasOnePlace) {
  const auto options = mpi_test::test_options(4);
  const NodeMap map({0, 0, 2, 2}, 1);
  const auto buckets = cut_into_buckets(map, options);
  std::vector<std::vector<Range>> homes;
  for (const int node : {0, 1})
    for (const int local_rank : {0, 1}) homes.push_back(homes_of_rank(buckets, map, node, local_rank));
  std::set<int> places;
  std::size_t chunks = 0;
  const ChunkMap chunk_map = map_chunks(options.trainables, homes, 1);
  for (const auto& of_variable : chunk_map.of_variable) {
    places.insert(of_variable.begin(), of_variable.end());
    chunks += of_variable.size();
  }
  EXPECT_EQ(chunks, 13U);
  EXPECT_EQ(places.size(), chunks);
  EXPECT_EQ(chunk_map.total(), 13);
}

}  // namespace
}  // namespace nntrain::comm

// The same bits for every number of ranks and every way they are spread over nodes: each result is compared
// with the plain evaluation of the tree in reference.h, at np 1 to 13.

#include "nntrain/comm/exchange.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "mpi_main.h"
#include "reference.h"

namespace nntrain::comm {
namespace {

using mpi_test::leaf_value;
using mpi_test::reference_sum;
using mpi_test::session;

class ExchangeTest : public testing::TestWithParam<int> {
 protected:
  /// Shards: the parameter, or the number of ranks where that is larger.
  static int shards() { return std::max(GetParam(), session().size()); }

  /// What backward does: every shard's gradients, added along the local program.
  static void fill_gradients(Exchange& exchange, int step) {
    const auto& nodes = exchange.gradient_nodes();
    const std::size_t floats = nodes.front().size();
    const TreeProgram program = local_program(exchange.local_shards(), shards());
    ASSERT_EQ(static_cast<std::size_t>(program.nodes), nodes.size());
    std::vector<std::vector<float>> scratch(static_cast<std::size_t>(program.buffers - program.nodes),
                                            std::vector<float>(floats));
    const auto buffer = [&](int index) -> std::span<float> {
      if (index < program.nodes) return nodes[static_cast<std::size_t>(index)];
      return scratch[static_cast<std::size_t>(index - program.nodes)];
    };
    for (const TreeStep& s : program.steps) {
      const std::span<float> target = buffer(s.target);
      for (std::size_t i = 0; i < floats; ++i) {
        const auto leaf = [&] {
          return static_cast<float>(leaf_value(step, s.shard, static_cast<std::int64_t>(i)));
        };
        if (s.operation == TreeStep::Operation::kStoreLeaf) target[i] = leaf();
        if (s.operation == TreeStep::Operation::kAddLeaf) target[i] += leaf();
        if (s.operation == TreeStep::Operation::kAdd) target[i] += buffer(s.source)[i];
      }
    }
  }

  static float expected_sum(int step, std::int64_t element) {
    return reference_sum<float>(shards(),
                                [&](int s) { return static_cast<float>(leaf_value(step, s, element)); });
  }
};

/// Ranks arrive at different times, so that races have a chance to show.
void dawdle(int step) {
  const auto wait = mpi_test::mix(static_cast<std::uint64_t>(1000 * step + session().rank())) % 4;
  if (wait > 0) usleep(static_cast<useconds_t>(100 * wait));
}

TEST_P(ExchangeTest, SumsAndNewValuesHaveTheBitsOfTheTree) {
  const ExchangeOptions options = mpi_test::test_options(shards());
  Exchange exchange(session(), options);
  ASSERT_EQ(static_cast<std::int64_t>(exchange.values().size()), options.total_floats);
  for (int step = 0; step < 5; ++step) {
    fill_gradients(exchange, step);
    exchange.complete(0, options.trainable_floats);
    dawdle(step);
    StepFlags flags;
    const std::span<float> sum = exchange.reduce(flags);
    const Range mine = exchange.slice();
    ASSERT_EQ(static_cast<std::int64_t>(sum.size()), mine.count());
    for (std::int64_t i = 0; i < mine.count(); ++i)
      ASSERT_EQ(sum[static_cast<std::size_t>(i)], expected_sum(step, mine.begin + i))
          << "element " << mine.begin + i;
    dawdle(step + 100);
    for (std::int64_t i = 0; i < mine.count(); ++i) {
      exchange.values()[static_cast<std::size_t>(mine.begin + i)] -= 0.25F * sum[static_cast<std::size_t>(i)];
      sum[static_cast<std::size_t>(i)] = -1;  // may be overwritten
    }
    exchange.share();
    dawdle(step + 200);
    for (std::int64_t i = 0; i < options.trainable_floats; i += 1 + step % 2) {
      float expected = 0;
      for (int k = 0; k <= step; ++k) expected -= 0.25F * expected_sum(k, i);
      ASSERT_EQ(exchange.values()[static_cast<std::size_t>(i)], expected)
          << "element " << i << " step " << step;
    }
  }
  EXPECT_GE(exchange.seconds_waiting(), 0.0);
}

TEST_P(ExchangeTest, FlagsOfAnyRankReachAllInTheirStep) {
  ExchangeOptions options;
  options.shards = shards();
  options.total_floats = options.trainable_floats = 10;
  options.trainables = {{0, 10, true}};
  Exchange exchange(session(), options);
  for (int step = 0; step < 3 * session().size(); ++step) {
    StepFlags flags;
    const int speaker = step % session().size();
    if (session().rank() == speaker || step % 5 == 0) flags.bits = 1U << session().rank();
    dawdle(step);
    exchange.reduce(flags);
    const std::uint32_t everybody = (1U << session().size()) - 1;
    ASSERT_EQ(flags.bits, step % 5 == 0 ? everybody : 1U << speaker) << "step " << step;
    if (step % 2 == 0) exchange.share();
  }
}

TEST_P(ExchangeTest, NothingToTrainStillCarriesFlags) {
  ExchangeOptions options;
  options.shards = shards();
  options.total_floats = 7;
  Exchange exchange(session(), options);
  StepFlags flags;
  if (session().rank() == session().size() - 1) flags.bits = kFlagStop;
  EXPECT_TRUE(exchange.reduce(flags).empty());
  exchange.share();
  EXPECT_EQ(flags.bits, kFlagStop);
}

INSTANTIATE_TEST_SUITE_P(Shards, ExchangeTest, testing::Values(1, 2, 3, 4, 8, 13, 16, 32));

TEST(ExchangeSetup, ShardsAndSlicesCoverEverythingOnce) {
  const int shards = std::max(13, session().size());
  const ExchangeOptions options = mpi_test::test_options(shards);
  Exchange exchange(session(), options);
  EXPECT_EQ(exchange.local_shards(), shards_of_rank(session().rank(), session().size(), shards));
  EXPECT_EQ(exchange.gradient_nodes().size(), covering_nodes(exchange.local_shards(), shards).size());
  ASSERT_EQ(static_cast<int>(exchange.slices().size()), session().size());
  EXPECT_EQ(exchange.slices()[static_cast<std::size_t>(session().rank())], exchange.slice());
  std::vector<int> owners(static_cast<std::size_t>(options.trainable_floats));
  for (const Range& slice : exchange.slices())
    for (std::int64_t i = slice.begin; i < slice.end; ++i) ++owners[static_cast<std::size_t>(i)];
  EXPECT_TRUE(std::all_of(owners.begin(), owners.end(), [](int n) { return n == 1; }));
  for (const auto& array : exchange.gradient_nodes()) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data()) % 64, 0U);
    EXPECT_EQ(static_cast<std::int64_t>(array.size()), options.trainable_floats);
  }
}

TEST(ExchangeSetup, WithoutSharedMemoryEachRankIsANodeOfItsOwn) {
  Exchange exchange(session(), mpi_test::test_options(session().size()));
  const char* limit = std::getenv("NNTRAIN_SHARED_BYTES");
  const bool no_room = limit != nullptr && std::string(limit) == "0" && session().local_size() > 1;
  EXPECT_EQ(exchange.private_values(), no_room);
  const bool anybody = session().maximum(std::int64_t{no_room}) == 1;
  EXPECT_EQ(exchange.note().find("--shm-size") != std::string::npos, anybody) << exchange.note();
}

TEST(ExchangeSetup, FewerShardsThanRanksAreRefused) {
  if (session().size() == 1) {
    EXPECT_THROW(Exchange(session(), mpi_test::test_options(0)), InputError);
  } else {
    EXPECT_THROW(Exchange(session(), mpi_test::test_options(session().size() - 1)), InputError);
  }
}

TEST(ExchangeSetup, SlicesOfOptimizerSlotsGoToTheRootAndBack) {
  const ExchangeOptions options = mpi_test::test_options(std::max(8, session().size()));
  Exchange exchange(session(), options);
  const Range mine = exchange.slice();
  std::vector<float> slot;
  for (std::int64_t i = mine.begin; i < mine.end; ++i) slot.push_back(static_cast<float>(i) + 0.5F);
  std::vector<float> whole = exchange.gather_slices(slot);
  ASSERT_EQ(static_cast<std::int64_t>(whole.size()), session().is_root() ? options.trainable_floats : 0);
  for (std::size_t i = 0; i < whole.size(); ++i) ASSERT_EQ(whole[i], static_cast<float>(i) + 0.5F);
  for (float& value : whole) value *= 2;
  exchange.scatter_slices(whole, slot);
  for (std::int64_t i = mine.begin; i < mine.end; ++i)
    ASSERT_EQ(slot[static_cast<std::size_t>(i - mine.begin)], 2 * static_cast<float>(i) + 1);
}

}  // namespace
}  // namespace nntrain::comm

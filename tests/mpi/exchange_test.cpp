// The same bits for every number of ranks and every way they are spread over nodes: each result is compared
// with the plain evaluation of the tree in reference.h, at np 1 to 13.

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>
#include <tuple>

#include "comm/exchange/rank_exchange.h"
#include "mpi_main.h"
#include "reference.h"

namespace nntrain::comm {
namespace {

using mpi_test::leaf_value;
using mpi_test::session;

/// Gradients as backward makes them, and the sums that are expected of them.
struct Gradients {
  ExchangeOptions options;

  float rounded(float value) const {
    return options.wire == SumFormat::kBfloat16 ? round_to_bfloat16(value) : value;
  }
  float leaf(int step, int shard, std::int64_t element) const {
    return rounded(static_cast<float>(leaf_value(step, shard, element)));
  }

  /// Every shard's gradients, added along the local program, [begin, end) of the array.
  void fill(Exchange& exchange, int step, std::int64_t begin, std::int64_t end) const {
    const auto& nodes = exchange.gradient_nodes();
    const TreeProgram program = local_program(exchange.local_shards(), options.shards);
    ASSERT_EQ(static_cast<std::size_t>(program.nodes), nodes.size());
    std::vector<std::vector<float>> scratch(static_cast<std::size_t>(program.buffers - program.nodes),
                                            std::vector<float>(static_cast<std::size_t>(end - begin)));
    const auto sum = [&](int index, std::int64_t i) -> float& {
      if (index < program.nodes) return nodes[static_cast<std::size_t>(index)][static_cast<std::size_t>(i)];
      return scratch[static_cast<std::size_t>(index - program.nodes)][static_cast<std::size_t>(i - begin)];
    };
    for (const TreeStep& s : program.steps) {
      for (std::int64_t i = begin; i < end; ++i) {
        float& target = sum(s.target, i);
        if (s.operation == TreeStep::Operation::kStoreLeaf) target = leaf(step, s.shard, i);
        if (s.operation == TreeStep::Operation::kAddLeaf) target = rounded(target + leaf(step, s.shard, i));
        if (s.operation == TreeStep::Operation::kAdd) target = rounded(target + sum(s.source, i));
      }
    }
  }

  float expected(int step, std::int64_t element) const {
    return mpi_test::reference_sum<float>(
        options.shards, [&](int s) { return leaf(step, s, element); },
        [&](float sum) { return rounded(sum); });
  }
};

/// (shards, wire): fewer shards than ranks too.
class ExchangeTest : public testing::TestWithParam<std::tuple<int, SumFormat>> {
 protected:
  static int shards() { return std::get<0>(GetParam()); }
  static SumFormat wire() { return std::get<1>(GetParam()); }
  static ExchangeOptions options() {
    ExchangeOptions options = mpi_test::test_options(shards());
    options.wire = wire();
    return options;
  }
};

/// Ranks arrive at different times, so that races have a chance to show.
void dawdle(int step) {
  const auto wait = mpi_test::mix(static_cast<std::uint64_t>(1000 * step + session().rank())) % 4;
  if (wait > 0) usleep(static_cast<useconds_t>(100 * wait));
}

/// One rank is late, always at the same place of the step.
enum class Place { kNowhere, kBeforeComplete, kBeforeReduce, kAfterWaits, kBeforeShare, kAfterShare };
struct Delay {
  int rank = -1;
  Place place = Place::kNowhere;
  void at(Place here) const {
    if (here == place && session().rank() == rank) usleep(3000);
  }
};

bool in_variable(const ExchangeOptions& options, std::int64_t element) {
  return std::any_of(options.trainables.begin(), options.trainables.end(), [&](const Extent& extent) {
    return extent.offset <= element && element < extent.offset + extent.size;
  });
}

/// Checks the sums of my pieces, steps them, and spoils the sums, which is allowed.
void step_pieces(Exchange& exchange, const Gradients& gradients, int step, std::int64_t stride) {
  for (std::size_t k = exchange.pieces().size(); k-- > 0;) {
    exchange.await_sum(k);
    const Range piece = exchange.pieces()[k];
    for (std::int64_t i = piece.begin; i < piece.end; ++i) {
      float& sum = exchange.sums()[static_cast<std::size_t>(i)];
      if (i % stride == 0 && in_variable(gradients.options, i)) {
        ASSERT_EQ(sum, gradients.expected(step, i)) << "element " << i << " step " << step;
      }
      exchange.values()[static_cast<std::size_t>(i)] -= 0.25F * sum;
      sum = -1;
    }
  }
}

/// A rank speaks up in every third step.
StepFlags flags_of(int step, int rank) { return {(step + rank) % 3 == 0 ? 1U << rank % 32 : 0U}; }

/// Several steps as training makes them; every `stride`-th element is checked.
void expect_steps(const ExchangeOptions& options, int steps, std::int64_t stride, Delay delay = {}) {
  const Gradients gradients{options};
  RankExchange exchange(session(), options);
  exchange.on_wait([&](auto, auto) { delay.at(Place::kAfterWaits); });  // inside of the exchange's calls
  ASSERT_EQ(static_cast<std::int64_t>(exchange.values().size()), options.total_floats);
  for (int step = 0; step < steps; ++step) {
    // As backward does: from the last variable to the first, telling of each as it is complete.
    for (std::size_t v = options.trainables.size(); v-- > 0;) {
      const Extent& extent = options.trainables[v];
      gradients.fill(exchange, step, extent.offset, extent.offset + extent.size);
      if (v == options.trainables.size() / 2) delay.at(Place::kBeforeComplete);
      if (step != 3 || v % 2 == 0) exchange.complete(extent.offset, extent.size);  // a hint may be left out
      dawdle(step + static_cast<int>(v));
    }
    delay.at(Place::kBeforeReduce);
    exchange.reduce(flags_of(step, session().rank()));
    step_pieces(exchange, gradients, step, stride);
    dawdle(step + 100);
    delay.at(Place::kBeforeShare);
    std::uint32_t joined = 0;
    for (int r = 0; r < session().size(); ++r) joined |= flags_of(step, r).bits;
    ASSERT_EQ(exchange.share().bits, joined) << "step " << step;
    delay.at(Place::kAfterShare);
    dawdle(step + 200);
    if (step == 2) exchange.settle();
    // As forward does: from the first variable to the last, each only after it was waited for.
    for (const Extent& extent : options.trainables) {
      exchange.await_values(extent.offset + extent.size);
      for (std::int64_t i = extent.offset; i < extent.offset + extent.size; i += stride + step % 2) {
        float expected = 0;
        for (int k = 0; k <= step; ++k) expected -= 0.25F * gradients.expected(k, i);
        ASSERT_EQ(exchange.values()[static_cast<std::size_t>(i)], expected)
            << "element " << i << " step " << step;
      }
    }
  }
  exchange.settle();
  EXPECT_GE(exchange.seconds_waiting(), 0.0);
}

TEST_P(ExchangeTest, SumsAndNewValuesHaveTheBitsOfTheTree) { expect_steps(options(), 5, 1); }

ExchangeOptions many_buckets() {
  ExchangeOptions options;
  for (const std::int64_t size : {90000, 500, 70000, 3, 40000, 20000}) {
    options.trainables.push_back({options.trainable_floats, size, size != 70000});
    options.trainable_floats += (size + 15) / 16 * 16;
  }
  options.total_floats = options.trainable_floats;
  return options;
}

TEST(ExchangeBuckets, ManyOfThemHaveTheBitsOfTheTree) {
  ExchangeOptions options = many_buckets();
  for (const SumFormat wire : {SumFormat::kFloat32, SumFormat::kBfloat16}) {
    for (const int shards : {1, 3, 16}) {
      options.shards = shards;
      options.wire = wire;
      expect_steps(options, 4, 97);
    }
  }
}

TEST(ExchangeBuckets, OneLateRankChangesNothing) {
  ExchangeOptions options = many_buckets();
  options.shards = 4;
  const int last = session().size() - 1;
  for (const SumFormat wire : {SumFormat::kFloat32, SumFormat::kBfloat16}) {
    options.wire = wire;
    for (const Place place : {Place::kBeforeComplete, Place::kBeforeReduce, Place::kAfterWaits,
                              Place::kBeforeShare, Place::kAfterShare})
      for (const int rank : {0, last}) expect_steps(options, 3, 401, {rank, place});
  }
}

TEST_P(ExchangeTest, ValuesChangedWithoutAStepAreSharedToo) {
  const ExchangeOptions all = options();
  RankExchange exchange(session(), all);
  for (int call = 1; call < 4; ++call) {
    for (const Range& piece : exchange.pieces())
      for (std::int64_t i = piece.begin; i < piece.end; ++i)
        exchange.values()[static_cast<std::size_t>(i)] = static_cast<float>(call * i);
    exchange.share();
    exchange.settle();
    for (std::int64_t i = 0; i < all.trainable_floats; ++i)
      ASSERT_EQ(exchange.values()[static_cast<std::size_t>(i)], static_cast<float>(call * i));
    session().barrier();
  }
}

TEST_P(ExchangeTest, FlagsOfAnyRankReachAllInTheirStep) {
  ExchangeOptions options;
  options.shards = shards();
  options.total_floats = options.trainable_floats = 10;
  options.trainables = {{0, 10, true}};
  options.wire = wire();
  RankExchange exchange(session(), options);
  for (int step = 0; step < 3 * session().size(); ++step) {
    StepFlags flags;
    const int speaker = step % session().size();
    if (session().rank() == speaker || step % 5 == 0) flags.bits = 1U << session().rank();
    dawdle(step);
    exchange.reduce(flags);
    flags = exchange.share();
    const std::uint32_t everybody = (1U << session().size()) - 1;
    ASSERT_EQ(flags.bits, step % 5 == 0 ? everybody : 1U << speaker) << "step " << step;
    if (step % 2 == 0) exchange.settle();
  }
  exchange.settle();
}

TEST_P(ExchangeTest, NothingToTrainStillCarriesFlags) {
  ExchangeOptions options;
  options.shards = shards();
  options.total_floats = 7;
  RankExchange exchange(session(), options);
  StepFlags flags;
  if (session().rank() == session().size() - 1) flags.bits = kFlagStop;
  exchange.reduce(flags);
  EXPECT_TRUE(exchange.pieces().empty());
  EXPECT_EQ(exchange.share().bits, kFlagStop);
  exchange.settle();
}

INSTANTIATE_TEST_SUITE_P(Shards, ExchangeTest,
                         testing::Combine(testing::Values(1, 2, 3, 4, 8, 13, 16, 32),
                                          testing::Values(SumFormat::kFloat32, SumFormat::kBfloat16)));

/// Which rank owns what, and on how many ranks' arrays the sums are made.
void expect_cover(int shards) {
  const ExchangeOptions options = mpi_test::test_options(shards);
  RankExchange exchange(session(), options);
  EXPECT_EQ(exchange.local_shards(), shards_of_rank(session().rank(), session().size(), shards));
  EXPECT_EQ(exchange.gradient_nodes().size(), covering_nodes(exchange.local_shards(), shards).size());
  std::vector<std::int64_t> bounds;
  std::int64_t owned = 0;
  for (const Range& piece : exchange.pieces()) {
    bounds.insert(bounds.end(), {piece.begin, piece.end});
    owned += piece.count();
  }
  EXPECT_EQ(owned, exchange.owned_floats());
  std::vector<int> owners(static_cast<std::size_t>(options.trainable_floats));
  for (const auto& bytes : session().all_gather(std::as_bytes(std::span(bounds)))) {
    std::vector<std::int64_t> theirs(bytes.size() / sizeof(std::int64_t));
    std::copy(bytes.begin(), bytes.end(), std::as_writable_bytes(std::span(theirs)).begin());
    for (std::size_t k = 0; k < theirs.size(); k += 2)
      for (std::int64_t i = theirs[k]; i < theirs[k + 1]; ++i) ++owners[static_cast<std::size_t>(i)];
  }
  EXPECT_TRUE(std::all_of(owners.begin(), owners.end(), [](int n) { return n == 1; }));
  for (const auto& array : exchange.gradient_nodes()) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data()) % 64, 0U);
    EXPECT_EQ(static_cast<std::int64_t>(array.size()), options.trainable_floats);
  }
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(exchange.sums().data()) % 64, 0U);
  EXPECT_EQ(static_cast<std::int64_t>(exchange.sums().size()), options.trainable_floats);
}

TEST(ExchangeSetup, ShardsAndPiecesCoverEverythingOnce) {
  expect_cover(13);
  expect_cover(1);  // ranks without a shard own as much as the others
}

TEST(ExchangeSetup, WithoutSharedMemoryEachRankIsANodeOfItsOwn) {
  RankExchange exchange(session(), mpi_test::test_options(session().size()));
  const char* limit = std::getenv("NNTRAIN_SHARED_BYTES");
  const bool no_room = limit != nullptr && std::string(limit) == "0" && session().local_size() > 1;
  EXPECT_EQ(exchange.private_values(), no_room);
  const bool anybody = session().maximum(std::int64_t{no_room}) == 1;
  EXPECT_EQ(exchange.note().find("--shm-size") != std::string::npos, anybody) << exchange.note();
}

TEST(ExchangeSetup, NoShardsAreRefused) {
  EXPECT_THROW(RankExchange(session(), mpi_test::test_options(0)), RuntimeError);
}

TEST(ExchangeSetup, OptimizerSlotsGoToTheRootAndBack) {
  for (const SumFormat wire : {SumFormat::kFloat32, SumFormat::kBfloat16}) {
    ExchangeOptions options = mpi_test::test_options(2);
    options.wire = wire;
    RankExchange exchange(session(), options);
    std::vector<float> slot;
    for (const Range& piece : exchange.pieces())
      for (std::int64_t i = piece.begin; i < piece.end; ++i) slot.push_back(static_cast<float>(i) + 0.5F);
    std::vector<float> whole = exchange.gather_slices(slot);
    ASSERT_EQ(static_cast<std::int64_t>(whole.size()), session().is_root() ? options.trainable_floats : 0);
    for (std::size_t i = 0; i < whole.size(); ++i) ASSERT_EQ(whole[i], static_cast<float>(i) + 0.5F);
    for (float& value : whole) value *= 2;
    exchange.scatter_slices(whole, slot);
    std::size_t at = 0;
    for (const Range& piece : exchange.pieces())
      for (std::int64_t i = piece.begin; i < piece.end; ++i)
        ASSERT_EQ(slot[at++], 2 * static_cast<float>(i) + 1);
  }
}

}  // namespace
}  // namespace nntrain::comm

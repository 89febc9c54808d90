// Sums of a node's shards that owners of slices make, instead of adding arrays of the node's ranks: the bits
// of the tree, asked for only when all ranks of the node have what they are made of, and done when share()
// returns. At equal and unequal nodes; where some nodes cannot, they do as before.

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "comm/exchange/rank_exchange.h"
#include "mpi_main.h"
#include "reference.h"

namespace nntrain::comm {
namespace {

using mpi_test::leaf_value;
using mpi_test::session;

constexpr std::int64_t kStride = 61;  ///< of the elements that are looked at; the others are 0

/// Many buckets. Variables that owners make lie between others; one of them is never cut.
ExchangeOptions variables(int shards) {
  ExchangeOptions options;
  options.shards = shards;
  for (const std::int64_t size : {90000, 500, 70000, 3, 40000, 20000, 7}) {
    options.trainables.push_back({options.trainable_floats, size, size != 70000});
    options.trainable_floats += (size + 15) / 16 * 16;
  }
  options.total_floats = options.trainable_floats;
  return options;
}
constexpr std::size_t kMadeVariables[] = {0, 2, 5};

float sum_over(ShardRange node, int shards, int step, std::int64_t element) {
  if (element % kStride != 0) return 0;
  return mpi_test::reference_sum<float>(
      node.begin, static_cast<int>(std::bit_ceil(static_cast<unsigned>(node.count()))), shards,
      [&](int s) { return static_cast<float>(leaf_value(step, s, element)); });
}

/// One rank is late at one place.
enum class Place { kNowhere, kBeforeComplete, kBeforeReduce, kWhileMaking, kAfterShare };
struct Delay {
  int rank = -1;
  Place place = Place::kNowhere;
  void at(Place here) const {
    if (here != place || session().rank() != rank) return;
    usleep(here == Place::kWhileMaking ? 100000 : 2000);  // longer than the others' rest of the step
  }
};

/// Training as owners of slices see it.
class Bench {
 public:
  Bench(int shards, Delay delay)
      : options_(variables(shards)),
        delay_(delay),
        exchange_(session(), options_),
        makes_(exchange_.can_make_node_sums()) {
    const int first = session().rank() - session().local_rank();
    const int last = first + session().local_size() - 1;
    node_shards_ = covering_nodes({shards_of_rank(first, session().size(), shards).begin,
                                   shards_of_rank(last, session().size(), shards).end},
                                  shards);
    for (const std::size_t v : kMadeVariables)
      made_.push_back(
          {options_.trainables[v].offset, options_.trainables[v].offset + options_.trainables[v].size});
    if (makes_) {
      words_ = SharedArray::allocate(
          session(), kWords * session().local_size() * static_cast<std::int64_t>(sizeof(std::int64_t)));
      exchange_.make_node_sums(
          made_, [this](const Range& range, std::span<float* const> sums) { make(range, sums); });
    }
    for (const std::span<float> array : exchange_.gradient_nodes())
      std::fill(array.begin(), array.end(), std::numeric_limits<float>::quiet_NaN());
    session().barrier();
  }

  bool makes() const { return makes_; }
  int calls() const { return calls_; }
  RankExchange& exchange() { return exchange_; }

  void step(int step) {
    step_ = step;
    for (std::size_t v = options_.trainables.size(); v-- > 0;) {
      if (makes_ && is_made(v)) {
        word(session().local_rank(), v) = step;  // what it is made of
      } else {
        write(options_.trainables[v]);
      }
      if (v == 3) delay_.at(Place::kBeforeComplete);
      // A hint may be left out; then all is made in reduce().
      const Extent& extent = options_.trainables[v];
      if (step % 2 == 0 || v % 2 == 1) exchange_.complete(extent.offset, extent.size);
    }
    delay_.at(Place::kBeforeReduce);
    exchange_.reduce({});
    take_sums();
    exchange_.share();
    if (makes_) {
      for (const std::size_t v : kMadeVariables) word(session().local_rank(), v) = -1;  // may change again
    }
    delay_.at(Place::kAfterShare);
    exchange_.await_values(options_.trainable_floats);
    for (std::int64_t i = 0; i < options_.trainable_floats; i += kStride) {
      const float value = exchange_.values()[static_cast<std::size_t>(i)];
      ASSERT_EQ(value, in_variable(i) ? static_cast<float>(step) + total(i) : value) << i << " step " << step;
    }
  }

 private:
  static constexpr std::int64_t kWords = 8;  ///< of a rank
  std::int64_t& word(int local_rank, std::size_t variable) {
    return words_.as<std::int64_t>()[static_cast<std::size_t>(local_rank * kWords) + variable];
  }
  static bool is_made(std::size_t variable) {
    return std::find(std::begin(kMadeVariables), std::end(kMadeVariables), variable) !=
           std::end(kMadeVariables);
  }
  bool in_variable(std::int64_t i) const {
    return std::any_of(options_.trainables.begin(), options_.trainables.end(), [&](const Extent& extent) {
      return extent.offset <= i && i < extent.offset + extent.size;
    });
  }
  float total(std::int64_t i) const { return sum_over({0, options_.shards}, options_.shards, step_, i); }

  /// My own shards' gradients, as without owners.
  void write(const Extent& variable) {
    const std::vector<ShardRange> nodes = covering_nodes(exchange_.local_shards(), options_.shards);
    for (std::size_t k = 0; k < nodes.size(); ++k)
      for (std::int64_t i = variable.offset; i < variable.offset + variable.size; ++i)
        exchange_.gradient_nodes()[k][static_cast<std::size_t>(i)] =
            sum_over(nodes[k], options_.shards, step_, i);
  }

  void make(const Range& range, std::span<float* const> sums) {
    if (range.begin < made_[0].end) delay_.at(Place::kWhileMaking);  // the last to be made
    ++calls_;
    ASSERT_EQ(sums.size(), node_shards_.size());
    for (std::size_t m = 0; m < made_.size(); ++m) {
      const Range part{std::max(range.begin, made_[m].begin), std::min(range.end, made_[m].end)};
      if (part.count() <= 0) continue;
      for (int r = 0; r < session().local_size(); ++r)
        ASSERT_EQ(word(r, kMadeVariables[m]), step_)
            << "rank " << r << " of the node, variable " << kMadeVariables[m];
      for (std::size_t k = 0; k < sums.size(); ++k)
        for (std::int64_t i = part.begin; i < part.end; ++i)
          sums[k][i - range.begin] = sum_over(node_shards_[k], options_.shards, step_, i);
    }
  }

  void take_sums() {
    for (std::size_t p = exchange_.pieces().size(); p-- > 0;) {
      exchange_.await_sum(p);
      const Range piece = exchange_.pieces()[p];
      for (std::int64_t i = piece.begin; i < piece.end; ++i) {
        const float sum = exchange_.sums()[static_cast<std::size_t>(i)];
        if (in_variable(i)) {
          ASSERT_EQ(sum, total(i)) << "element " << i << " step " << step_;
        }
        exchange_.values()[static_cast<std::size_t>(i)] = static_cast<float>(step_) + sum;
      }
    }
  }

  ExchangeOptions options_;
  Delay delay_;
  RankExchange exchange_;
  bool makes_;
  SharedArray words_;  ///< (local ranks, kWords): the step of what a variable's sums are made of
  std::vector<ShardRange> node_shards_;
  std::vector<Range> made_;
  int calls_ = 0;
  int step_ = 0;
};

void expect_steps(int shards, int steps, Delay delay = {}) {
  Bench bench(shards, delay);
  for (int step = 0; step < steps; ++step) {
    bench.step(step);
    if (step == 1) bench.exchange().settle();
  }
  bench.exchange().settle();
  const bool has_shards = shards >= session().size();  // each node has some then
  if (bench.makes() && has_shards && bench.exchange().owned_floats() > 0) {
    EXPECT_GT(bench.calls(), 0);
  }
}

TEST(NodeSums, HaveTheBitsOfTheTree) {
  for (const int shards : {1, 3, 13, 32}) expect_steps(shards, 4);
}

TEST(NodeSums, ALateRankChangesNothing) {
  const int last = session().size() - 1;
  for (const Place place :
       {Place::kBeforeComplete, Place::kBeforeReduce, Place::kWhileMaking, Place::kAfterShare})
    for (const int rank : {0, last}) expect_steps(8, 2, {rank, place});
}

TEST(NodeSums, AreMadeWhereNearlyAllRanksOfANodeOwnSlices) {
  RankExchange exchange(session(), variables(8));
  const std::vector<int>& sizes = session().node_sizes();
  const bool falls_back = session().maximum(std::int64_t{exchange.private_values()}) == 1;  // some node
  const int smallest = falls_back ? 1 : *std::min_element(sizes.begin(), sizes.end());
  const bool many = session().nodes() > 1 && session().local_size() > 1 && !exchange.private_values();
  EXPECT_EQ(exchange.can_make_node_sums(), many && 4 * session().local_size() <= 5 * smallest);
  if (!exchange.can_make_node_sums()) {
    EXPECT_THROW(exchange.make_node_sums({}, [](const Range&, std::span<float* const>) {}), RuntimeError);
  }
  session().barrier();
  ExchangeOptions two_bytes = variables(8);
  two_bytes.wire = SumFormat::kBfloat16;
  EXPECT_FALSE(RankExchange(session(), two_bytes).can_make_node_sums());
}

}  // namespace
}  // namespace nntrain::comm

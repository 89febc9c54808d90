// The optimizer step between the exchange's two verbs, and gradients made by their owners.

#include <gtest/gtest.h>

#include <algorithm>

#include "comm/exchange/rank_exchange.h"
#include "linear_model.h"

namespace nntrain::train {
namespace {

/// A model with variables of several shapes, bound to an exchange; gradients are written by hand.
struct Bench {
  nn::Sequential model{
      "m", {parse_call("Dense(5)"), parse_call("Dense(4, kernel_constraint=\"non_neg\")")}, Shape{3}};
  std::unique_ptr<optim::Optimizer> optimizer;
  comm::RankExchange exchange;
  ActivityTimes times;
  Updater updater;

  Bench(const std::string& spec, int shards)
      : optimizer(optim::optimizers().make(parse_call(spec))),
        exchange(session(), options(model, *optimizer, shards)),
        updater(bound(), model, *optimizer, nullptr, times) {}
  ~Bench() {
    exchange.settle();
    session().barrier();
  }

  static comm::ExchangeOptions options(const nn::Sequential& model, const optim::Optimizer& optimizer,
                                       int shards) {
    comm::ExchangeOptions options;
    options.shards = shards;
    options.total_floats = model.total_floats();
    options.trainable_floats = model.trainable_floats();
    options.trainables = Updater::extents(model, optimizer);
    return options;
  }
  comm::Exchange& bound() {
    model.bind(exchange.values());
    return exchange;
  }

  /// A step in which each shard's gradient is `g` everywhere.
  void step(std::int64_t iteration, float g) {
    const ShardRange mine = exchange.local_shards();
    for (const std::span<float> node : exchange.gradient_nodes()) std::fill(node.begin(), node.end(), 0.0F);
    if (mine.count() > 0) {
      const std::span<float> first = exchange.gradient_nodes().front();
      std::fill(first.begin(), first.end(), g * static_cast<float>(mine.count()));
    }
    exchange.complete(0, model.trainable_floats());
    comm::StepFlags flags;
    updater.step(iteration, 0.5, 8, flags);
    exchange.settle();
  }
  float value(const std::string& layer, const std::string& name) const {
    for (const nn::Variable& variable : model.variables()) {
      if (variable.layer == layer && variable.name == name) return variable.values[variable.size() - 1];
    }
    ADD_FAILURE() << layer << "/" << name;
    return 0;
  }
};

TEST(Updater, StepsEveryElementOnceByTheSumOverAllShards) {
  for (const int shards : {1, 2, 5}) {
    Bench bench("SGD(0.5)", shards);
    bench.step(0, 0.25F);
    const auto expected = -0.5F * 0.25F * static_cast<float>(shards);
    for (const nn::Variable& variable : bench.model.variables()) {
      const bool constrained = variable.layer == "dense_1" && variable.name == "kernel";
      for (std::int64_t i = 0; i < variable.size(); ++i)
        ASSERT_EQ(variable.values[i], constrained ? 0.0F : expected)
            << variable.layer << "/" << variable.name;
    }
    session().barrier();
  }
}

TEST(Updater, SlotsAreGatheredWholeAndScatteredBack) {
  Bench bench("SGD(0.5, momentum=0.5)", 4);
  bench.step(0, 0.25F);
  ASSERT_EQ(bench.updater.slots(), 1);
  std::vector<float> momentum = bench.updater.gather_slot(0);
  if (session().is_root()) {
    ASSERT_EQ(static_cast<std::int64_t>(momentum.size()), bench.model.trainable_floats());
    for (const nn::Variable& variable : bench.model.variables()) {
      EXPECT_EQ(momentum[static_cast<std::size_t>(variable.offset)], -0.5F);  // -rate * gradient
      momentum[static_cast<std::size_t>(variable.offset + variable.size() - 1)] = 8.0F;
    }
  } else {
    EXPECT_TRUE(momentum.empty());
  }
  bench.updater.scatter_slot(0, momentum);
  const float before = bench.value("dense", "bias");
  session().barrier();
  bench.step(1, 0.0F);
  EXPECT_EQ(bench.value("dense", "bias"), before + 4.0F);  // half of the momentum that was put there
}

/// Elements of kernels' gradient arrays that a rank has written, where it does not own the sum.
std::int64_t written_gradients(const nn::Sequential& model, comm::Exchange& exchange) {
  const auto is_mine = [&](std::int64_t i) {
    return std::any_of(exchange.pieces().begin(), exchange.pieces().end(),
                       [&](const comm::Range& piece) { return piece.begin <= i && i < piece.end; });
  };
  std::int64_t count = 0;
  for (const nn::Variable& variable : model.variables()) {
    if (variable.name != "kernel") continue;
    for (const std::span<float> node : exchange.gradient_nodes()) {
      for (std::int64_t i = variable.offset; i < variable.offset + variable.size(); ++i)
        count += node[static_cast<std::size_t>(i)] != 0 && !is_mine(i) ? 1 : 0;
    }
  }
  return count;
}

enum class Makes { kOwners, kEachRank, kEachRankForRegularizers };

/// Layers for one way of making gradients. Wide ones have kernels of several chunks, which are cut inside of
/// rows; with narrow ones the mini-batch is larger than they are. A regularizer of factor 0 changes no value,
/// but such a kernel is left to nobody.
std::vector<Json> layers_for(Makes makes, bool wide) {
  const std::string end = makes == Makes::kEachRankForRegularizers ? ", kernel_regularizer=L2(0.0))" : ")";
  const std::string sizes[] = {wide ? "40" : "3", wide ? "300" : "2"};
  return {parse_call("Dense(" + sizes[0] + ", activation=\"relu\"" + end),
          parse_call("Dense(" + sizes[1] + ", activation=\"tanh\"" + end), parse_call("Dense(2" + end)};
}

/// Values after some steps of different sizes.
std::vector<float> trained(const std::string& spec, int shards, Makes makes, bool wide) {
  LinearModel data;
  nn::Sequential model("m", layers_for(makes, wide), Shape{kInputs});
  const std::unique_ptr<optim::Optimizer> optimizer = optim::optimizers().make(parse_call(spec));
  Engine engine(session(), model, *optimizer, *data.loss, data.options(shards), data.times);
  if (engine.fills_values()) model.initialize(5);
  session().barrier();
  Scoreboard board(data.metrics, engine.exchange().local_shards().count());
  for (std::uint64_t step = 0; step < 7; ++step) {
    BatchRequest batch = data.rows(static_cast<std::int64_t>(step), step % 3 == 1 ? 2 : 6);
    batch.step = step;
    engine.step(batch, 0.01, {}, board);
  }
  engine.settle();
  const bool one_node = session().nodes() == 1;
  const std::int64_t written = written_gradients(model, engine.exchange());
  if (makes != Makes::kOwners) {
    EXPECT_TRUE(session().maximum(written) > 0 || session().size() == 1);  // some ranks have no rows
  } else if (one_node || engine.exchange().can_make_node_sums()) {
    EXPECT_EQ(written, 0);
  }
  const std::span<const float> values = engine.exchange().values();
  std::vector<float> result(values.begin(), values.end());
  session().barrier();
  return result;
}

/// The same steps with kernels' gradients made by their owners and with all gradients exchanged.
TEST(DeferredGradients, GiveTheBitsOfTheExchangedSum) {
  for (const std::string spec : {"Adam(0.01)", "SGD(0.1, global_clipnorm=0.1)"}) {
    for (const int shards : {1, 3, 8, 13}) {
      EXPECT_TRUE(trained(spec, shards, Makes::kOwners, true) ==
                  trained(spec, shards, Makes::kEachRankForRegularizers, true))
          << spec << " " << shards;
    }
  }
}

/// Kernels that are smaller than the rows of x and dz: each rank writes sums of its own.
TEST(DeferredGradients, AreNotOfSmallKernelsAndManyRows) {
  for (const int shards : {1, 2, 4}) {  // one gradient array a rank
    EXPECT_TRUE(trained("Adam(0.01)", shards, Makes::kEachRank, false) ==
                trained("Adam(0.01)", shards, Makes::kEachRankForRegularizers, false))
        << shards;
  }
}

TEST(DeferredGradients, AreOfTheKernelsForWhichOwnersMoveLess) {
  const auto kernels = [](const std::vector<Json>& layers, const Shape& input, NodeWork node) {
    nn::Sequential model("m", layers, input);
    return kernels_for_owners(model, node).size();
  };
  const std::vector<Json> two{parse_call("Dense(500)"), parse_call("Dense(500)")};
  // R (500 / 2 + 500) against 3 x 500 x 500
  EXPECT_EQ(kernels(two, Shape{500}, {2, 1, 1000}), 2U);
  EXPECT_EQ(kernels(two, Shape{500}, {2, 1, 1001}), 0U);
  EXPECT_EQ(kernels(two, Shape{500}, {2, 2, 2000}), 2U);  // two arrays of each rank
  // 20 ranks' arrays do not fit into a cache together, and of 4,195 rows neither does x with dz.
  EXPECT_EQ(kernels(two, Shape{500}, {20, 1, 4194}), 2U);
  EXPECT_EQ(kernels(two, Shape{500}, {20, 1, 4195}), 0U);
  EXPECT_EQ(kernels(two, Shape{500}, {1, 1, 1000000}), 2U);  // nobody to add to
  EXPECT_EQ(kernels(two, Shape{10, 500}, {2, 1, 100}), 2U);  // ten positions a row
  EXPECT_EQ(kernels(two, Shape{10, 500}, {2, 1, 101}), 0U);
  EXPECT_EQ(kernels({parse_call("Dense(500, kernel_regularizer=\"l2\")")}, Shape{500}, {2, 1, 1}), 0U);
}

}  // namespace
}  // namespace nntrain::train

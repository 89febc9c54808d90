// The engine alone: what it asks of the exchange, in which order, and what it makes of other ranks' answers.
// One rank.

#include "fake_exchange.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "linear_model.h"

namespace nntrain::train {
namespace {

struct Bench : LinearModel {
  std::unique_ptr<optim::Optimizer> optimizer = optim::optimizers().make(parse_call("SGD(0.5)"));
  FakeExchange* exchange = nullptr;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Scoreboard> board;

  explicit Bench(SumFormat wire = SumFormat::kFloat32) {
    EngineOptions with = options(4);
    with.wire = wire;
    auto fake = std::make_unique<FakeExchange>(exchange_options(model, *optimizer, with));
    exchange = fake.get();
    engine = std::make_unique<Engine>(session(), std::move(fake), model, *optimizer, *loss, with, times);
    model.initialize(5);
    board = std::make_unique<Scoreboard>(metrics, 4);
  }
  comm::StepFlags step() { return engine->step(rows(0, kRows), 0.5, {}, *board); }
  std::vector<float> values() const {
    const std::span<const float> now = exchange->values();
    return {now.begin(), now.end()};
  }
};

std::ptrdiff_t place(const std::vector<std::string>& calls, const std::string& call) {
  return std::find(calls.begin(), calls.end(), call) - calls.begin();
}

TEST(EngineAlone, GradientsAreCompleteBeforeReduceAndPiecesSteppedBeforeShare) {
  Bench bench;
  bench.step();
  const std::vector<std::string>& calls = bench.exchange->calls;
  const std::ptrdiff_t reduce = place(calls, "reduce"), share = place(calls, "share");
  ASSERT_LT(share, static_cast<std::ptrdiff_t>(calls.size()));
  EXPECT_LT(reduce, share);
  std::int64_t completed = 0;
  for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(calls.size()); ++i) {
    const std::string& call = calls[static_cast<std::size_t>(i)];
    if (call.starts_with("complete")) {
      EXPECT_LT(i, reduce) << call;
      ++completed;
    }
    if (call.starts_with("await_sum")) {
      EXPECT_GT(i, reduce);
      EXPECT_LT(i, share);
    }
  }
  EXPECT_GE(completed, 1);  // the bias; the kernel's gradient is its owner's
  for (std::size_t piece = 0; piece < bench.exchange->pieces().size(); ++piece)
    EXPECT_EQ(std::count(calls.begin(), calls.end(), "await_sum " + std::to_string(piece)), 1);
}

TEST(EngineAlone, TheStepIsThatOfTheSumOverAllRanks) {
  Bench alone(SumFormat::kBfloat16),
      joined(SumFormat::kBfloat16);  // no gradient is its owner's: all are exchanged
  joined.exchange->gradients_of_others = 2;
  const std::vector<float> before = alone.values();
  ASSERT_EQ(joined.values(), before);
  alone.step();
  joined.step();
  for (const nn::Variable& variable : alone.model.variables()) {
    for (std::int64_t i = variable.offset; i < variable.offset + variable.size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      EXPECT_NE(alone.values()[at], before[at]);
      EXPECT_NEAR(joined.values()[at], alone.values()[at] - 0.5F * 2, 1e-6) << i;
    }
  }
}

TEST(EngineAlone, AnotherRanksBadLossLeavesEverythingAsItWas) {
  Bench bench;
  bench.step();
  const std::vector<float> before = bench.values();
  const std::vector<double> sums(bench.board->sums().begin(), bench.board->sums().end());
  bench.exchange->flags_of_others = comm::kFlagNonFinite;
  EXPECT_NE(bench.step().bits & comm::kFlagNonFinite, 0U);
  EXPECT_EQ(bench.values(), before);
  EXPECT_TRUE(std::equal(sums.begin(), sums.end(), bench.board->sums().begin()));
  bench.exchange->flags_of_others = comm::kFlagStop;  // any other flag is passed on, and the step is made
  EXPECT_EQ(bench.step().bits, comm::kFlagStop);
  EXPECT_NE(bench.values(), before);
}

}  // namespace
}  // namespace nntrain::train

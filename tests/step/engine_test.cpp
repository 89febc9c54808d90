// One step of an engine, its replica's outputs, its board's sums: against the formulas.

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "linear_model.h"

namespace nntrain::train {
namespace {

double loss_of(const Logs& logs) { return logs.find("loss").value_or(-1); }

void expect_near(const Values& found, const Values& expected, double tolerance) {
  for (std::size_t i = 0; i < found.w.size(); ++i)
    EXPECT_NEAR(found.w[i], expected.w[i], tolerance) << "w " << i;
  for (std::size_t k = 0; k < found.b.size(); ++k)
    EXPECT_NEAR(found.b[k], expected.b[k], tolerance) << "b " << k;
}

struct Bench : LinearModel {
  std::unique_ptr<optim::Optimizer> optimizer = optim::optimizers().make(parse_call("SGD(0.1)"));
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Scoreboard> board, evaluation_board;

  explicit Bench(int shards) {
    engine = std::make_unique<Engine>(session(), model, *optimizer, *loss, options(shards), times);
    if (engine->fills_values()) model.initialize(5);
    session().barrier();
    board = std::make_unique<Scoreboard>(metrics, engine->exchange().local_shards().count());
    evaluation_board = std::make_unique<Scoreboard>(metrics, engine->evaluation_local().count());
  }
  ~Bench() {
    engine->settle();
    session().barrier();
  }
};

TEST(Engine, AStepFollowsTheGradientOfTheWholeMiniBatch) {
  for (const int shards : {1, 2, 3, 8}) {
    Bench bench(shards);
    // Mini-batches of every size, most of which no number of ranks divides.
    for (std::int64_t first = 0, count = 1; first + count <= kRows; first += count, ++count) {
      const Values before = Values::of(bench.model);
      Values gradient;
      const double loss = before.loss(bench, first, count, &gradient);
      session().barrier();  // nobody steps while another still looks
      bench.board->reset();
      const comm::StepFlags flags = bench.engine->step(bench.rows(first, count), 0.1, {}, *bench.board);
      EXPECT_EQ(flags.bits, 0U);
      EXPECT_NEAR(loss_of(bench.engine->totals(*bench.board, "")), loss, 1e-6) << count << " rows";
      bench.engine->settle();
      Values expected = before;
      for (std::size_t i = 0; i < expected.w.size(); ++i) expected.w[i] -= 0.1 * gradient.w[i];
      for (std::size_t k = 0; k < expected.b.size(); ++k) expected.b[k] -= 0.1 * gradient.b[k];
      expect_near(Values::of(bench.model), expected, 1e-6);
    }
  }
}

TEST(Engine, FlagsOfAllRanksAreJoinedAndABadLossIsTold) {
  Bench bench(4);
  const std::uint32_t mine = 1U << (8 + session().rank());
  const comm::StepFlags joined = bench.engine->step(bench.rows(0, kRows), 0.1, {mine}, *bench.board);
  EXPECT_EQ(joined.bits, ((1U << session().size()) - 1U) << 8);
  bench.targets[5] = std::numeric_limits<float>::quiet_NaN();  // one row, so one rank's
  EXPECT_EQ(bench.engine->step(bench.rows(0, kRows), 0.1, {}, *bench.board).bits, comm::kFlagNonFinite);
}

TEST(Engine, AnEvaluationIsTheLossOfAllRows) {
  Bench bench(2);
  bench.evaluation_board->reset();
  bench.engine->evaluate(bench.rows(0, kRows), *bench.evaluation_board);
  EXPECT_NEAR(loss_of(bench.engine->evaluation_totals(*bench.evaluation_board, "")),
              Values::of(bench.model).loss(bench, 0, kRows), 1e-6);
  const Logs named = bench.engine->evaluation_totals(*bench.evaluation_board, "val_");
  EXPECT_TRUE(named.find("val_loss").has_value());
}

TEST(Engine, SetValuesReachesEveryNodesCopy) {
  Bench bench(2);
  std::vector<float> whole(static_cast<std::size_t>(bench.model.total_floats()));
  for (std::size_t i = 0; i < whole.size(); ++i) whole[i] = static_cast<float>(i) + 0.5F;
  bench.engine->set_values(session().is_root() ? whole : std::vector<float>());
  const std::span<const float> values = bench.engine->exchange().values();
  EXPECT_TRUE(std::equal(whole.begin(), whole.end(), values.begin()));
}

TEST(Replica, PredictsItsOwnRows) {
  LinearModel data;
  std::vector<float> values(static_cast<std::size_t>(data.model.total_floats()));
  data.model.bind(values);
  data.model.initialize(5);
  const int shards = evaluation_shards(1);
  ReplicaOptions options;
  options.evaluation = {shards_of_rank(session().rank(), session().size(), shards), shards, nullptr};
  options.evaluation_rows = kRows;
  options.largest_mode = nn::Mode::kInference;
  Replica replica(data.model, nullptr, 1.0F, options, data.times);
  const std::span<const float> mine = replica.predict(data.rows(0, kRows));
  ASSERT_EQ(static_cast<std::int64_t>(mine.size()), replica.rows().count * kOutputs);
  const Values now = Values::of(data.model);
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(mine.size()); ++i) {
    EXPECT_NEAR(mine[static_cast<std::size_t>(i)],
                now.output(data, replica.rows().first + i / kOutputs, i % kOutputs), 1e-6);
  }
  std::int64_t all = 0;
  const std::int64_t own = replica.rows().count;
  for (const std::vector<std::byte>& part : session().gather(std::as_bytes(std::span(&own, 1)))) {
    std::int64_t rows = 0;
    std::memcpy(&rows, part.data(), sizeof(rows));
    all += rows;
  }
  if (session().is_root()) {
    EXPECT_EQ(all, kRows);  // each row is one rank's
  }
}

TEST(Scoreboard, KeepsTheMeanOfBatchLossesByRowsAndForgetsOnReset) {
  const std::vector<NamedMetric> none;
  Scoreboard board(none, 3);
  board.add_loss(0, 2.0 * 4, 4);  // 2.0 over 4 rows
  board.add_loss(2, 5.0 * 1, 1);
  std::vector<double> totals(static_cast<std::size_t>(board.width()), 0.0);
  for (std::size_t i = 0; i < board.sums().size(); ++i) totals[i % totals.size()] += board.sums()[i];
  EXPECT_DOUBLE_EQ(loss_of(board.results(totals, "")), (2.0 * 4 + 5.0) / 5);
  board.reset();
  for (const double sum : board.sums()) EXPECT_EQ(sum, 0);
}

}  // namespace
}  // namespace nntrain::train

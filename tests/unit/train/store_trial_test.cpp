#include "train/step/store_trial.h"

#include <gtest/gtest.h>

namespace nntrain::train {
namespace {

using Way = StoreTrial::Way;

struct Steps {
  StoreTrial trial;
  int in_place = 0, past_caches = 0;

  /// So many steps, which take so long in either way.
  void run(int steps, double seconds_in_place, double seconds_past_caches, std::int64_t rows = 32) {
    in_place = past_caches = 0;
    for (int i = 0; i < steps; ++i) {
      const bool here = trial.way() == Way::kInPlace;
      ++(here ? in_place : past_caches);
      trial.add(here ? seconds_in_place : seconds_past_caches, rows);
    }
  }
};

TEST(StoreTrial, TakesTheQuickerWayAndLooksAgain) {
  Steps steps;
  steps.run(8, 2.0, 1.0);  // both are tried
  EXPECT_GT(steps.in_place, 0);
  EXPECT_GT(steps.past_caches, 0);
  steps.run(500, 2.0, 1.0);
  EXPECT_EQ(steps.in_place, 0);
  steps.run(12, 1.0, 2.0);  // where ranks are has changed: the next trial sees it
  EXPECT_GT(steps.in_place, 0);
  steps.run(500, 1.0, 2.0);
  EXPECT_EQ(steps.past_caches, 0);
}

TEST(StoreTrial, SmallerBatchesAreNotCompared) {
  Steps steps;
  for (int epoch = 0; epoch < 20; ++epoch) {
    steps.run(3, 1.0, 2.0);
    steps.run(1, 0.1, 0.001, 5);  // an epoch's last batch, whichever way its turn is
  }
  steps.run(100, 1.0, 2.0);
  EXPECT_EQ(steps.past_caches, 0);
}

TEST(StoreTrial, OneSlowStepDecidesNothing) {
  Steps steps;
  steps.run(2, 1.0, 2.0);
  steps.run(1, 50.0, 50.0);  // the rank was not running for a while
  steps.run(5, 1.0, 2.0);
  steps.run(100, 1.0, 2.0);
  EXPECT_EQ(steps.past_caches, 0);
}

}  // namespace
}  // namespace nntrain::train

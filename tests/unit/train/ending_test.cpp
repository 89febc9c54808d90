#include "train/loop/ending.h"

#include <gtest/gtest.h>

#include "core/stop_token.h"
#include "train/loop/epoch.h"

namespace nntrain::train {
namespace {

TEST(Ending, DivergenceBeatsEverything) {
  for (const bool stops : {false, true}) {
    for (const bool complete : {false, true}) {
      for (const bool asked : {false, true}) {
        EXPECT_EQ(decide({true, stops, complete, 3, 3, asked}), Ending::kDiverged);
      }
    }
  }
}

TEST(Ending, ACompleteRunIsCompleteEvenWhenAStopArrived) {
  EXPECT_EQ(decide({false, false, true, 3, 3, true}), Ending::kComplete);
  EXPECT_EQ(decide({false, true, true, 1, 3, true}), Ending::kComplete);
}

TEST(Ending, AStopTakesEffectAfterAnyStep) {
  EXPECT_EQ(decide({false, false, false, 2, 3, true}), Ending::kResumable);
  EXPECT_EQ(decide({false, false, true, 2, 3, true}), Ending::kResumable);
  EXPECT_EQ(decide({false, true, false, 2, 3, true}),
            Ending::kResumable);  // the callback's wish waits for the epoch
}

TEST(Ending, OtherwiseTheRunGoesOn) {
  EXPECT_EQ(decide({false, false, false, 2, 3, false}), Ending::kNone);
  EXPECT_EQ(decide({false, true, false, 2, 3, false}), Ending::kNone);
  EXPECT_EQ(decide({false, false, true, 2, 3, false}), Ending::kNone);
}

TEST(StopToken, KeepsEveryReasonAndEachSaveOnce) {
  StopToken token;
  EXPECT_FALSE(token.stop_requested());
  token.request_stop(StopReason::kUser);
  token.request_stop(StopReason::kTimeLimit);
  EXPECT_EQ(stop_reasons_text(token.reasons()), "SIGUSR1 and the time limit");
  EXPECT_FALSE(token.take_save_request());
  token.request_save();
  EXPECT_TRUE(token.take_save_request());
  EXPECT_FALSE(token.take_save_request());
}

TEST(Epochs, StepsPerEpochGoOnInTheDataAndEndShort) {
  FitSettings fit;
  fit.batch_size = 10;
  fit.steps_per_epoch = 4;
  const std::int64_t rows = 95;  // 10 batches: epochs of 4, 4 and 2
  const std::int64_t steps[] = {4, 4, 2, 4}, first[] = {0, 4, 8, 0}, pass[] = {0, 0, 0, 1};
  for (std::int64_t e = 0; e < 4; ++e) {
    const Epoch epoch = epoch_at(e, rows, fit);
    EXPECT_EQ(epoch.steps, steps[e]);
    EXPECT_EQ(epoch.first_batch, first[e]);
    EXPECT_EQ(epoch.pass, pass[e]);
  }
}

}  // namespace
}  // namespace nntrain::train

#include "train/loop/deadline.h"

#include <gtest/gtest.h>

namespace nntrain::train {
namespace {

using Work = Deadline::Work;

TEST(Deadline, NoLimitNeverStops) {
  Deadline deadline;
  deadline.took(Work::kStep, 1e9);
  EXPECT_FALSE(deadline.has_limit());
  EXPECT_FALSE(deadline.must_stop_before({Work::kStep, Work::kEvaluation}, 1e12));
}

TEST(Deadline, StopsWhenTheNextStepAndACheckpointMightNotFit) {
  Deadline deadline(60, "run.max_time");
  deadline.took(Work::kStep, 15);
  deadline.took(Work::kCheckpoint, 11);
  EXPECT_FALSE(deadline.must_stop_before({Work::kStep}, 29));  // ends at 44, the checkpoint at 55
  EXPECT_TRUE(deadline.must_stop_before({Work::kStep}, 35));
  EXPECT_TRUE(deadline.must_stop_before({Work::kStep}, 1000));
}

TEST(Deadline, AnEvaluationCountsWhereOneIsNext) {
  Deadline deadline(100, "run.max_time");
  deadline.took(Work::kStep, 1);
  deadline.took(Work::kEvaluation, 50);
  EXPECT_FALSE(deadline.must_stop_before({Work::kStep}, 60));
  EXPECT_TRUE(deadline.must_stop_before({Work::kEvaluation}, 60));
  EXPECT_TRUE(deadline.must_stop_before({Work::kStep, Work::kEvaluation}, 60));
  EXPECT_FALSE(deadline.must_stop_before({Work::kStep, Work::kEvaluation}, 20));
}

TEST(Deadline, TheLongestCountsNotTheLast) {
  Deadline deadline(100, "run.max_time");
  deadline.took(Work::kStep, 30);
  deadline.took(Work::kStep, 1);
  EXPECT_TRUE(deadline.must_stop_before({Work::kStep}, 75));
}

TEST(Deadline, AnEstimateHoldsUntilTheFirstMeasurement) {
  Deadline deadline(100, "run.max_time");
  deadline.expect(Work::kCheckpoint, 40);
  EXPECT_TRUE(deadline.must_stop_before({Work::kStep}, 70));
  deadline.took(Work::kCheckpoint, 2);
  EXPECT_FALSE(deadline.must_stop_before({Work::kStep}, 70));
  deadline.expect(Work::kCheckpoint, 40);
  EXPECT_FALSE(deadline.must_stop_before({Work::kStep}, 70));
}

// A run played with a clock of our own: whatever steps, evaluations and checkpoints take, and wherever in
// them the limit falls, the run is over in time and stops no earlier than one such round before.
TEST(Deadline, AWholeRunEndsInTime) {
  for (const double limit : {20.0, 61.0, 1000.0, 3600.0}) {
    for (const double step : {0.01, 0.7, 3.0}) {
      for (const double evaluation : {0.0, 0.5, 4.0}) {
        for (const double checkpoint : {0.1, 2.0}) {
          Deadline deadline(limit, "run.max_time");
          deadline.expect(Work::kCheckpoint, checkpoint);
          deadline.expect(Work::kEvaluation, evaluation);
          deadline.expect(Work::kStep, step);
          double now = 1.5;  // the process has loaded its data
          for (int i = 0;; ++i) {
            const bool ends_epoch = i % 10 == 9;
            if (ends_epoch ? deadline.must_stop_before({Work::kStep, Work::kEvaluation}, now)
                           : deadline.must_stop_before({Work::kStep}, now))
              break;
            now += step;
            deadline.took(Work::kStep, step);
            if (!ends_epoch) continue;
            now += evaluation;
            deadline.took(Work::kEvaluation, evaluation);
          }
          now += checkpoint;
          deadline.took(Work::kCheckpoint, checkpoint);
          EXPECT_LE(now, limit);
          EXPECT_GE(now, limit - 1.1 * (step + evaluation + checkpoint) - 2.0 - step);
        }
      }
    }
  }
}

TEST(Deadline, TheEarlierOfMaxTimeAndTheJobsEnd) {
  const double now_unix = 1.7e9;
  EXPECT_FALSE(Deadline::of_run(0, "", now_unix, 5).has_limit());
  EXPECT_EQ(Deadline::of_run(60, "", now_unix, 5).limit_seconds(), 60);
  EXPECT_EQ(Deadline::of_run(0, "1700000100", now_unix, 5).limit_seconds(), 105);
  EXPECT_EQ(Deadline::of_run(60, "1700000100", now_unix, 5).limit_seconds(), 60);
  const Deadline by_job = Deadline::of_run(600, "1700000100", now_unix, 5);
  EXPECT_EQ(by_job.limit_seconds(), 105);
  EXPECT_NE(by_job.source().find("SLURM_JOB_END_TIME"), std::string::npos);
  EXPECT_NE(Deadline::of_run(60, "", now_unix, 5).source().find("run.max_time"), std::string::npos);
  // A job whose end is past must stop at once.
  EXPECT_TRUE(Deadline::of_run(0, "1699999000", now_unix, 5).must_stop_before({Work::kStep}, 5));
}

TEST(Deadline, WhatIsNoEndOfAJobIsNone) {
  for (const char* text : {"", "0", "UNLIMITED", "N/A", "4294967294999", "12:00", "nan", "inf", "-5"})
    EXPECT_FALSE(Deadline::of_run(0, text, 1.7e9, 5).has_limit()) << text;
}

TEST(Deadline, TheReasonSaysWhatIsLeft) {
  Deadline deadline(60, "run.max_time (60 s)");
  deadline.took(Work::kStep, 15);
  deadline.took(Work::kCheckpoint, 11);
  EXPECT_EQ(deadline.reason(40),
            "run.max_time (60 s): 20 s left, a step takes up to 15 s, an evaluation 0 s, a checkpoint 11 s");
}

TEST(Deadline, TheProcessHasAnAge) {
  const double age = process_age_seconds();
  EXPECT_GE(age, 0);
  EXPECT_GE(process_age_seconds(), age);
}

}  // namespace
}  // namespace nntrain::train

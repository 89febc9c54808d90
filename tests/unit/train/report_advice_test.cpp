// What a report says about the next run, from the curves alone.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "train/report/run_report.h"

namespace nntrain::train {
namespace {

std::string advice(const std::vector<double>& loss, const std::vector<double>& validation,
                   const std::string& ended_by = "") {
  RunReport report;
  report.history.columns = {{"loss", loss}, {"val_loss", validation}};
  for (std::size_t i = 0; i < validation.size(); ++i) {
    if (!std::isnan(validation[i]) && (!report.best || validation[i] < validation[*report.best]))
      report.best = i;
  }
  report.ended_by = ended_by;
  std::string all;
  for (const std::string& note : curve_advice(report)) all += note + "\n";
  return all;
}

const std::vector<double> kFalling = {1.0, 0.8, 0.7, 0.6, 0.5, 0.45, 0.4, 0.36, 0.33, 0.3};
const std::vector<double> kFlat = {1.0, 0.8, 0.5, 0.45, 0.44, 0.45, 0.43, 0.45, 0.46, 0.45};

TEST(ReportAdvice, ATrendIsMoreThanOneEpoch) {
  EXPECT_NE(advice(kFalling, kFalling).find("still falling"), std::string::npos);
  // One lucky last epoch after a long plateau is no fall.
  std::vector<double> lucky = kFlat;
  lucky.back() = 0.425;
  EXPECT_EQ(advice(kFalling, lucky).find("still falling"), std::string::npos);
  EXPECT_NE(advice(kFalling, lucky).find("begins to learn by heart"), std::string::npos);
  // One unlucky last epoch does not hide one.
  std::vector<double> unlucky = kFalling;
  unlucky.back() = 0.335;
  EXPECT_NE(advice(kFalling, unlucky).find("still falling"), std::string::npos);
}

TEST(ReportAdvice, NothingIsSaidWhereNothingIsKnown) {
  EXPECT_EQ(advice(kFlat, kFlat), "");                                // both have come to rest
  EXPECT_EQ(advice(kFalling, kFalling, "EarlyStopping"), "");         // it was ended on purpose
  EXPECT_EQ(advice({3, 2, 1}, {3, 2, 1}), "");                        // too short
  EXPECT_EQ(advice({-1, -2, -3, -4, -5}, {-1, -2, -3, -4, -5}), "");  // shares of what is below zero
  const double none = std::nan("");
  EXPECT_EQ(advice(kFlat, {none, none, none, none, none, none, none, none, none, 0.4}), "");
}

TEST(ReportAdvice, EpochsWithoutValidationArePassedOver) {
  const double none = std::nan("");
  const std::vector<double> some = {none, 0.9, none, 0.7, none, 0.5, none, 0.4, none, 0.3};
  EXPECT_NE(advice(kFalling, some).find("still falling"), std::string::npos);
}

TEST(ReportAdvice, OverfittingIsNamedWithItsSize) {
  const std::string note = advice(kFalling, {1, 0.8, 0.5, 0.4, 0.45, 0.5, 0.5, 0.6, 0.7, 0.8});
  EXPECT_NE(note.find("best after 4 epochs and 100 % higher at the end"), std::string::npos) << note;
}

}  // namespace
}  // namespace nntrain::train

// Scores of an evaluation against scikit-learn (tests/golden/make_evaluation.py), and what it leaves open.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "golden_json.h"
#include "metrics/calibration.h"
#include "metrics/classification_report.h"
#include "metrics/curves.h"
#include "metrics/regression_report.h"

namespace nntrain::metrics {
namespace {

void expect_equal(double actual, const Json& expected, const std::string& what) {
  const double value = expected.get<double>();
  EXPECT_NEAR(actual, value, 1e-12 * std::abs(value)) << what;
}

void expect_scores(const ClassScores& actual, const Json& expected, const std::string& what) {
  expect_equal(actual.precision, expected["precision"], what);
  expect_equal(actual.recall, expected["recall"], what);
  expect_equal(actual.f1, expected["f1-score"], what);
  EXPECT_EQ(static_cast<double>(actual.support), expected["support"].get<double>()) << what;
}

struct Case {
  explicit Case(const std::string& name) {
    for (const Json& each : golden::cases("evaluation")) {
      if (each["name"] == name) json = each;
    }
    predictions = golden::values(json["predictions"]);
    targets = golden::values(json["targets"]);
    width = json["outputs"].get<std::size_t>();
  }
  std::vector<float> column(const std::vector<float>& values, std::size_t first) const {
    std::vector<float> one;
    for (std::size_t i = first; i < values.size(); i += width) one.push_back(values[i]);
    return one;
  }
  Json json;
  std::vector<float> predictions, targets;
  std::size_t width = 0;
};

std::vector<std::uint8_t> above(const std::vector<float>& values, float threshold) {
  std::vector<std::uint8_t> result;
  for (const float value : values) result.push_back(value > threshold ? 1 : 0);
  return result;
}

TEST(Evaluation, ClassesAsScikitLearn) {
  const Case iris("iris");
  std::vector<std::int64_t> confusion(iris.width * iris.width, 0);
  std::vector<float> confidence;
  std::vector<std::uint8_t> right;
  for (std::size_t row = 0; row < iris.targets.size(); ++row) {
    const auto begin = iris.predictions.begin() + static_cast<std::ptrdiff_t>(row * iris.width);
    const auto largest = std::max_element(begin, begin + static_cast<std::ptrdiff_t>(iris.width));
    const auto truth = static_cast<std::size_t>(iris.targets[row]);
    const auto predicted = static_cast<std::size_t>(largest - begin);
    ++confusion[truth * iris.width + predicted];
    confidence.push_back(*largest);
    right.push_back(truth == predicted ? 1 : 0);
  }
  const auto classes = static_cast<std::int64_t>(iris.width);
  const ClassificationReport report = classification_report(counts_of(confusion, classes));
  const Json& expected = iris.json["expected"];
  expect_equal(report.accuracy, expected["accuracy"], "accuracy");
  for (std::size_t c = 0; c < iris.width; ++c) {
    const std::string name = iris.json["names"][c].get<std::string>();
    expect_scores(report.classes[c], expected["report"][name], name);
  }
  expect_scores(report.macro, expected["report"]["macro avg"], "macro");
  expect_scores(report.weighted, expected["report"]["weighted avg"], "weighted");
  expect_equal(calibration(confidence, right).error, iris.json["calibration_error"], "calibration");
}

TEST(Evaluation, CurvesAsScikitLearn) {
  const Case cancer("breast_cancer");
  const ScoreCurve curve = score_curve(cancer.predictions, above(cancer.targets, 0.5F));
  expect_equal(roc_area(curve).value(), cancer.json["expected"]["roc_auc"], "ROC area");
  expect_equal(average_precision(curve).value(), cancer.json["expected"]["pr_auc"], "PR area");
  const Json& thresholds = cancer.json["thresholds"];
  EXPECT_EQ(best_f1(curve)->threshold, thresholds["f1"][0].get<double>());
  expect_equal(best_f1(curve)->value, thresholds["f1"][1], "F1");
  EXPECT_EQ(best_youden(curve)->threshold, thresholds["youden"][0].get<double>());
  expect_equal(best_youden(curve)->value, thresholds["youden"][1], "J");
  const std::vector<CurvePoint> some = thinned(curve, 50);
  EXPECT_LE(some.size(), 52U);
  EXPECT_EQ(some.back().false_positives, curve.negatives);
}

TEST(Evaluation, LabelsAsScikitLearn) {
  const Case findings("breast_cancer_findings");
  const auto labels = static_cast<std::int64_t>(findings.width);
  const LabelReport report =
      label_report(above(findings.targets, 0.5F), above(findings.predictions, 0.5F), labels);
  const Json& expected = findings.json["expected"];
  expect_equal(report.accuracy, expected["accuracy"], "accuracy");
  expect_scores(report.micro, expected["report"]["micro avg"], "micro");
  expect_scores(report.macro, expected["report"]["macro avg"], "macro");
  expect_scores(report.weighted, expected["report"]["weighted avg"], "weighted");
  expect_scores(report.samples, expected["report"]["samples avg"], "samples");
}

TEST(Evaluation, RegressionAsScikitLearn) {
  for (const char* name : {"diabetes", "linnerud"}) {
    const Case data(name);
    const Json& expected = data.json["expected"];
    std::vector<RegressionScores> outputs;
    for (std::size_t output = 0; output < data.width; ++output) {
      const std::vector<float> truth = data.column(data.targets, output);
      const std::vector<float> predicted = data.column(data.predictions, output);
      outputs.push_back(regression_scores(truth, predicted));
      const std::vector<double> at = {0, 0.05, 0.25, 0.5, 0.75, 0.95, 1};
      const std::vector<double> found = quantiles(residuals(truth, predicted), at);
      for (std::size_t q = 0; q < at.size(); ++q)
        expect_equal(found[q], data.json["residual_quantiles"][output][q], "quantile");
    }
    const RegressionScores mean = average(outputs);
    expect_equal(mean.mae, expected["mae"], name);
    expect_equal(mean.rmse, expected["rmse"], name);
    expect_equal(mean.r2.value(), expected["r2"], name);
  }
}

TEST(Evaluation, WhatCannotBeKnownIsLeftOpen) {
  const std::vector<float> scores = {0.2F, 0.9F};
  const std::vector<std::uint8_t> all = {1, 1}, none = {0, 0};
  EXPECT_FALSE(roc_area(score_curve(scores, all)).has_value());
  EXPECT_FALSE(roc_area(score_curve(scores, none)).has_value());
  EXPECT_FALSE(average_precision(score_curve(scores, none)).has_value());
  EXPECT_EQ(average_precision(score_curve(scores, all)).value(), 1.0);
  EXPECT_FALSE(best_youden(score_curve(scores, none)).has_value());
  EXPECT_FALSE(regression_scores(std::vector<float>{1.0F}, std::vector<float>{2.0F}).r2.has_value());
}

TEST(Evaluation, ConstantTruthHasTheScoresOfScikitLearn) {
  const std::vector<float> truth(49, 0.1F);
  EXPECT_EQ(regression_scores(truth, truth).r2.value(), 1.0);
  EXPECT_EQ(regression_scores(truth, std::vector<float>(49, 0.2F)).r2.value(), 0.0);
}

}  // namespace
}  // namespace nntrain::metrics

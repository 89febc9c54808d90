// What targets must be besides what the loss says.

#include "train/data/target_rules.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <span>

#include "core/call.h"
#include "core/error.h"

namespace nntrain::train {
namespace {

std::string refusal(const std::vector<float>& values, std::int64_t columns, const std::string& metric) {
  PreparedTargets prepared;
  prepared.info.sample = Shape{columns};
  prepared.values = values;
  try {
    check_signs(prepared, "data.targets \"y.csv\"", metric);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(MetricOfSigns, IsFoundAmongBothKindsOfMetrics) {
  CompileSettings settings;
  settings.metrics = {"accuracy", "mse", "CategoricalHinge"};
  EXPECT_EQ(metric_of_signs(settings, Shape{3}), "");
  settings.weighted_metrics = {"ce", "hinge"};
  EXPECT_EQ(metric_of_signs(settings, Shape{3}), "compile.weighted_metrics = Hinge");
  settings.metrics.push_back(parse_call("SquaredHinge(name=\"margin\")"));
  settings.metrics_origin = "run.ini:12: compile.metrics";
  EXPECT_EQ(metric_of_signs(settings, Shape{3}), "run.ini:12: compile.metrics = SquaredHinge");
}

TEST(MetricOfSigns, TakesZerosAndOnesOrSignsAndNothingElse) {
  EXPECT_EQ(refusal({0, 1, 1, 0}, 1, "m"), "");
  EXPECT_EQ(refusal({-1, 1, 1, -1}, 2, "m"), "");
  EXPECT_EQ(refusal({1, 1}, 1, "m"), "");
  EXPECT_EQ(refusal({-1, 0, 2.5F}, 1, ""), "");  // no such metric
  EXPECT_EQ(
      refusal({1, -1, 1, 1, 1, 0}, 2, "compile.metrics = Hinge"),
      "data.targets \"y.csv\", row 2: the target 0 stands beside -1 in row 0; compile.metrics = Hinge "
      "takes 0 and 1, or -1 and 1 (0 counts as -1 in the first case, and has no meaning in the second); "
      "write the targets so, or leave this metric out");
  EXPECT_NE(refusal({0, 1, -1}, 1, "m").find("row 2: the target -1 stands beside 0 in row 0"),
            std::string::npos);
  for (const float value : {0.5F, 2.0F, -0.25F, 3e9F}) {
    EXPECT_NE(refusal({1, value}, 1, "m").find("row 1: the target "), std::string::npos) << value;
    EXPECT_NE(refusal({1, value}, 1, "m").find("is neither of 0 and 1"), std::string::npos) << value;
  }
}

/// What is said of rows of three targets, under a loss for classes: its error, else its notes.
std::string said_of(const char* loss_name, const std::vector<float>& values) {
  const std::unique_ptr<nn::Loss> loss = nn::losses().make(loss_name);
  TargetRules rules;
  rules.loss = loss.get();
  rules.output_shape = Shape{3};
  rules.where = "data.targets \"y.csv\"";
  data::ArrayInfo info;
  info.element = data::Element::kFloat32;
  info.sample = Shape{3};
  info.rows = static_cast<std::int64_t>(values.size() / 3);
  info.notes = {"how it was read"};
  try {
    const PreparedTargets prepared = prepare_targets(info, std::as_bytes(std::span(values)), rules);
    return prepared.info.notes.size() < 2 ? "" : prepared.info.notes[1];
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(OneHotTargets, OfASparseLossAreOneOneAndElseZero) {
  for (const char* loss : {"sparse_categorical_crossentropy"}) {
    EXPECT_EQ(said_of(loss, {1, 0, 0, 0, 0, 1}), "");
    for (const std::vector<float>& row :
         {std::vector<float>{0, 0, 0}, {1, 1, 0}, {0.5F, 0.9F, 1}, {0.2F, 0.3F, 0.5F}, {0, 0, 0.999F}}) {
      const std::string text = said_of(loss, {0, 1, 0, row[0], row[1], row[2]});
      EXPECT_NE(
          text.find("data.targets \"y.csv\", row 1: the targets " +
                    fmt::format("{:g}, {:g}, {:g}", row[0], row[1], row[2]) + " are not one 1 and else 0"),
          std::string::npos)
          << text;
      EXPECT_NE(text.find("categorical_crossentropy takes probabilities"), std::string::npos) << text;
    }
  }
}

TEST(OneHotTargets, OfACategoricalLossAreSharesAndOthersAreNoted) {
  for (const char* loss : {"categorical_crossentropy", "categorical_focal_crossentropy"}) {
    EXPECT_EQ(said_of(loss, {1, 0, 0, 0.2F, 0.3F, 0.5F, 0.33F, 0.33F, 0.33F}), "") << loss;
    const std::string text = said_of(loss, {1, 0, 0, 1, 1, 0, 0, 0, 0});
    EXPECT_NE(text.find("2 of 3 rows of targets do not sum to 1, first row 1 (1, 1, 0)"), std::string::npos)
        << text;
    EXPECT_NE(said_of(loss, {1, 0, 0, 0, 0, 0}).find("first row 1 (0, 0, 0)"), std::string::npos) << loss;
  }
  EXPECT_EQ(said_of("binary_crossentropy", {1, 1, 0, 0, 0, 0}), "");  // labels
  EXPECT_EQ(said_of("mean_squared_error", {1, 1, 0, 0, 0, 0}), "");
}

}  // namespace
}  // namespace nntrain::train

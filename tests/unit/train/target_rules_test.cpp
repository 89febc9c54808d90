// What targets must be besides what the loss says.

#include "train/data/target_rules.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace nntrain::train

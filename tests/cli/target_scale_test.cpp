// data.target_scale = standardize: golden numbers of make_target_scale.py, and the user's units everywhere
// but in the loss.

#include <cmath>

#include "checkpoint/checkpoint.h"
#include "cli_test.h"
#include "core/json.h"

namespace nntrain::cli_test {
namespace {

class TargetScale : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    std::ifstream file(NNTRAIN_TESTS_DIR "/golden/target_scale.json");
    golden_ = Json::parse(file)["cases"][0];
    write("t.csv", golden_["csv"].get<std::string>());
    write("run.ini",
          "[data]\ninputs = t.csv\ntarget_columns = rent, share\nrows = :10\nvalidation_rows = 10:\n"
          "target_scale = standardize\n[model]\nlayer = Dense(2, kernel_initializer=\"zeros\")\n"
          "[compile]\nloss = mse\noptimizer = SGD(0.1)\nmetrics = mae, mse\n[fit]\nepochs = 30\n"
          "batch_size = 10\nverbose = 2\n[checkpoint]\npath = run.h5\n");
  }

  std::vector<std::vector<double>> predictions(const std::string& model) const {
    const Outcome outcome = run(0, "predict " + model + " --data.inputs=t.csv --output=p.csv");
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    std::istringstream lines(read("p.csv"));
    std::string line;
    std::getline(lines, line);
    header_ = line;
    std::vector<std::vector<double>> rows;
    while (std::getline(lines, line)) {
      const std::size_t comma = line.find(',');
      rows.push_back({std::stod(line), std::stod(line.substr(comma + 1))});
    }
    return rows;
  }

  void expect_golden(const std::vector<std::vector<double>>& rows) const {
    ASSERT_EQ(rows.size(), golden_["predictions"].size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t c = 0; c < 2; ++c) {
        const double expected = golden_["predictions"][i][c].get<double>();
        EXPECT_NEAR(rows[i][c], expected, 1e-5 * std::abs(golden_["mean"][c].get<double>())) << i << " " << c;
      }
    }
  }

  Json golden_;
  mutable std::string header_;
};

TEST_F(TargetScale, LossOfStandardisedTargetsAndMetricsInUnits) {
  const Outcome trained = run(2, "train run.ini");
  ASSERT_EQ(trained.code, 0) << trained.output;
  EXPECT_NE(trained.output.find("NOTE: data.target_scale = standardize: the loss is that of (rent - "),
            std::string::npos)
      << trained.output;
  const checkpoint::Contents contents = checkpoint::read((folder_ / "run.h5").string());
  const Json scale = contents.data["target_scale"];
  for (std::size_t c = 0; c < 2; ++c) {
    for (const char* what : {"mean", "deviation"}) {
      const double expected = golden_[what][c].get<double>();
      EXPECT_NEAR(scale[what][c].get<double>(), expected, 1e-14 * std::abs(expected)) << what << c;
    }
  }
  for (const auto& [name, values] : contents.history.columns) {
    if (!golden_.contains(name)) continue;
    const double expected = golden_[name].get<double>();
    EXPECT_NEAR(values.back(), expected, 2e-5 * std::abs(expected)) << name;
  }
  expect_golden(predictions("run.h5"));
  EXPECT_EQ(header_, "rent,share");
  const Outcome evaluated = run(0, "evaluate run.h5 --data.inputs=t.csv --data.rows=10: --json");
  ASSERT_EQ(evaluated.code, 0) << evaluated.output;
  const Json report = Json::parse(evaluated.output.substr(evaluated.output.find('{')), nullptr, false);
  EXPECT_NEAR(report["mae"].get<double>(), golden_["val_mae"].get<double>(),
              1e-4 * golden_["val_mae"].get<double>());
  EXPECT_NEAR(report["loss"].get<double>(), golden_["val_loss"].get<double>(),
              1e-4 * golden_["val_loss"].get<double>());
}

TEST_F(TargetScale, SameBitsForEveryNumberOfRanksAndAfterAStop) {
  ASSERT_EQ(run(0, "train run.ini").code, 0);
  const std::string straight = digest("run.h5"), past = history("run.h5");
  fs::remove(folder_ / "run.h5");
  ASSERT_EQ(run(3, "train run.ini --fit.epochs=7").code, 0);
  ASSERT_EQ(run(2, "train run.ini").code, 0);
  EXPECT_EQ(digest("run.h5"), straight);
  EXPECT_EQ(history("run.h5"), past);
  const Outcome changed = run(0, "train run.ini --fit.epochs=31 --data.target_scale=none");
  EXPECT_EQ(changed.code, 2);
  EXPECT_NE(changed.output.find("data.target_scale"), std::string::npos) << changed.output;
}

TEST_F(TargetScale, ExportedModelsPredictInUnits) {
  ASSERT_EQ(run(0, "train run.ini").code, 0);
  for (const char* file : {"m.keras", "m.h5"}) {
    const Outcome exported = run(0, std::string("export run.h5 --output=") + file);
    ASSERT_EQ(exported.code, 0) << exported.output;
    EXPECT_NE(exported.output.find("Rescaling"), std::string::npos) << exported.output;
    write("x.csv", "");
    const Outcome outcome = run(0, std::string("predict ") + file +
                                       " --data.inputs=t.csv --data.input_columns=a,b,c --output=p2.csv");
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    std::istringstream lines(read("p2.csv"));
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(line, "output_0,output_1");
    std::vector<std::vector<double>> rows;
    while (std::getline(lines, line))
      rows.push_back({std::stod(line), std::stod(line.substr(line.find(',') + 1))});
    expect_golden(rows);
  }
  const Outcome weights = run(0, "export run.h5 --output=m.npz");
  EXPECT_NE(weights.output.find("these weights make standardised targets"), std::string::npos)
      << weights.output;
}

TEST_F(TargetScale, RefusedWhereItHasNoMeaning) {
  const auto refused = [&](const std::string& options, const std::string& word) {
    const Outcome outcome = run(0, "train run.ini " + options);
    EXPECT_EQ(outcome.code, 2) << outcome.output;
    EXPECT_NE(outcome.output.find(word), std::string::npos) << outcome.output;
    EXPECT_FALSE(fs::exists(folder_ / "run.h5"));
  };
  refused("--compile.loss=mape", "MeanAbsolutePercentageError divides by the targets");
  refused("--compile.loss=binary_crossentropy --data.target_columns=share", "data.");
  refused("--data.target_scale=minmax", "none, standardize");
  write("t.csv", "a,b,c,rent,share\n1,2,3,7,1\n2,3,4,7,2\n3,4,5,7,3\n4,5,6,8,3\n");
  refused("--data.rows=:3 --data.validation_rows=3:", "target \"rent\" is 7 in all 3 training rows");
}

}  // namespace
}  // namespace nntrain::cli_test

// data.columns = patient: group, in whole runs: every rank counts the same rows, the bits do not depend on N.

#include "cli_test.h"

namespace nntrain::cli_test {
namespace {

class Groups : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    std::string table = "patient,a,y\n";
    const char* names[] = {"Ann", "Bo", "Cy", "Di", "Ed"};
    for (int i = 0; i < 101; ++i)
      table += std::string(names[i * i % 5 == 4 ? 1 : i % 5]) + "," + std::to_string(i * 7 % 13) + "," +
               std::to_string(i * 7 % 13 * 0.5) + "\n";
    write("t.csv", table);
    write("run.ini",
          "[data]\ninputs = t.csv\ntarget_columns = y\ncolumns = patient: group\n[model]\nlayer = Dense(1)\n"
          "[compile]\nloss = mse\n[fit]\nepochs = 2\nbatch_size = 16\nverbose = 2\n");
  }
};

TEST_F(Groups, PartsAreTheSameAtEveryNumberOfRanks) {
  for (const char* option : {"--data.validation='split(0.3, shuffle=True)'", "--data.folds=3 --fit.fold=1"}) {
    std::string first;
    for (const int ranks : {1, 2, 3}) {
      const Outcome outcome = run(ranks, std::string("train run.ini --checkpoint.resume=never ") + option);
      ASSERT_EQ(outcome.code, 0) << outcome.output;
      const std::size_t at = outcome.output.find("val_loss: ", outcome.output.find("Epoch 2/2"));
      ASSERT_NE(at, std::string::npos) << outcome.output;
      const std::string loss = outcome.output.substr(at, 16);
      if (first.empty()) first = loss;
      EXPECT_EQ(loss, first) << option << " at " << ranks;
    }
  }
}

TEST_F(Groups, KeysThatCutAGroupAreErrors) {
  const Outcome outcome = run(2, "train run.ini --fit.validation_split=0.2");
  EXPECT_EQ(outcome.code, 2) << outcome.output;
  EXPECT_NE(outcome.output.find("are of one group"), std::string::npos) << outcome.output;
  const Outcome two = run(0, "train run.ini --data.columns='patient: group, a: group' --data.folds=2");
  EXPECT_EQ(two.code, 2) << two.output;
}

}  // namespace
}  // namespace nntrain::cli_test

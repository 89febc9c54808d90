// Callbacks in real runs: a run that is stopped again and again, inside epochs too, and resumed at other
// numbers of ranks decides as the straight run; the files they write are those of the straight run.

#include <algorithm>
#include <set>

#include "cli_test.h"

namespace nntrain::cli_test {
namespace {

// 60 rows for training: four steps an epoch. Large steps, so that something is there to decide from the
// start.
constexpr const char* kDiabetes = R"([data]
inputs = diabetes.csv
input_columns = :10
target_columns = progression
rows = :60
validation_rows = 60:160
[model]
layer = Normalization()
layer = Dense(16, activation="tanh")
layer = Dropout(0.2)
layer = Dense(1)
[compile]
loss = mse
optimizer = SGD(learning_rate=0.02, momentum=0.5)
metrics = mae
[fit]
epochs = 30
batch_size = 16
[checkpoint]
path = run.h5
[run]
seed = 3
shards = 4
)";
constexpr const char* kDeciding =
    " --fit.callback='ReduceLROnPlateau(monitor=\"val_loss\", factor=0.5, patience=1, min_lr=0.0001)'"
    " --fit.callback='EarlyStopping(monitor=\"val_mae\", patience=4, restore_best_weights=True)'"
    " --fit.callback='CSVLogger(\"log.csv\")'"
    " --fit.callback='ModelCheckpoint(\"best/{epoch:02d}-{val_loss:.1f}.h5\", save_best_only=True)'";

class Callbacks : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    for (const char* folder : {"straight", "cut"}) write(std::string(folder) + "/run.ini", kDiabetes);
    write("run.ini", kDiabetes);
    for (const char* place : {"", "straight/", "cut/"}) {
      fs::copy_file(fs::path(NNTRAIN_SOURCE_DIR) / "configs/data/diabetes.csv",
                    folder_ / (place + std::string("diabetes.csv")));
    }
  }
  Outcome train(const std::string& place, int ranks, const std::string& options) {
    const fs::path own = folder_;
    folder_ = own / place;
    const Outcome outcome = run(ranks, "train run.ini --fit.verbose=2" + options);
    folder_ = own;
    return outcome;
  }
  std::set<std::string> names(const std::string& place) const {
    std::set<std::string> found;
    if (!fs::exists(folder_ / place)) return found;
    for (const auto& entry : fs::directory_iterator(folder_ / place))
      found.insert(entry.path().filename().string());
    return found;
  }
};

TEST_F(Callbacks, AStoppedAndResumedRunDecidesAsTheStraightOne) {
  const Outcome straight = train("straight", 2, kDeciding);
  ASSERT_EQ(straight.code, 0) << straight.output;
  const std::string log = read("straight/log.csv");
  const auto epochs = std::count(log.begin(), log.end(), '\n') - 1;
  ASSERT_GE(epochs, 5) << log;
  ASSERT_LT(epochs, 30) << "nothing was stopped early\n" << log;
  ASSERT_NE(log.find(",0.00999999"), std::string::npos) << "no learning rate was reduced\n" << log;

  const std::vector<int> ranks = {0, 3, 2, 1, 4};
  for (std::size_t k = 0; k < 9; ++k) {  // each goes one step further: two epochs and a step
    const Outcome stopped =
        train("cut", ranks[k % ranks.size()], std::string(kDeciding) + " --run.max_time=0.001");
    ASSERT_EQ(stopped.code, 75) << stopped.output;
  }
  // What a killed run leaves behind its last checkpoint.
  std::ofstream(folder_ / "cut/log.csv", std::ios::app) << "2,1,1,1,1,1\n3,2,2,2,2,2\n";
  const Outcome last = train("cut", 3, kDeciding);
  ASSERT_EQ(last.code, 0) << last.output;
  EXPECT_EQ(digest("cut/run.h5"), digest("straight/run.h5"));
  EXPECT_EQ(history("cut/run.h5"), history("straight/run.h5"));
  EXPECT_EQ(read("cut/log.csv"), log);
  EXPECT_EQ(names("cut/best"), names("straight/best"));
  EXPECT_GE(names("cut/best").size(), 1U);
}

TEST_F(Callbacks, AFileOfModelCheckpointIsAStateToGoOnFrom) {
  const std::string saves = " --fit.epochs=6 --fit.callback='ModelCheckpoint(\"{epoch}.h5\")'";
  ASSERT_EQ(train("straight", 2, saves).code, 0);
  for (int epoch = 1; epoch <= 6; ++epoch)
    ASSERT_TRUE(fs::exists(folder_ / "straight" / (std::to_string(epoch) + ".h5"))) << epoch;
  const Outcome on = train("straight", 3, saves + " --checkpoint.path=3.h5");
  ASSERT_EQ(on.code, 0) << on.output;
  EXPECT_EQ(digest("straight/3.h5"), digest("straight/run.h5"));
  EXPECT_EQ(history("straight/3.h5"), history("straight/run.h5"));
}

TEST_F(Callbacks, SavesEverySoManyStepsAndWeightsAlone) {
  ASSERT_EQ(
      train("straight", 2,
            " --fit.epochs=3 --fit.callback='ModelCheckpoint(\"steps/{epoch}-{loss:.3f}.h5\", save_freq=3)'")
          .code,
      0);
  EXPECT_EQ(names("straight/steps").size(), 4U);  // 12 steps
  ASSERT_EQ(train("cut", 2,
                  " --fit.epochs=2 --fit.callback='ModelCheckpoint(\"weights.h5\", save_weights_only=True)'")
                .code,
            0);
  EXPECT_EQ(digest("cut/weights.h5"), digest("cut/run.h5"));
}

TEST_F(Callbacks, EpochsWithoutValidationArePassedOver) {
  const Outcome outcome =
      train("straight", 2, std::string(kDeciding) + " --fit.validation_freq=2 --fit.epochs=5");
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const std::set<std::string> best = names("straight/best");
  EXPECT_GE(best.size(), 1U);
  for (const std::string& name : best)
    EXPECT_TRUE(name.rfind("02-", 0) == 0 || name.rfind("04-", 0) == 0)
        << name << " is of an epoch without validation";
}

TEST_F(Callbacks, WhatTheyNameIsCheckedBeforeTheRun) {
  for (const char* callback : {"EarlyStopping(monitor=\"val_los\")", "ReduceLROnPlateau(\"val_mse\")",
                               "ModelCheckpoint(\"{epoc}.h5\")"}) {
    const Outcome outcome = train("straight", 2, " --fit.callback='" + std::string(callback) + "'");
    EXPECT_EQ(outcome.code, 2) << outcome.output;
    EXPECT_NE(outcome.output.find("command line: fit.callback: "), std::string::npos) << outcome.output;
    EXPECT_EQ(outcome.output.find("Epoch 1"), std::string::npos) << "an epoch was trained\n"
                                                                 << outcome.output;
  }
}

}  // namespace
}  // namespace nntrain::cli_test

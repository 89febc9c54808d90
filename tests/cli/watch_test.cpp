// watch: the status of runs that are finished, stopped, diverged, killed, or have no status file.

#include "cli_test.h"
#include "core/json.h"

namespace nntrain::cli_test {
namespace {

constexpr const char* kRun = R"([data]
inputs = iris.csv
target_columns = species
rows = 30:
validation_rows = :30
[model]
layer = Dense(8, activation="tanh")
layer = Dense(3, activation="softmax")
[compile]
loss = sparse_categorical_crossentropy
optimizer = SGD(learning_rate=0.1)
metrics = accuracy
[fit]
epochs = 3
batch_size = 16
[checkpoint]
path = runs/iris.h5
)";

class WatchTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    write("run.ini", kRun);
    fs::copy_file(fs::path(NNTRAIN_SOURCE_DIR) / "configs/data/iris.csv", folder_ / "iris.csv");
  }
  Json watch() const {
    const Outcome outcome = run(0, "watch runs/iris.h5 --once --json");
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    const Json json = Json::parse(outcome.output, nullptr, false);
    EXPECT_TRUE(json.is_object()) << outcome.output;
    return json;
  }
};

TEST_F(WatchTest, AFinishedRunHasEveryField) {
  ASSERT_EQ(run(2, "train run.ini").code, 0);
  for (int round = 0; round < 2; ++round) {
    SCOPED_TRACE(round == 0 ? "status file" : "checkpoint alone");
    const Json json = watch();
    EXPECT_EQ(json["state"], "finished");
    EXPECT_EQ(json["epoch"], 3);
    EXPECT_EQ(json["epochs"], 3);
    EXPECT_EQ(json["step"], 0);
    EXPECT_EQ(json["steps"], 8);  // 120 rows
    for (const char* name : {"loss", "accuracy", "val_loss", "val_accuracy"}) {
      EXPECT_TRUE(json[name].is_number()) << name;
      EXPECT_EQ(json["results"][name], json[name]);
    }
    EXPECT_GT(json["samples_per_second"].get<double>(), 0);
    EXPECT_EQ(json["seconds_left"], 0);
    EXPECT_EQ(json["ranks"], 2);
    EXPECT_EQ(json["checkpoint"], "runs/iris.h5");
    const auto updated = json["updated"].get<std::string>();
    EXPECT_EQ(updated.size(), 20U) << updated;
    EXPECT_EQ(updated[10], 'T');
    fs::remove(folder_ / "runs/iris.status.json");
  }
  const Outcome words = run(0, "watch runs/iris.h5");  // ends, since the run has
  EXPECT_EQ(words.code, 0);
  EXPECT_NE(words.output.find("finished"), std::string::npos) << words.output;
}

TEST_F(WatchTest, AStoppedRunSaysWhereAndWhy) {
  ASSERT_EQ(run(2, "train run.ini --run.max_time=0:0:0.001").code, 75);
  const Json json = watch();
  EXPECT_EQ(json["state"], "stopped");
  EXPECT_EQ(json["epoch"], 0);
  EXPECT_GE(json["step"].get<int>(), 1);
  EXPECT_NE(json["reason"].get<std::string>().find("time"), std::string::npos) << json;
  fs::remove(folder_ / "runs/iris.status.json");
  const Json alone = watch();
  EXPECT_EQ(alone["state"], "stopped");
  EXPECT_EQ(alone["step"], json["step"]);
  ASSERT_EQ(run(1, "train run.ini").code, 0);
  EXPECT_EQ(watch()["state"], "finished");
}

TEST_F(WatchTest, ADivergedRunSaysSo) {
  ASSERT_EQ(run(2, "train run.ini '--compile.optimizer=SGD(learning_rate=3e38)'").code, 3);
  EXPECT_EQ(watch()["state"], "diverged");
  ASSERT_EQ(run(1,
                "train run.ini --checkpoint.resume=never '--compile.optimizer=SGD(learning_rate=3e38)' "
                "'--fit.callback=TerminateOnNaN(raise_error=True)'")
                .code,
            3);
  EXPECT_EQ(watch()["state"], "diverged");
}

TEST_F(WatchTest, AKilledRunIsGone) {
  ASSERT_EQ(run(0, "train run.ini").code, 0);
  // The shell waits until the run has begun, kills it, and reaps it.
  const Outcome killed = run_shell(
      "cd " + folder_.string() + "; { " + NNTRAIN_PROGRAM +
      " train run.ini --fit.epochs=1000000 > log 2>&1 & job=$!; until grep -q 'Epoch 5/' log || ! kill "
      "-0 $job; do sleep 0.05; done; kill -9 $job; wait $job || true; }");
  ASSERT_EQ(killed.code, 0) << killed.output;
  const Json json = watch();
  EXPECT_EQ(json["state"], "gone");
  EXPECT_EQ(json["epochs"], 1000000);
}

TEST_F(WatchTest, WhatIsThereToWatchIsSaid) {
  const Outcome nothing = run(2, "watch runs/iris.h5 --once");
  EXPECT_EQ(nothing.code, 2) << nothing.output;
  EXPECT_NE(nothing.output.find("runs/iris.status.json"), std::string::npos) << nothing.output;
  write("runs/iris.status.json", "{");
  EXPECT_EQ(run(0, "watch runs/iris.h5 --once --json").code, 2);
}

}  // namespace
}  // namespace nntrain::cli_test

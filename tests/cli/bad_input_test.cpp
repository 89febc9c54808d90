// Bad input gets one clear error, exit code 2, within seconds, and loses nothing; at one and at two ranks.

#include <sys/stat.h>

#include "cli_test.h"

namespace nntrain::cli_test {
namespace {

constexpr const char* kIris = R"([data]
inputs = iris.csv
input_columns = petal_length, petal_width
target_columns = species
[model]
layer = Dense(8, activation="relu")
layer = Dense(3, activation="softmax")
[compile]
loss = sparse_categorical_crossentropy
optimizer = SGD(learning_rate=0.1)
metrics = accuracy
[fit]
epochs = 2
[checkpoint]
path = iris.h5
)";

class BadInput : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    write("run.ini", kIris);
    fs::copy_file(fs::path(NNTRAIN_SOURCE_DIR) / "configs/data/iris.csv", folder_ / "iris.csv");
  }

  /// Every part of `words` must be in the message; nothing may be left behind.
  void expect_refused(const std::string& arguments, const std::vector<std::string>& words, int code = 2) {
    for (const int ranks : {0, 2}) {
      const Outcome outcome = run(ranks, arguments);
      EXPECT_EQ(outcome.code, code) << arguments << " at " << ranks << "\n" << outcome.output;
      for (const std::string& word : words) {
        EXPECT_NE(outcome.output.find(word), std::string::npos) << "\"" << word << "\" is not in\n"
                                                                << outcome.output;
      }
      EXPECT_FALSE(fs::exists(folder_ / "iris.h5")) << arguments;
      EXPECT_EQ(outcome.output.find("terminate called"), std::string::npos) << outcome.output;
    }
  }
};

/// To open a pipe waits for its writer, and a device has no end: every file that is read is a regular one.
TEST_F(BadInput, APipeOrADeviceIsRefusedAtOnceWhereverAFileIsRead) {
  ASSERT_EQ(run(0, "train run.ini --checkpoint.path=model.h5").code, 0);
  for (const char* name : {"pipe", "pipe.json", "pipe.keras", "pipe.h5", "pipe.ini"})
    ASSERT_EQ(::mkfifo((folder_ / name).c_str(), 0600), 0);
  const std::vector<std::string> commands = {"train %",
                                             "train %.ini",
                                             "train run.ini --data.inputs=%",
                                             "train run.ini --data.inputs=[iris.csv,%]",
                                             "train run.ini --data.inputs=%.h5:/x",
                                             "train run.ini --data.targets=%",
                                             "train run.ini --data.validation_inputs=%",
                                             "train run.ini --model.layer= --model.from=%",
                                             "train run.ini --model.layer= --model.from=%.json",
                                             "train run.ini --model.layer= --model.from=%.keras",
                                             "train run.ini --checkpoint.path=%.h5",
                                             "convert % --output=x.h5",
                                             "summary %",
                                             "summary %.json",
                                             "check %",
                                             "inspect %",
                                             "inspect %.h5",
                                             "export % --output=x.keras",
                                             "export %.keras --output=x.h5",
                                             "watch %.h5 --once",
                                             "evaluate model.h5 --data.inputs=%",
                                             "predict model.h5 --data.inputs=% --output=o.csv",
                                             "predict % --data.inputs=iris.csv --output=o.csv"};
  for (std::string command : commands) {
    command.replace(command.find('%'), 1, "pipe");
    const Outcome outcome = run_shell("cd " + folder_.string() + " && timeout -s KILL 20 " + NNTRAIN_PROGRAM +
                                      " " + command + " < /dev/null");
    EXPECT_EQ(outcome.code, 2) << command << "\n" << outcome.output;
    EXPECT_NE(outcome.output.find("a pipe"), std::string::npos) << command << "\n" << outcome.output;
  }
  for (const char* command : {"train /dev/zero", "train run.ini --data.inputs=/dev/zero"})
    expect_refused(command, {"a device", "write what it gives to a file first"});
}

/// Each is an error that names both keys.
TEST_F(BadInput, AKeyThatWouldDoNothingIsRefused) {
  const std::vector<std::vector<std::string>> cases = {
      {"--fit.fold=0", "fit.fold", "data.folds"},
      {"--fit.warmup_epochs=2", "fit.warmup_epochs", "fit.learning_rate_scaling"},
      {"--fit.reference_batch_size=64", "fit.reference_batch_size", "fit.learning_rate_scaling"},
      {"--data.validation_targets=iris.csv", "data.validation_targets", "data.validation_inputs"},
      {"--data.validation_sample_weight=w.npy", "data.validation_sample_weight", "data.validation_inputs"},
      {"--fit.class_weight=0:1,1:2,0:3", "fit.class_weight", "0:3"},
      {"--data.class_names=setosa,virginica,setosa", "data.class_names", "setosa", "twice"},
      {"--data.sample_weight=w.npy --data.columns='sepal_width: weight'", "data.sample_weight",
       "data.columns"},
      {"--data.columns='sepal_width: target'", "data.target_columns", "data.columns", "sepal_width",
       "leaves it out"},
      {"--data.columns='petal_width: target, species: target'", "data.input_columns", "data.columns",
       "petal_width"},
      {"--data.columns='petal_width: ignore'", "data.input_columns", "data.columns", "petal_width",
       "takes it"},
      {"--data.columns='petal_width: weight'", "data.input_columns", "data.columns", "petal_width"},
      {"--data.columns='petal_width: id'", "data.input_columns", "data.columns", "petal_width"},
      {"--data.input_columns= --data.columns='species: ignore'", "data.target_columns", "data.columns",
       "species"},
      {"--data.input_columns=: --data.target_columns=petal_width --compile.loss=mse", "data.input_columns",
       "data.target_columns", "petal_width"},
      {"--data.input_columns=1:4 --data.target_columns=3 --compile.loss=mse", "data.input_columns",
       "data.target_columns", "petal_width"}};
  for (const std::vector<std::string>& one : cases)
    expect_refused("train run.ini " + one.front(), {one.begin() + 1, one.end()});
}

TEST_F(BadInput, AGuessAboutTheColumnsOrTheStepsIsANote) {
  const Outcome steps = run(0, "train run.ini --fit.steps_per_epoch=77 --checkpoint.path=steps.h5");
  EXPECT_EQ(steps.code, 0) << steps.output;
  for (const char* word : {"NOTE: fit.steps_per_epoch = 77", "5 steps"})
    EXPECT_NE(steps.output.find(word), std::string::npos) << word << " is not in\n" << steps.output;
  const std::string regression =
      "train run.ini --model.layer='Dense(1)' --compile.loss=mse --compile.metrics= --checkpoint.path=";
  const Outcome leak = run(0, regression +
                                  "leak.h5 --data.input_columns=petal_length,petal_width "
                                  "--data.target_columns=petal_width");
  EXPECT_EQ(leak.code, 0) << leak.output;
  for (const char* word : {"NOTE", "data.input_columns", "petal_width", "data.target_columns"})
    EXPECT_NE(leak.output.find(word), std::string::npos) << word << " is not in\n" << leak.output;
  const Outcome same = run(0,
                           "train run.ini --model.layer='Dense(2)' --compile.loss=mse --compile.metrics= "
                           "--checkpoint.path=same.h5 --data.input_columns=2:4 --data.target_columns=2:4");
  EXPECT_EQ(same.code, 0) << "an autoencoder: " << same.output;
}

TEST_F(BadInput, TheFileItselfIsFine) {
  const Outcome outcome = run(2, "train run.ini");
  EXPECT_EQ(outcome.code, 0) << outcome.output;
}

/// Open MPI's folder of temporary files is one for all processes that are alone: one that ended could take it
/// away from one that began.
TEST_F(BadInput, AProcessAloneNeedsNoFolderOfTemporaryFiles) {
  const Outcome alone = run(0, "train run.ini", "TMPDIR=/dev/null/nowhere");
  EXPECT_EQ(alone.code, 0) << alone.output;
}

/// With less memory than it needs a run ends, wherever the memory is missed: 137 would be timeout's.
TEST_F(BadInput, ALimitOfMemoryEndsTheRun) {
  for (int megabytes = 150; megabytes <= 450; megabytes += 50) {
    const Outcome outcome =
        run_shell("cd " + folder_.string() + " && unset OMP_NUM_THREADS OPENBLAS_NUM_THREADS && ulimit -v " +
                  std::to_string(1000 * megabytes) + " && timeout -s KILL 60 " + NNTRAIN_PROGRAM +
                  " train run.ini --checkpoint.resume=never");
    EXPECT_NE(outcome.code, 137) << megabytes << " MB\n" << outcome.output;
    EXPECT_EQ(outcome.output.find("terminate called"), std::string::npos) << outcome.output;
  }
}

/// A table of which only the inputs are said: its words are the target more often than not.
TEST_F(BadInput, WordsMayBeTheTargetThatNobodyNamed) {
  expect_refused("train run.ini --data.target_columns= --data.input_columns=",
                 {"\"setosa\" is not a number; if it is the target, say data.target_columns = species; "});
  write("iris.csv", "town,species\nUlm,3\nBonn,4\n");
  expect_refused("train run.ini --data.input_columns=", {"\"Ulm\" is not a number; data.columns = town: "});
}

TEST_F(BadInput, UnknownKey) {
  write("run.ini", std::string(kIris) + "[fit]\nepoch = 3\n");
  expect_refused("train run.ini", {"run.ini:17", "fit.epoch", "\"fit.epochs\""});
  write("run.ini", kIris);
  expect_refused("train run.ini --fit.epoch=3", {"command line", "\"fit.epochs\""});
}

TEST_F(BadInput, UnknownCommand) { expect_refused("trian run.ini", {"\"train\""}); }

TEST_F(BadInput, MissingConfiguration) { expect_refused("train nothing.ini", {"nothing.ini"}); }

TEST_F(BadInput, UnknownLayer) {
  expect_refused("train run.ini --model.layer='Dens(3)'", {"Dens", "\"Dense\""});
}

TEST_F(BadInput, UnknownArgument) {
  expect_refused("train run.ini --model.layer='Dense(3, activaton=\"relu\")'",
                 {"activaton", "\"activation\""});
}

TEST_F(BadInput, UnknownLoss) {
  expect_refused("train run.ini --compile.loss=mean_square_error",
                 {"mean_square_error", "mean_squared_error"});
}

TEST_F(BadInput, NotANumber) { expect_refused("train run.ini --fit.epochs=many", {"fit.epochs", "many"}); }

TEST_F(BadInput, MissingData) { expect_refused("train run.ini --data.inputs=none.csv", {"none.csv"}); }

TEST_F(BadInput, NanInData) {
  std::string text = read("iris.csv");
  text.replace(text.find("4.9"), 3, "4.9");
  write("nan.csv", "a,b,y\n1,2,x\n1,nan,y\n3,4,x\n");
  expect_refused("train run.ini --data.inputs=nan.csv --data.input_columns=a,b --data.target_columns=y",
                 {"nan.csv"});
}

TEST_F(BadInput, LabelOutsideTheClasses) {
  expect_refused("train run.ini --model.layer='Dense(2, activation=\"softmax\")'",
                 {"label 2", "row 100", "[0, 2)"});
}

TEST_F(BadInput, InputsAndTargetsOfDifferentLength) {
  write("short.csv", "y\n0\n1\n");
  expect_refused(
      "train run.ini --data.targets=short.csv --data.target_columns=y --data.input_columns=petal_length",
      {"150", "2", "cardinality"});
}

TEST_F(BadInput, ShapeThatDoesNotFit) {
  expect_refused("train run.ini --model.layer='Dense(3, activation=\"softmax\")' --model.input_shape='(5,)'",
                 {"(5,)", "(2,)"});
}

TEST_F(BadInput, GarbledCheckpointIsRefusedAndKept) {
  write("garbled.h5", "this is no HDF5 file");
  for (const int ranks : {0, 2}) {
    const Outcome outcome = run(ranks, "train run.ini --checkpoint.path=garbled.h5");
    EXPECT_EQ(outcome.code, 2) << outcome.output;
    EXPECT_NE(outcome.output.find("garbled.h5"), std::string::npos) << outcome.output;
    EXPECT_EQ(read("garbled.h5"), "this is no HDF5 file");
  }
}

TEST_F(BadInput, NoRoomForTheCheckpoint) {
  // A limit on file sizes stands for the full disk: the write fails, the old checkpoint stays.
  ASSERT_EQ(run(0, "train run.ini").code, 0);
  const std::string before = read("iris.h5");
  const Outcome outcome = run_shell("cd " + folder_.string() + " && ulimit -f 4 && " + NNTRAIN_PROGRAM +
                                    " train run.ini --fit.epochs=4");
  EXPECT_EQ(outcome.code, 1) << outcome.output;
  EXPECT_TRUE(read("iris.h5") == before);
  for (const auto& entry : fs::directory_iterator(folder_)) {
    EXPECT_EQ(entry.path().filename().string().find("tmp"), std::string::npos)
        << "left behind: " << entry.path();
  }
}

TEST_F(BadInput, SinglesInsteadOfOneJob) {
  const Outcome outcome =
      run(0, "train run.ini",
          "SLURM_JOB_ID=1 SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=4");
  EXPECT_EQ(outcome.code, 2) << outcome.output;
}

/// Before data are read where it can be seen then, else before the first step; nothing is written.
TEST_F(BadInput, MetricsThatWouldTakeOneAnothersColumns) {
  expect_refused("train run.ini --compile.metrics='AUC(name=\"val_loss\")'",
                 {"compile.metrics", "AUC: the name \"val_loss\""});
  expect_refused(
      "train run.ini --compile.metrics='F1Score(), SparseCategoricalAccuracy(name=\"f1_score_1\")' "
      "--compile.loss=categorical_crossentropy",
      {"compile.metrics", "\"f1_score_1\"", "F1Score", "SparseCategoricalAccuracy", "another name"});
  expect_refused("train run.ini --fit.callback='CSVLogger(\"log.csv\", separator=\"c\")'",
                 {"CSVLogger: separator = \"c\"", "\"accuracy\"", "another separator"});
}

}  // namespace
}  // namespace nntrain::cli_test

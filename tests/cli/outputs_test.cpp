// Every file that the program writes: right, or an error; never over an input, a device or somebody else's
// file; owned by one run; found out before the first step.

#include <sys/stat.h>

#include <map>

#include "checkpoint/checkpoint.h"
#include "cli_test.h"
#include "io/hdf5.h"
#include "io/owner_lock.h"

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

class Outputs : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    write("run.ini", kIris);
    fs::copy_file(fs::path(NNTRAIN_SOURCE_DIR) / "configs/data/iris.csv", folder_ / "iris.csv");
  }
  void train() { ASSERT_EQ(run(0, "train run.ini").code, 0); }

  /// Refused with exit code 2, `words` in the message, before anything is trained; every file as it was.
  void expect_refused(const std::string& arguments, const std::vector<std::string>& words) {
    const auto before = files();
    const Outcome outcome = run(0, arguments);
    EXPECT_EQ(outcome.code, 2) << arguments << "\n" << outcome.output;
    for (const std::string& word : words)
      EXPECT_NE(outcome.output.find(word), std::string::npos) << "\"" << word << "\" is not in\n"
                                                              << outcome.output;
    EXPECT_EQ(outcome.output.find("Epoch"), std::string::npos) << outcome.output;
    EXPECT_TRUE(files() == before) << arguments;
  }

  /// Names and bytes of all regular files; other names with their kind.
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      const std::string name = entry.path().lexically_relative(folder_).string();
      all[name] =
          entry.is_regular_file() ? read(name) : std::to_string(static_cast<int>(entry.status().type()));
    }
    return all;
  }
  void expect_no_temporaries() const {
    for (const auto& [name, content] : files()) EXPECT_EQ(name.find("tmp-"), std::string::npos) << name;
  }
  std::vector<float> predictions(const std::string& name) const {
    return io::Hdf5File::open((folder_ / name).string()).root().dataset("predictions").read_all<float>();
  }

  const std::string predict_ = "predict iris.h5 --data.inputs=iris.csv --output=";
};

TEST_F(Outputs, PredictNeverWritesOverItsInputsOrAnotherProgramsFile) {
  train();
  fs::create_symlink("iris.h5", folder_ / "link.h5");
  fs::create_hard_link(folder_ / "iris.csv", folder_ / "hard.csv");
  write("thesis.csv", "name,grade\nAda,1.0\n");
  write("notes.npy", "not even an array");
  expect_refused(predict_ + "iris.h5", {"--output", "iris.h5", "input"});
  expect_refused(predict_ + "link.h5", {"link.h5"});
  expect_refused(predict_ + "iris.csv", {"iris.csv", "input"});
  expect_refused(predict_ + "hard.csv", {"hard.csv"});
  expect_refused(predict_ + "thesis.csv", {"thesis.csv", "remove it first"});
  expect_refused(predict_ + "notes.npy", {"notes.npy"});
  fs::copy_file(folder_ / "iris.h5", folder_ / "other.h5");
  expect_refused(predict_ + "other.h5", {"other.h5"});
  fs::create_directories(folder_ / "folder.csv");
  expect_refused(predict_ + "folder.csv", {"a folder"});
}

/// A table of the truth has the names that predictions have, and a table by epoch need not be of training.
TEST_F(Outputs, OthersTablesWithOurWordsAreKept) {
  std::string rows = "size,price\n";
  for (int i = 0; i < 40; ++i)
    rows += std::to_string(20 + i % 13) + "," + std::to_string(100000 + 3777 * (i % 13)) + "\n";
  write("flats.csv", rows);
  write("flats.ini",
        "[data]\ninputs = flats.csv\ntarget_columns = price\ntarget_scale = standardize\n[model]\nlayer = "
        "Dense(3)\nlayer = Dense(1)\n[compile]\nloss = mse\n[fit]\nepochs = 2\n[checkpoint]\npath = "
        "flats.h5\n");
  ASSERT_EQ(run(0, "train flats.ini").code, 0);
  const std::string flats = "predict flats.h5 --data.inputs=flats.csv --output=";
  for (const char* truth : {"price\n250000\n310000\n199999\n", "price\n250000.5\n310000.25\n",
                            "price\n3.14159265\n2.71828183\n", "price\n20240131\n20240202\n", "price\n",
                            "price\n1234567.891\n2345678.912\n", "epoch,price\n1,2\n"}) {
    write("truth.csv", truth);
    expect_refused(flats + "truth.csv", {"--output", "truth.csv", "remove it first"});
    EXPECT_EQ(read("truth.csv"), truth);
  }
  for (int time = 0; time < 2; ++time) {
    const Outcome own = run(0, flats + "own.csv");
    EXPECT_EQ(own.code, 0) << own.output;
  }
  train();
  write("species.csv", "setosa,versicolor,virginica\n1,0,0\n0,1,0\n");
  expect_refused(predict_ + "species.csv", {"species.csv", "remove it first"});
  for (const char* table : {"epoch,ra,dec\n1,2.5,3.5\n", "epoch,seconds,flux\n1,0.25,3\n", "epoch\n1\n",
                            "epoch,loss,seconds\n1,0.5,2.5\n2,0.25,2.5\n", "epoch,loss\n0,0.5\n1,0.25\n",
                            "epoch,loss,seconds\nJ2000,0.123456789,0.123456789\n"}) {
    write("table.csv", table);
    expect_refused("train run.ini --checkpoint.path=new.h5 --fit.callback='CSVLogger(\"table.csv\")'",
                   {"CSVLogger", "table.csv", "remove it first"});
    expect_refused("export iris.h5 --output=table.csv", {"table.csv", "remove it first"});
    EXPECT_EQ(read("table.csv"), table);
  }
  for (int time = 0; time < 2; ++time) {
    const std::string fresh =
        "train run.ini --checkpoint.path=new.h5 --checkpoint.resume=never --fit.callback=";
    for (const std::string logger : {"'CSVLogger(\"log.csv\")'", "'CSVLogger(\"more.csv\", append=True)'",
                                     "'CSVLogger(\"semicolons.csv\", separator=\";\")'"}) {
      const Outcome own = run(0, fresh + logger);
      EXPECT_EQ(own.code, 0) << own.output;
    }
    const Outcome history = run(0, "export iris.h5 --output=history.csv");
    EXPECT_EQ(history.code, 0) << history.output;
  }
}

TEST_F(Outputs, PredictReplacesItsOwnEarlierFiles) {
  train();
  for (const char* name : {"o.h5", "o.csv", "o.npy"}) {
    ASSERT_EQ(run(0, predict_ + name).code, 0) << name;
    const std::string first = read(name);
    const Outcome again = run(0, predict_ + name);
    EXPECT_EQ(again.code, 0) << again.output;
    EXPECT_TRUE(read(name) == first) << name;
  }
  fs::create_directories(folder_ / "disk");
  fs::create_symlink("disk/real.csv", folder_ / "link.csv");
  EXPECT_EQ(run(0, predict_ + "link.csv").code, 0);
  EXPECT_TRUE(fs::is_symlink(folder_ / "link.csv"));
  EXPECT_EQ(read("disk/real.csv"), read("o.csv"));
  expect_no_temporaries();
}

TEST_F(Outputs, PredictWritesIntoPipesAndDevices) {
  train();
  ASSERT_EQ(run(0, predict_ + "o.csv").code, 0);
  // What is not the predictions goes to standard error.
  const std::string program = "cd " + folder_.string() + " && " + NNTRAIN_PROGRAM + " " + predict_;
  EXPECT_EQ(run_shell("{ " + program + "/dev/stdout 2> /dev/null; }").output, read("o.csv"));
  EXPECT_EQ(run_shell("{ " + program + "/dev/stdout > redirected.csv; }").code, 0);
  EXPECT_EQ(read("redirected.csv"), read("o.csv"));
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  const Outcome piped = run_shell("cd " + folder_.string() + " && (cat pipe > piped.csv & " +
                                  NNTRAIN_PROGRAM + " " + predict_ + "pipe; code=$?; wait; exit $code)");
  EXPECT_EQ(piped.code, 0) << piped.output;
  EXPECT_EQ(read("piped.csv"), read("o.csv"));
  EXPECT_TRUE(fs::is_fifo(folder_ / "pipe"));
  const Outcome full = run(0, predict_ + "/dev/full");
  EXPECT_EQ(full.code, 1) << full.output;
  EXPECT_NE(full.output.find("No space left"), std::string::npos) << full.output;
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(Outputs, PredictOnAFullDiskIsAnErrorAndTheOldFileStays) {
  train();
  std::string big = "petal_length,petal_width\n";
  for (int row = 0; row < 2003; ++row) big += std::to_string(row % 7) + ",1\n";
  write("big.csv", big);
  for (const std::string name : {"o.h5", "o.csv", "o.npy"}) {
    const std::string command = "predict iris.h5 --data.inputs=big.csv --output=" + name;
    ASSERT_EQ(run(0, command).code, 0);
    const std::string before = read(name);
    const Outcome outcome = run_shell("cd " + folder_.string() +
                                      " && ulimit -f 12 && PMIX_MCA_gds=hash " +  // Open MPI's own files
                                      NNTRAIN_PROGRAM + " " + command);
    EXPECT_EQ(outcome.code, 1) << name << outcome.output;
    EXPECT_NE(outcome.output.find("File too large"), std::string::npos) << outcome.output;
    EXPECT_TRUE(read(name) == before) << name;
  }
  expect_no_temporaries();
}

TEST_F(Outputs, TrainNeverWritesOverWhatItReadsOrWhatIsNotItsOwn) {
  write("thesis.csv", "name,grade\nAda,1.0\n");
  write("notes.txt", "do not forget");
  for (const char* output :
       {"--run.profile=iris.csv", "--run.profile=run.ini", "--run.profile=notes.txt", "--run.profile=iris.h5",
        "--run.log=iris.csv", "--run.log=run.ini", "--run.log=notes.txt", "--run.log=iris.h5",
        "--fit.callback='CSVLogger(\"iris.csv\")'", "--fit.callback='CSVLogger(\"./iris.csv\", append=True)'",
        "--fit.callback='CSVLogger(\"thesis.csv\")'", "--fit.callback='CSVLogger(\"x.csv\")' --run.log=x.csv",
        "--fit.callback='ModelCheckpoint(\"iris.h5\")'",
        "--fit.callback='CSVLogger(\"nodir\")' --run.profile=nodir"}) {
    expect_refused(std::string("train run.ini ") + output, {"another name"});
  }
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  for (const char* output : {"--run.profile=pipe", "--run.log=pipe", "--fit.callback='CSVLogger(\"pipe\")'"})
    expect_refused(std::string("train run.ini ") + output, {"a pipe"});
  fs::create_directories(folder_ / "folder");
  for (const char* output : {"--run.profile=folder", "--run.log=folder",
                             "--fit.callback='CSVLogger(\"folder\")'", "--checkpoint.path=folder/"})
    expect_refused(std::string("train run.ini ") + output, {"folder"});
}

TEST_F(Outputs, ADataFileIsNeverACheckpoint) {
  train();
  ASSERT_EQ(run(0, predict_ + "o.h5").code, 0);
  const std::string data =
      "train run.ini --data.inputs=o.h5:/predictions --data.input_columns= "
      "--data.targets=iris.csv --checkpoint.path=";
  for (const char* resume : {"", " --checkpoint.resume=never"})
    expect_refused(data + "o.h5" + resume, {"o.h5", "data.inputs"});
  fs::copy_file(folder_ / "o.h5", folder_ / "another.h5");
  for (const char* resume : {"", " --checkpoint.resume=never"})
    expect_refused(data + "another.h5" + resume, {"another.h5"});
}

TEST_F(Outputs, UnwritablePathsAndNamesAreFoundBeforeTheFirstStep) {
  write("file", "x");
  expect_refused("train run.ini --checkpoint.path=/proc/no/run.h5", {"/proc/no"});
  expect_refused("train run.ini --checkpoint.path=file/run.h5", {"file"});
  expect_refused("train run.ini --checkpoint.path=run.keras", {"run.keras", ".h5"});
  expect_refused("train run.ini --checkpoint.path=run.weights.h5", {"run.weights.h5"});
  expect_refused("train run.ini --model.layer='Dense(3, activation=\"softmax\", name=\".\")'",
                 {"layer name"});
  expect_refused(
      "train run.ini --model.layer=\"$(printf 'Dense(3, activation=\"softmax\", name=\"caf\\351\")')\"",
      {"UTF-8"});
  expect_refused("train run.ini --fit.callback='CSVLogger(\"/proc/no/log.csv\")'", {"/proc/no"});
}

TEST_F(Outputs, ASecondRunOnOneCheckpointIsRefusedAndToldAboutTheFirst) {
  {
    const io::OwnerLock first((folder_ / "iris.h5").string());
    expect_refused("train run.ini",
                   {"iris.h5", "process " + std::to_string(getpid()), io::host_name(), "since"});
    const Outcome outcome = run(2, "train run.ini");
    EXPECT_EQ(outcome.code, 2) << outcome.output;
  }
  train();
  EXPECT_FALSE(fs::exists(folder_ / "iris.h5.lock"));
  {
    const io::OwnerLock first((folder_ / "iris.h5").string());
    EXPECT_EQ(run(0, "inspect iris.h5").code, 0) << "reading needs no lock";
  }
}

TEST_F(Outputs, ADamagedNewestCheckpointFallsBackToTheOneBefore) {
  ASSERT_EQ(run(0, "train run.ini --fit.epochs=4 --checkpoint.path=straight.h5").code, 0);
  train();
  ASSERT_EQ(run(0, "train run.ini --fit.epochs=3").code, 0);
  ASSERT_TRUE(fs::exists(folder_ / "iris.h5.1"));
  fs::resize_file(folder_ / "iris.h5", fs::file_size(folder_ / "iris.h5") - 100);
  const Outcome outcome = run(2, "train run.ini --fit.epochs=4");
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  for (const char* word : {"NOTE", "iris.h5.1", "epoch 2", "iris.1.h5"})
    EXPECT_NE(outcome.output.find(word), std::string::npos) << word << " is not in\n" << outcome.output;
  EXPECT_EQ(digest("iris.h5"), digest("straight.h5"));
}

TEST_F(Outputs, TemporaryFilesOfKilledRunsGo) {
  train();
  const std::string gone = io::host_name() + "-4194303";
  write(".iris.h5.tmp-" + gone, "half");
  write(".o.csv.tmp-" + gone, "half");
  write(".iris.status.json.tmp-" + gone, "half");
  ASSERT_EQ(run(0, "train run.ini --fit.epochs=3").code, 0);
  ASSERT_EQ(run(0, predict_ + "o.csv").code, 0);
  expect_no_temporaries();
  // Killed after its last checkpoint: the next run finds nothing to do, and clears up all the same.
  write(".iris.status.json.tmp-" + gone, "half");
  ASSERT_EQ(run(0, "train run.ini --fit.epochs=3").code, 0);
  expect_no_temporaries();
}

TEST_F(Outputs, CallbacksFilesDoNotCostARunItsCheckpoint) {
  // A limit on file sizes stands for the full disk: room for the run's own file, not for a long log.
  const std::string long_log =
      "--fit.epochs=60 --fit.callback='CSVLogger(\"log.csv\", separator=\"" + std::string(2000, ';') + "\")'";
  const Outcome outcome = run_shell("cd " + folder_.string() + " && ulimit -f 400 && PMIX_MCA_gds=hash " +
                                    NNTRAIN_PROGRAM + " train run.ini " + long_log);
  EXPECT_EQ(outcome.code, 1) << outcome.output;
  EXPECT_NE(outcome.output.find("CSVLogger"), std::string::npos) << outcome.output;
  const checkpoint::Contents contents = checkpoint::read((folder_ / "iris.h5").string());
  EXPECT_GT(contents.state.epoch, 1);
  EXPECT_FALSE(contents.state.finished);
  EXPECT_EQ(read("log.csv").back(), '\n') << "no half of a row";
}

TEST_F(Outputs, HostileModelsAndExpressionsGetShortMessages) {
  std::string deep = R"({"class_name":"Sequential","config":)";
  for (int i = 0; i < 100000; ++i) deep += R"({"a":[)";
  write("deep.json", deep);
  expect_refused("train run.ini --model.layer= --model.from=deep.json", {"levels deep"});
  write("long.ini",
        std::string(kIris) + "[run]\n[model]\nlayer = Dense(" + std::string(700000, '7') + "x)\n");
  const Outcome outcome = run(0, "train long.ini");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_LT(outcome.output.size(), 5000U);
}

TEST_F(Outputs, NamesOfFilesMayHoldAnyBytes) {
  fs::copy_file(folder_ / "iris.csv", folder_ / "caf\xE9.csv");
  const Outcome outcome = run(2, "train run.ini --data.inputs=\"$(printf 'caf\\351.csv')\"");
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_EQ(run(2, "evaluate iris.h5 --data.inputs=iris.csv --data.targets=iris.csv").code, 0);
  EXPECT_EQ(run(2, "train run.ini --data.inputs=\"$(printf 'caf\\351.csv')\" --fit.epochs=3").code, 0);
}

}  // namespace
}  // namespace nntrain::cli_test

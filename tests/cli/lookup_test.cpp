// Layers that turn numbers into indices and indices into vectors, in whole runs: learned of the training
// rows, kept in the checkpoint, the same bits at every number of ranks; values that they do not take are
// errors.

#include "../golden_json.h"
#include "cli_test.h"

namespace nntrain::cli_test {
namespace {

class Lookups : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    std::string table = "zone,floor,price\n";
    for (int i = 0; i < 211; ++i) {
      const int zone = 10 * (i * i % 7) - 20, floor = i * 5 % 11;
      table += std::to_string(zone) + "," + std::to_string(floor) + "," +
               std::to_string(zone * 0.05 + 0.3 * floor) + "\n";
    }
    write("t.csv", table);
  }

  void configure(const std::string& layers) const {
    write("run.ini",
          "[data]\ninputs = t.csv\ntarget_columns = price\n[model]\n" + layers +
              "layer = Flatten()\nlayer = Dense(1)\n[compile]\nloss = mse\n"
              "optimizer = Adam(0.05)\n[fit]\nepochs = 4\nbatch_size = 32\nvalidation_split = 0.2\n"
              "[checkpoint]\npath = run.h5\n");
  }

  std::string digest(const std::string& checkpoint) const {
    const std::string text = run(0, "inspect " + checkpoint).output;
    const std::size_t at = text.find("weights_digest: ");
    return at == std::string::npos ? text : text.substr(at, 80);
  }
};

TEST_F(Lookups, SameBitsAtEveryNumberOfRanksAndAfterAStop) {
  int number = 0;
  for (const char* layers : {"layer = IntegerLookup()\nlayer = Embedding(20, 4)\n",
                             "layer = Discretization(num_bins=5)\nlayer = Embedding(5, 3)\n",
                             "layer = Hashing(9)\nlayer = CategoryEncoding(9)\n"}) {
    configure(layers);
    const std::string name = std::to_string(++number);
    std::string straight;
    for (const int ranks : {1, 2, 3}) {
      const std::string path = name + "r" + std::to_string(ranks) + ".h5";
      const Outcome outcome = run(ranks, "train run.ini --checkpoint.path=" + path);
      ASSERT_EQ(outcome.code, 0) << layers << outcome.output;
      if (straight.empty()) straight = digest(path);
      EXPECT_EQ(digest(path), straight) << layers << ranks;
    }
    const std::string again = " --checkpoint.path=" + name + "s.h5";
    ASSERT_EQ(run(2, "train run.ini --fit.epochs=2" + again).code, 0);
    const Outcome rest = run(3, "train run.ini" + again);
    ASSERT_EQ(rest.code, 0) << rest.output;
    EXPECT_EQ(digest(name + "s.h5"), straight) << layers;
  }
}

TEST_F(Lookups, TheCheckpointAloneTurnsRawRowsIntoPredictions) {
  configure("layer = IntegerLookup()\nlayer = Embedding(20, 4)\n");
  ASSERT_EQ(run(0, "train run.ini").code, 0);
  // A zone that the training rows do not have is Keras' index for what is unknown.
  write("new.csv", "floor,zone\n3,10\n7,12345\n");
  const Outcome file = run(0, "predict run.h5 --data.inputs=new.csv --output=o.csv");
  ASSERT_EQ(file.code, 0) << file.output;
  const Outcome stream = run_shell("cd " + folder_.string() + " && cat new.csv | " + NNTRAIN_PROGRAM +
                                   " predict run.h5 --data.inputs=- --output=s.csv");
  ASSERT_EQ(stream.code, 0) << stream.output;
  EXPECT_EQ(read("s.csv"), read("o.csv"));
}

TEST_F(Lookups, ValuesThatALayerDoesNotTakeAreErrors) {
  configure("layer = Embedding(11, 4)\n");
  const Outcome train = run(2, "train run.ini");
  EXPECT_EQ(train.code, 2) << train.output;
  EXPECT_NE(
      train.output.find("row 0, value 0 of 2 (column zone) is -20, but the layer \"embedding\" takes whole "
                        "numbers from 0 to 10 (input_dim = 11)"),
      std::string::npos)
      << train.output;
  EXPECT_FALSE(fs::exists(folder_ / "run.h5"));
  ASSERT_EQ(run(0, "train run.ini --data.input_columns=floor").code, 0);
  write("new.csv", "floor\n3\n11\n");
  for (const char* command : {"predict run.h5 --data.inputs=new.csv --output=o.csv",
                              "predict run.h5 --data.inputs=- --output=o.csv < new.csv"}) {
    const Outcome outcome = run(0, command);
    EXPECT_EQ(outcome.code, 2) << outcome.output;
    EXPECT_NE(outcome.output.find("row 1, value 0 of 1"), std::string::npos) << outcome.output;
    EXPECT_FALSE(fs::exists(folder_ / "o.csv")) << command;
  }
}

TEST_F(Lookups, TheVocabularyOfAKerasArchiveIsTaken) {
  for (const Json& one : golden::cases("lookups")) {
    if (one["kind"] != "file") continue;
    const std::vector<float> x = golden::values(one["x"]), y = golden::values(one["y"]);
    std::string rows;
    for (std::size_t i = 0; i < x.size(); i += 2)
      rows +=
          std::to_string(static_cast<int>(x[i])) + "," + std::to_string(static_cast<int>(x[i + 1])) + "\n";
    write("x.csv", rows);
    const Outcome outcome = run(0, std::string("predict ") + NNTRAIN_TESTS_DIR +
                                       "/golden/keras_files/lookup.keras --data.inputs=x.csv "
                                       "--data.header=no --output=y.csv");
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    std::istringstream lines(read("y.csv"));
    std::string line;
    std::getline(lines, line);
    for (const float wanted : y) {
      ASSERT_TRUE(std::getline(lines, line));
      EXPECT_NEAR(std::stof(line), wanted, 2e-6);
    }
    return;
  }
  FAIL() << "no such case";
}

}  // namespace
}  // namespace nntrain::cli_test

// export: every format, what it holds, and what it never writes over.

#include <sys/stat.h>

#include <array>

#include "cli_test.h"

namespace nntrain::cli_test {
namespace {

class Export : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    fs::copy_file(fs::path(NNTRAIN_SOURCE_DIR) / "configs/data/iris.csv", folder_ / "iris.csv");
    write("run.ini",
          "[data]\ninputs=iris.csv\ntarget_columns=species\n[model]\nlayer=Dense(6, activation=\"relu\")\n"
          "layer=BatchNormalization()\nlayer=Dense(3, activation=\"softmax\")\n[compile]\n"
          "loss=sparse_categorical_crossentropy\noptimizer=Adam(learning_rate=0.02)\nmetrics=accuracy\n"
          "[fit]\nepochs=3\nverbose=0\nvalidation_split=0.2\nvalidation_freq=2\n[checkpoint]\npath=run.h5\n");
    const Outcome outcome = run(0, "train run.ini");
    ASSERT_EQ(outcome.code, 0) << outcome.output;
  }

  Outcome export_to(const std::string& output, const std::string& file = "run.h5") const {
    return run(0, "export " + file + " --output=" + output);
  }
  /// Refused with exit code 2, with `words`; nothing that is there changes, and nothing is left behind.
  void expect_refused(const std::string& output, const std::string& words) const {
    const auto listing = [&] { return run_shell("ls -lA --full-time " + folder_.string()).output; };
    const std::string before = listing();
    const Outcome outcome = export_to(output);
    EXPECT_EQ(outcome.code, 2) << output << ": " << outcome.output;
    EXPECT_NE(outcome.output.find(words), std::string::npos) << outcome.output << "\nlacks: " << words;
    EXPECT_EQ(listing(), before);
  }
  /// Every bit of the outputs. Keras' files know no names of classes: CSV would differ.
  std::string predictions(const std::string& file) const {
    const Outcome outcome =
        run(0, "predict " + file + " --data.inputs=x.csv --data.target_columns= --output=p.npy");
    EXPECT_EQ(outcome.code, 0) << file << ": " << outcome.output;
    return read("p.npy");
  }
};

constexpr std::array<const char*, 7> kOutputs = {"e.weights.h5", "e.keras", "e.h5",  "e.json",
                                                 "e.npz",        "e.csv",   "e.onnx"};

TEST_F(Export, EveryFormatIsWrittenAndBeginsWithItsMagic) {
  const std::string zip = "PK\x03\x04", hdf5 = "\x89HDF\r\n\x1a\n";
  const std::array<std::string, 7> magic = {hdf5, zip,      hdf5,  "{\"written_by\":\"nntrain-dist export\",",
                                            zip,  "epoch,", "\x08"};
  for (std::size_t i = 0; i < kOutputs.size(); ++i) {
    const Outcome outcome = export_to(kOutputs[i]);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    const std::string bytes = read(kOutputs[i]);
    EXPECT_GT(bytes.size(), 100U) << kOutputs[i];
    EXPECT_TRUE(bytes.starts_with(magic[i])) << kOutputs[i];
    EXPECT_NE(outcome.output.find(std::to_string(bytes.size()) + " bytes"), std::string::npos);
    // An export of this program may be replaced. HDF5 files hold the second in which they were made.
    ASSERT_EQ(export_to(kOutputs[i]).code, 0) << kOutputs[i];
    const bool has_times = i < 3;
    EXPECT_EQ(read(kOutputs[i]).size(), bytes.size()) << kOutputs[i];
    EXPECT_TRUE(has_times || read(kOutputs[i]) == bytes) << kOutputs[i];
  }
  EXPECT_NE(read("e.npz").find("dense/kernel.npy"), std::string::npos);
  EXPECT_NE(read("e.onnx").find("MatMul"), std::string::npos);
  EXPECT_EQ(run_shell("ls -A " + folder_.string() + " | grep -c tmp-").output, "0\n");
}

TEST_F(Export, ArgumentsThatAreNoneAreLeftOut) {
  write(
      "none.ini",
      "[data]\ninputs=iris.csv\ntarget_columns=species\n[model]\nlayer=Dense(6, use_bias=False)\n"
      "layer=ReLU()\nlayer=Dense(3)\n[compile]\noptimizer=sgd\n"
      "loss=SparseCategoricalCrossentropy(from_logits=True)\n[fit]\nepochs=1\n[checkpoint]\npath=none.h5\n");
  ASSERT_EQ(run(0, "train none.ini").code, 0);
  for (const char* output : kOutputs) {
    const Outcome outcome = export_to(output, "none.h5");
    EXPECT_EQ(outcome.code, 0) << output << ": " << outcome.output;
  }
}

TEST_F(Export, KerasFilesPredictTheSame) {
  const std::string rows = read("iris.csv");
  std::istringstream lines(rows);
  std::string inputs;
  for (std::string line; std::getline(lines, line);) inputs += line.substr(0, line.rfind(',')) + "\n";
  write("x.csv", inputs);
  const std::string expected = predictions("run.h5");
  EXPECT_EQ(expected.size(), 192U + 150 * 3 * sizeof(float));
  for (const char* output : {"e.h5", "e.keras"}) {
    ASSERT_EQ(export_to(output).code, 0);
    EXPECT_EQ(predictions(output), expected) << output;
    EXPECT_EQ(digest(output), digest("run.h5")) << output;
  }
}

TEST_F(Export, TheArchitectureAndTheHistoryAreTheRuns) {
  ASSERT_EQ(export_to("e.json").code, 0);
  const Outcome summary = run(0, "summary e.json");
  EXPECT_EQ(summary.code, 0) << summary.output;
  EXPECT_NE(summary.output.find("batch_normalization"), std::string::npos) << summary.output;
  ASSERT_EQ(export_to("e.csv").code, 0);
  EXPECT_EQ(read("e.csv"), run(0, "inspect run.h5 --history=csv").output);
}

TEST_F(Export, NothingIsWrittenOverThatItDidNotWrite) {
  expect_refused("e.txt", ".keras");
  expect_refused("", "--output");
  expect_refused("run.h5", "be written over \"run.h5\"");
  expect_refused("./../" + folder_.filename().string() + "/run.h5", "be written over \"run.h5\"");
  fs::create_symlink("run.h5", folder_ / "soft.h5");
  fs::create_hard_link(folder_ / "run.h5", folder_ / "hard.keras");
  expect_refused("soft.h5", "be written over \"run.h5\"");
  expect_refused("hard.keras", "be written over \"run.h5\"");
  fs::copy_file(folder_ / "run.h5", folder_ / "other.h5");
  expect_refused("other.h5", "was not written by nntrain-dist as such an output");  // another checkpoint
  expect_refused("iris.csv", "was not written by nntrain-dist as such an output");
  for (const char* output : kOutputs) {
    write(output, "epoch,mine\n1,2\n");
    expect_refused(output, "was not written by nntrain-dist as such an output");
  }
  fs::create_directory(folder_ / "folder.keras");
  ASSERT_EQ(mkfifo((folder_ / "pipe.json").c_str(), 0600), 0);
  fs::create_symlink("/dev/null", folder_ / "null.onnx");
  expect_refused("folder.keras", "is a folder");
  expect_refused("pipe.json", "is a pipe");
  expect_refused("null.onnx", "is a device");
}

TEST_F(Export, LinksStayAndLeadToTheNewFile) {
  fs::create_directory(folder_ / "there");
  fs::create_symlink("there/target.onnx", folder_ / "link.onnx");
  write("there/target.onnx", "");  // an empty file may be replaced
  ASSERT_EQ(export_to("link.onnx").code, 0);
  EXPECT_TRUE(fs::is_symlink(folder_ / "link.onnx"));
  EXPECT_GT(read("there/target.onnx").size(), 100U);
  EXPECT_EQ(export_to("new/folder/e.npz").code, 0);
  EXPECT_TRUE(fs::exists(folder_ / "new/folder/e.npz"));
}

}  // namespace
}  // namespace nntrain::cli_test

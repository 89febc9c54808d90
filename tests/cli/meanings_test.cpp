// What numbers stand for, classes and columns, is what the training says: later files never give them another
// meaning in silence.

#include "cli_test.h"

namespace nntrain::cli_test {
namespace {

class Meanings : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    write("base.ini",
          "[data]\ntarget_columns = y\n[compile]\nloss = sparse_categorical_crossentropy\noptimizer = sgd\n"
          "metrics = accuracy\n[model]\nlayer = Dense(3, activation=\"softmax\")\n[fit]\nepochs = 1\n"
          "batch_size = 4\nverbose = 2\n[checkpoint]\npath = run.h5\n");
    write("012.csv", labelled({"0", "1", "2"}));
    write("124.csv", labelled({"1", "2", "4"}));
    write("words.csv", labelled({"cat", "cow", "dog"}));
    write("others.csv", labelled({"cow", "dog", "zebra"}));
  }
  static std::string labelled(const std::vector<std::string>& labels) {
    std::string text = "a,b,y\n";
    for (int row = 0; row < 12; ++row) {
      text += std::to_string(0.25 * row) + "," + std::to_string(3 - 0.5 * row) + "," +
              labels[static_cast<std::size_t>(row) % 3] + "\n";
    }
    return text;
  }
  void train(const std::string& more) const {
    const Outcome outcome = run(0, "train base.ini " + more);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
  }
  void expect_refused(const std::string& command, const std::string& why, int ranks = 0) const {
    const Outcome outcome = run(ranks, command);
    EXPECT_EQ(outcome.code, 2) << command << "\n" << outcome.output;
    EXPECT_NE(outcome.output.find(why), std::string::npos) << command << "\n" << outcome.output;
  }
  void expect_note(const std::string& command, const std::string& note) const {
    const Outcome outcome = run(0, command);
    EXPECT_EQ(outcome.code, 0) << command << "\n" << outcome.output;
    EXPECT_NE(outcome.output.find(note), std::string::npos) << command << "\n" << outcome.output;
  }
};

constexpr const char* kOutside =
    "label 4 lies outside the classes [0, 3) of the model's output; the classes are those of the training";

TEST_F(Meanings, LabelsAreNeverNumberedAnewAfterTraining) {
  train("--data.inputs=012.csv");
  for (const int ranks : {0, 2}) expect_refused("evaluate run.h5 --data.inputs=124.csv", kOutside, ranks);
  expect_refused(
      "train base.ini --data.inputs=012.csv --data.validation_inputs=124.csv "
      "--checkpoint.path=other.h5",
      kOutside);
  expect_note("evaluate run.h5 --data.inputs=124.csv --data.class_names=1,2,4", "accuracy");
  train("--data.inputs=words.csv --checkpoint.path=words.h5");
  expect_refused("evaluate words.h5 --data.inputs=124.csv", kOutside);
  EXPECT_EQ(run(0, "export run.h5 --output=run.keras").code, 0);
  expect_refused("evaluate run.keras --data.inputs=124.csv --data.target_columns=y", kOutside);
}

TEST_F(Meanings, AResumeHasTheSameClassesAndColumns) {
  train("--data.inputs=012.csv");
  expect_refused("train base.ini --data.inputs=124.csv --fit.epochs=2",
                 "was trained with the classes 0, 1, .., the configuration says [1.0, 2.0, 4.0]");
  std::string renamed = read("012.csv");
  renamed.replace(0, 3, "a,c");
  write("renamed.csv", renamed);
  expect_refused(
      "train base.ini --data.inputs=renamed.csv --fit.epochs=2",
      "was trained with inputs of the columns [\"a\", \"b\"], the configuration says [\"a\", \"c\"]");
  train("--data.inputs=words.csv --checkpoint.path=words.h5");
  expect_refused("train base.ini --data.inputs=others.csv --fit.epochs=2 --checkpoint.path=words.h5",
                 "was trained with the classes [\"cat\", \"cow\", \"dog\"]");
  train("--data.inputs=012.csv --fit.epochs=2");
}

TEST_F(Meanings, OtherValidationRowsAreNamed) {
  train("--data.inputs=012.csv --data.rows=6: --data.validation_rows=:6");
  expect_note("train base.ini --data.inputs=012.csv --data.rows=6: --data.validation_rows=1:3 --fit.epochs=2",
              "data.validation_rows changes from here on: it was :6, it is 1:3");
}

TEST_F(Meanings, WeightsOfAnotherTrainingSayWhatTheyWereFor) {
  train("--data.inputs=words.csv --data.scale=0.5");
  const std::string from = "train from.ini --checkpoint.resume=never ";
  std::string config = read("base.ini");
  config.replace(config.find("[model]\nlayer = Dense(3, activation=\"softmax\")"),
                 std::string("[model]\nlayer = Dense(3, activation=\"softmax\")").size(),
                 "[model]\nfrom = run.h5");
  config.replace(config.find("path = run.h5"), 13, "path = from.h5");
  write("from.ini", config);
  expect_note(
      from + "--data.inputs=others.csv",
      "NOTE: model.from: the classes of its training were [\"cat\", \"cow\", \"dog\"], this run's are "
      "[\"cow\", \"dog\", \"zebra\"]");
  expect_note(from + "--data.inputs=words.csv",
              "NOTE: model.from: its training multiplied the inputs by data.scale = 0.5, this run by 1");
  expect_refused(from + "--data.inputs=words.csv --data.input_columns=b,a",
                 "model.from: its weights are for the inputs a, b, in this order; data.inputs has b, a. Give "
                 "data.input_columns = a, b",
                 2);
}

TEST_F(Meanings, LastLayersThatTheLossDoesNotSuitAreNamed) {
  const std::string command = "train base.ini --data.inputs=012.csv --checkpoint.resume=never ";
  constexpr const char* kBare =
      "NOTE: layer \"dense\" gives any numbers, SparseCategoricalCrossentropy takes probabilities";
  constexpr const char* kTwice =
      "NOTE: layer \"dense\" gives probabilities, SparseCategoricalCrossentropy(from_logits=True) takes";
  const std::string logits = "\"--compile.loss=SparseCategoricalCrossentropy(from_logits=True)\" ";
  std::string bare = read("base.ini");
  bare.replace(bare.find(", activation=\"softmax\""), 22, "");
  write("bare.ini", bare);
  expect_note(command + logits, kTwice);
  expect_note("train bare.ini --data.inputs=012.csv --checkpoint.resume=never", kBare);
  for (const Outcome& right : {run(0, command), run(0,
                                                    "train bare.ini --data.inputs=012.csv "
                                                    "--checkpoint.resume=never " +
                                                        logits)}) {
    EXPECT_EQ(right.code, 0) << right.output;
    EXPECT_EQ(right.output.find("NOTE: layer"), std::string::npos) << right.output;
  }
}

TEST_F(Meanings, StratifyWantsClasses) {
  write("values.csv", "a,b,y\n1,2,0.5\n2,3,1.5\n3,4,2.5\n4,5,2.5\n");
  expect_refused(
      "train base.ini --data.inputs=values.csv --compile.loss=mse --compile.metrics=mae "
      "\"--data.validation=split(0.5, shuffle=True, stratify=True)\"",
      "the target of row 0 is there once (3 different targets in 4 rows)");
}

TEST_F(Meanings, ConvertedFilesKeepTheirColumnsAndClasses) {
  std::string few = "a,b,y\n", turned = "b,a,y\n";
  for (int row = 0; row < 8; ++row) {
    const std::string a = std::to_string(0.3 * row), b = std::to_string(2 - 0.4 * row);
    few += a + "," + b + "," + (row % 3 == 0 ? "dog" : "cow") + "\n";
    turned += b + "," + a + "," + (row % 3 == 0 ? "dog" : "cow") + "\n";
  }
  write("few.csv", few);
  write("turned.csv", turned);
  for (const char* name : {"words", "few", "turned", "others"}) {
    const std::string file = name;
    ASSERT_EQ(run(0, "convert " + file + ".csv --output=" + file + ".h5 --data.target_columns=y").code, 0);
  }
  train("--data.inputs=words.h5:/inputs --data.targets=words.h5:/targets");
  const auto report = [&](const std::string& data) {
    const Outcome outcome = run(0, "evaluate run.h5 --json " + data);
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    const std::size_t begin = outcome.output.find("{\"rows\"");  // after notes
    return begin == std::string::npos
               ? outcome.output
               : outcome.output.substr(begin, outcome.output.find('\n', begin) - begin);
  };
  // Without a cat the file's own indices are others: classes go by their names.
  const std::string expected = report("--data.inputs=few.csv --data.target_columns=y");
  EXPECT_EQ(report("--data.inputs=few.h5:/inputs --data.targets=few.h5:/targets"), expected);
  EXPECT_EQ(report("--data.inputs=turned.csv --data.target_columns=y"), expected);
  expect_refused("evaluate run.h5 --data.inputs=turned.h5:/inputs --data.targets=turned.h5:/targets",
                 "was converted with the columns b, a; the others are a, b");
  expect_refused("evaluate run.h5 --data.inputs=others.h5:/inputs --data.targets=others.h5:/targets",
                 "holds the class \"zebra\", which is none of the classes cat, cow, dog");
  expect_refused(
      "train base.ini --data.inputs='words.h5:/inputs, turned.h5:/inputs' --data.targets='words.h5:"
      "/targets, turned.h5:/targets' --data.target_columns= --checkpoint.path=both.h5",
      "was converted with the columns b, a; the others are a, b");
}

}  // namespace
}  // namespace nntrain::cli_test

// Text as inputs, in whole runs: unknown categories of a table's columns, and StringLookup, whose checkpoint
// turns rows of words into predictions.

#include "../golden_json.h"
#include "cli_test.h"

namespace nntrain::cli_test {
namespace {

class Words : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    const char* towns[] = {"Ulm", "Kiel", "Bonn", "K\xC3\xB6ln", "Aalen"};
    std::string table = "town,street,price\n";
    for (int i = 0; i < 211; ++i) {
      const int town = i * i % 5, street = i * 7 % 11;
      table += std::string(towns[town]) + ",\"street " + std::to_string(street) + ", left\"," +
               std::to_string(0.5 * town + 0.1 * street) + "\n";
    }
    write("t.csv", table);
  }

  /// `layers`: before the last Dense.
  void configure(const std::string& layers, const std::string& data = "") const {
    write("run.ini",
          "[data]\ninputs = t.csv\ntarget_columns = price\n" + data + "[model]\n" + layers +
              "layer = Flatten()\nlayer = Dense(1)\n[compile]\nloss = mse\n"
              "optimizer = Adam(0.05)\n[fit]\nepochs = 4\nbatch_size = 32\nvalidation_split = 0.2\n"
              "[checkpoint]\npath = run.h5\n");
  }

  Outcome pipe(const std::string& file, const std::string& output) const {
    return run_shell("cd " + folder_.string() + " && cat " + file + " | " + NNTRAIN_PROGRAM +
                     " predict run.h5 --data.inputs=- --output=" + output);
  }

  /// What predict says of new.csv; from standard input the predictions (o.csv) are the same.
  std::string predict_from_file_and_input() const {
    const Outcome file = run(0, "predict run.h5 --data.inputs=new.csv --output=o.csv");
    EXPECT_EQ(file.code, 0) << file.output;
    const Outcome stream = pipe("new.csv", "s.csv");
    EXPECT_EQ(stream.code, 0) << stream.output;
    EXPECT_EQ(read("s.csv"), read("o.csv"));
    EXPECT_NE(stream.output.find("a word that"), std::string::npos) << stream.output;
    return file.output;
  }
};

constexpr const char* kLookup = "layer = StringLookup()\nlayer = Embedding(20, 4)\n";

TEST_F(Words, SameBitsAtEveryNumberOfRanksStreamedAndAfterAStop) {
  configure(kLookup);
  std::string straight;
  for (const int ranks : {1, 2, 3}) {
    const std::string path = "r" + std::to_string(ranks) + ".h5";
    const Outcome outcome = run(ranks, "train run.ini --checkpoint.path=" + path);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    if (straight.empty()) straight = digest(path);
    EXPECT_EQ(digest(path), straight) << ranks;
  }
  ASSERT_EQ(run(2, "train run.ini --fit.epochs=2 --checkpoint.path=s.h5").code, 0);
  const Outcome rest = run(3, "train run.ini --checkpoint.path=s.h5");
  ASSERT_EQ(rest.code, 0) << rest.output;
  EXPECT_EQ(digest("s.h5"), straight);
  for (const char* memory : {"resident", "stream"}) {
    const std::string where =
        std::string(" --data.memory=") + memory + " --checkpoint.path=" + memory + ".h5";
    const Outcome outcome = run(2, "train run.ini --fit.shuffle=False" + where);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
  }
  EXPECT_EQ(digest("stream.h5"), digest("resident.h5"));
}

TEST_F(Words, TheCheckpointAloneTurnsTextIntoPredictions) {
  configure(kLookup);
  ASSERT_EQ(run(2, "train run.ini").code, 0);
  write("new.csv", "street,town\n\"street 3, left\",Ulm\nnowhere,Ulm\nnowhere,Rome\n1.5,Kiel\n");
  const std::string said = predict_from_file_and_input();
  EXPECT_NE(said.find("column \"street\": 3 cells hold a word that the model's vocabulary does not have "
                      "(\"nowhere\", \"1.5\"): taken as [UNK]"),
            std::string::npos)
      << said;
  const Outcome evaluate = run(2, "evaluate run.h5 --data.inputs=t.csv --data.target_columns=price");
  EXPECT_EQ(evaluate.code, 0) << evaluate.output;
  const Outcome exported = run(0, "export run.h5 --output=run.keras");
  ASSERT_EQ(exported.code, 0) << exported.output;
  const Outcome again = run(0,
                            "predict run.keras --data.inputs=new.csv --data.header=yes "
                            "--data.input_columns=town,street --output=k.csv");
  ASSERT_EQ(again.code, 0) << again.output;
  EXPECT_EQ(read("k.csv").substr(read("k.csv").find('\n')), read("o.csv").substr(read("o.csv").find('\n')));
  const Outcome onnx = run(0, "export run.h5 --output=run.onnx");
  EXPECT_EQ(onnx.code, 2) << onnx.output;
  EXPECT_NE(onnx.output.find("\"string_lookup\": ONNX has no operators for the layer StringLookup"),
            std::string::npos)
      << onnx.output;
}

TEST_F(Words, AStringLookupBehindNumbersIsNamedBeforeTheTableIsReadAsNumbers) {
  configure("layer = Dense(4)\nlayer = StringLookup()\n");
  for (const int ranks : {0, 2}) {
    const Outcome outcome = run(ranks, "train run.ini");
    EXPECT_EQ(outcome.code, 2) << outcome.output;
    EXPECT_NE(outcome.output.find("the layer Dense before it gives numbers; it must come first"),
              std::string::npos)
        << outcome.output;
  }
}

TEST_F(Words, UnknownCategoriesOfATableHaveIndex0) {
  configure("", "columns = town: categorical(oov), street: categorical(indices, oov)\n");
  ASSERT_EQ(run(2, "train run.ini").code, 0);
  write("new.csv", "street,town\n\"street 3, left\",Ulm\nnowhere,Ulm\nnowhere,Rome\n");
  const std::string said = predict_from_file_and_input();
  EXPECT_NE(said.find("column \"town\": 1 cell holds a word that the training rows do not have (\"Rome\"): "
                      "taken as [UNK]"),
            std::string::npos)
      << said;
  configure("", "columns = town: categorical, street: ignore\n");
  ASSERT_EQ(run(0, "train run.ini --checkpoint.resume=never").code, 0);
  const Outcome refused = run(0, "predict run.h5 --data.inputs=new.csv --output=o.csv");
  EXPECT_EQ(refused.code, 2) << refused.output;
  EXPECT_NE(refused.output.find("data.columns = town: categorical(oov)"), std::string::npos)
      << refused.output;
}

TEST_F(Words, ModelsOfKerasThatTakeText) {
  int tried = 0;
  for (const Json& one : golden::cases("words")) {
    if (one["kind"] != "file") continue;
    const std::string name = one["name"].get<std::string>();
    const std::vector<float> y = golden::values(one["y"]);
    std::string rows;
    std::vector<float> wanted;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const std::string a = one["x"]["words"][2 * i].get<std::string>(),
                        b = one["x"]["words"][2 * i + 1].get<std::string>();
      if (a.empty() && name != "words.keras") continue;  // missing, where it is no mask_token
      rows += "\"" + a + "\"," + b + "\n";
      wanted.push_back(y[i]);
    }
    write("x.csv", rows);
    const Outcome outcome = run(0, "predict " + std::string(NNTRAIN_TESTS_DIR) + "/golden/keras_files/" +
                                       name + " --data.inputs=x.csv --data.header=no --output=y.csv");
    ASSERT_EQ(outcome.code, 0) << name << outcome.output;
    std::istringstream lines(read("y.csv"));
    std::string line;
    std::getline(lines, line);
    for (const float value : wanted) {
      ASSERT_TRUE(std::getline(lines, line)) << name;
      EXPECT_NEAR(std::stof(line), value, 2e-6) << name;
    }
    ++tried;
  }
  EXPECT_EQ(tried, 3);
}

TEST_F(Words, WhatCannotBeIsOneError) {
  const auto expect = [&](const std::string& arguments, const std::string& said) {
    const Outcome outcome = run(0, arguments);
    EXPECT_EQ(outcome.code, 2) << arguments << outcome.output;
    EXPECT_NE(outcome.output.find(said), std::string::npos) << arguments << outcome.output;
    EXPECT_FALSE(fs::exists(folder_ / "run.h5")) << arguments;
  };
  configure(kLookup);
  expect("train run.ini --data.scale=0.5", "data.scale = 0.5: the inputs are text");
  expect("train run.ini --data.columns='town: categorical'", "the model's layer StringLookup takes text");
  write("n.idx", std::string("\0\0\x08\x01\0\0\0\x02"
                             "ab",
                             10));
  expect("train run.ini --data.inputs=n.idx",
         "holds numbers (IDX), but the model's layer StringLookup takes text");
  configure("layer = StringLookup(num_oov_indices=-1)\n");
  expect("train run.ini", "model.layer 1 (StringLookup): The value of `num_oov_indices`");
  configure("layer = Dense(3)\nlayer = StringLookup()\n");
  expect("train run.ini --data.columns='town: categorical, street: categorical'",
         "model.layer 2 (StringLookup)");
  configure("");
  expect("train run.ini", "column \"town\": \"Ulm\" is not a number");
  expect("train run.ini --data.columns='town: text'", "StringLookup takes text");
  expect("train run.ini --data.columns='town: categorical(foo)'", "none of one_hot, indices, oov");
}

}  // namespace
}  // namespace nntrain::cli_test

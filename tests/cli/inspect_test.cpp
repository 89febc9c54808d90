// inspect and summary: for people in words, for programs as JSON and CSV, every value as in the file.

#include <cmath>
#include <cstring>

#include "checkpoint/checkpoint.h"
#include "cli_test.h"
#include "core/json.h"

namespace nntrain::cli_test {

namespace {

class InspectTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    std::string rows = "x0,x1,y\n";
    for (int i = 0; i < 20; ++i)
      rows += std::to_string(i % 3) + ".5," + std::to_string(i % 7) + "," + std::to_string(i % 2) + "\n";
    write("data.csv", rows);
    write("run.ini",
          "[data]\ninputs = data.csv\ntarget_columns = y\nvalidation_rows = :4\nrows = 4:\n[model]\n"
          "layer = Dense(3, activation=\"relu\", name=\"hidden\")\nlayer = BatchNormalization()\n"
          "layer = Dense(1, activation=\"sigmoid\", name=\"out\")\n[compile]\nloss = binary_crossentropy\n"
          "optimizer = Adam(learning_rate=0.1)\nmetrics = accuracy\n[fit]\nepochs = 3\nbatch_size = "
          "8\nverbose = 0\n"
          "validation_freq = 2\n");
    const Outcome outcome = run(0, "run.ini");
    ASSERT_EQ(outcome.code, 0) << outcome.output;
  }
  Json json(const std::string& arguments) const {
    const Outcome outcome = run(0, arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    const Json parsed = Json::parse(outcome.output, nullptr, false);
    EXPECT_FALSE(parsed.is_discarded()) << outcome.output;
    return parsed;
  }
};

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  return keys;
}

void expect_refused(const Outcome& outcome, const std::string& words) {
  EXPECT_EQ(outcome.code, 2) << outcome.output;
  EXPECT_NE(outcome.output.find(words), std::string::npos) << outcome.output << "\nlacks: " << words;
}

}  // namespace

TEST_F(InspectTest, JsonHasTheFileAndNothingElse) {
  const Json all = json("inspect run.h5 --json");
  const checkpoint::Contents contents = checkpoint::read((folder_ / "run.h5").string());
  EXPECT_EQ(keys_of(all), (std::vector<std::string>{"data", "environment", "history", "layers", "state",
                                                    "weights_digest"}));
  ASSERT_EQ(all["layers"].size(), 3U);
  EXPECT_EQ(all["layers"][0],
            Json::parse(
                R"({"name": "hidden", "class_name": "Dense", "output_shape": [null, 3], "parameters": 9})"));
  EXPECT_EQ(all["layers"][1]["parameters"], 12);
  EXPECT_EQ(all["state"]["epoch"], 3);
  EXPECT_EQ(all["state"]["finished"], true);
  EXPECT_EQ(all["weights_digest"], checkpoint::weights_digest(contents.weights));
  for (const auto& [name, column] : contents.history.columns) {
    ASSERT_EQ(all["history"][name].size(), column.size()) << name;
    for (std::size_t i = 0; i < column.size(); ++i) {
      if (std::isnan(column[i])) {
        EXPECT_TRUE(all["history"][name][i].is_null()) << name;
      } else {
        EXPECT_EQ(all["history"][name][i].get<double>(), column[i]) << name;
      }
    }
  }
  EXPECT_EQ(json("inspect run.h5 --history=json"), all["history"]);
  EXPECT_EQ(run(2, "inspect run.h5 --json").output, run(0, "inspect run.h5 --json").output);
}

TEST_F(InspectTest, HistoryAsCsvKeepsEveryBit) {
  const Outcome outcome = run(0, "inspect run.h5 --history=csv");
  std::istringstream lines(outcome.output);
  std::string header, line;
  std::getline(lines, header);
  EXPECT_EQ(header.find("epoch,"), 0U) << header;
  const checkpoint::Contents contents = checkpoint::read((folder_ / "run.h5").string());
  std::vector<std::string> names;
  std::istringstream words(header);
  for (std::string word; std::getline(words, word, ',');) names.push_back(word);
  ASSERT_EQ(names.size(), contents.history.columns.size());
  for (std::size_t row = 0; row < 3; ++row) {
    ASSERT_TRUE(std::getline(lines, line));
    std::istringstream cells(line);
    for (const std::string& name : names) {
      std::string cell;
      std::getline(cells, cell, ',');
      for (const auto& [column, values] : contents.history.columns) {
        if (column != name) continue;
        if (std::isnan(values[row])) {
          EXPECT_EQ(cell, "") << name;
        } else {
          EXPECT_EQ(std::stod(cell), values[row]) << name;
        }
      }
    }
  }
  EXPECT_FALSE(std::getline(lines, line)) << line;
  ASSERT_EQ(run(0, "inspect run.h5 --history=csv --output=history.csv").code, 0);
  EXPECT_EQ(read("history.csv"), outcome.output);
}

TEST_F(InspectTest, ARunWithoutAnEpochSaysSoAndItsHistoryIsATable) {
  const Outcome none = run(0, "train run.ini --fit.epochs=0 --fit.verbose=0 --checkpoint.path=none.h5");
  EXPECT_EQ(none.code, 0) << none.output;
  EXPECT_NE(none.output.find("No epoch was trained: fit.epochs = 0"), std::string::npos) << none.output;
  const Outcome table = run_shell("{ cd " + folder_.string() + " && " + NNTRAIN_PROGRAM +
                                  " inspect none.h5 --history=csv 2> notes; }");
  EXPECT_EQ(table.output, "epoch,loss,seconds\n");
  EXPECT_NE(read("notes").find("no epoch of none.h5 is done"), std::string::npos) << read("notes");
}

/// Twice the same loses nothing; after more training an array of the same form is known by its numbers.
TEST_F(InspectTest, ItsOwnFilesAreReplacedAndOthersOfTheSameFormAreNot) {
  const std::vector<std::string> answers = {"--weights=hidden/kernel --output=k.csv",
                                            "--weights=hidden/bias --output=b.csv",
                                            "--weights=hidden/kernel --output=k.npy",
                                            "--history=csv --output=h.csv",
                                            "--history=json --output=h.json",
                                            "--json --output=a.json",
                                            "--output=o.txt"};
  for (const std::string& answer : answers) {
    for (int time = 0; time < 2; ++time) {
      const Outcome outcome = run(0, "inspect run.h5 " + answer);
      EXPECT_EQ(outcome.code, 0) << answer << "\n" << outcome.output;
    }
  }
  ASSERT_EQ(run(0, "train run.ini --fit.epochs=6").code, 0);
  for (const std::string& answer : {answers[0], answers[3]}) {
    const Outcome outcome = run(0, "inspect run.h5 " + answer);
    EXPECT_EQ(outcome.code, 0) << answer << "\n" << outcome.output;
  }
  const std::string kernel = read("k.csv");
  std::string typed;  // of the kernel's rows and columns
  for (bool number = false; const char c : kernel) {
    if (c == ',' || c == '\n') typed += c;
    if (number != (c != ',' && c != '\n') && !number) typed += "0.25";
    number = c != ',' && c != '\n';
  }
  const std::pair<std::string, std::string> others[] = {
      {typed, answers[0]}, {"1.5,2.5\n", answers[0]}, {"epoch,seconds,flux\n1,2,3\n", answers[3]}};
  for (const auto& [content, answer] : others) {
    const std::string name = answer.substr(answer.find("--output=") + 9);
    write(name, content);
    expect_refused(run(0, "inspect run.h5 " + answer), "was not written by nntrain-dist");
    EXPECT_EQ(read(name), content);
  }
}

TEST_F(InspectTest, WeightsAsNumbersAndAsArrays) {
  const checkpoint::Contents contents = checkpoint::read((folder_ / "run.h5").string());
  const checkpoint::WeightArray& kernel = contents.weights.front();
  const Json statistics = json("inspect run.h5 --weights --json")["weights"];
  ASSERT_EQ(statistics.size(), contents.weights.size());
  double sum = 0;
  for (const float value : kernel.values) sum += value;
  EXPECT_EQ(statistics[0]["name"], "hidden/kernel");
  EXPECT_DOUBLE_EQ(statistics[0]["mean"].get<double>(), sum / 6);
  EXPECT_EQ(statistics[0]["max"].get<double>(),
            *std::max_element(kernel.values.begin(), kernel.values.end()));
  EXPECT_EQ(statistics[0]["nan"], 0);

  const Outcome csv = run(0, "inspect run.h5 --weights=hidden/kernel");
  std::vector<float> values;
  for (std::string text = csv.output, cell; !text.empty();) {
    const std::size_t end = text.find_first_of(",\n");
    values.push_back(std::stof(text.substr(0, end)));
    text.erase(0, end + 1);
  }
  EXPECT_EQ(values, kernel.values);
  EXPECT_EQ(std::count(csv.output.begin(), csv.output.end(), '\n'), 2);

  ASSERT_EQ(run(0, "inspect run.h5 --weights=hidden/kernel --output=kernel.npy").code, 0);
  const std::string npy = read("kernel.npy");
  ASSERT_EQ(npy.size(), 64U + 64U + kernel.values.size() * 4U);
  EXPECT_EQ(npy.substr(1, 5), "NUMPY");
  EXPECT_NE(npy.find("'shape': (2, 3)"), std::string::npos);
  EXPECT_EQ(std::memcmp(npy.data() + 128, kernel.values.data(), kernel.values.size() * 4), 0);
}

TEST_F(InspectTest, MistakesAreNamed) {
  expect_refused(run(0, "inspect run.h5 --weights=hiden/kernel"), "did you mean \"hidden/kernel\"");
  expect_refused(run(0, "inspect run.h5 --history=xml"), "csv or json is expected");
  expect_refused(run(0, "inspect run.h5 --history=csv --json"), "--history stands alone");
  expect_refused(run(0, "inspect run.h5 --json --output=a.npy"), "can be written as .npy");
  const std::string before = read("run.h5");
  expect_refused(run(0, "inspect run.h5 --json --output=./run.h5"),
                 "would be written over \"run.h5\", which is the checkpoint");
  write("mine.csv", "a,b\n1,2\n");
  expect_refused(run(0, "inspect run.h5 --history=csv --output=mine.csv"), "was not written by nntrain-dist");
  EXPECT_EQ(read("mine.csv"), "a,b\n1,2\n");
  EXPECT_EQ(run(0, "inspect run.h5 --history=csv --output=h.csv").code, 0);
  EXPECT_EQ(run(0, "inspect run.h5 --history=csv --output=h.csv").code, 0);  // its own
  EXPECT_EQ(read("run.h5"), before);
  expect_refused(run(2, "inspect run --json"), "did you mean \"run.h5\"?");
  expect_refused(run(0, "evaluate ran.h5"), "did you mean \"run.h5\"?");
  expect_refused(run(0, "evaluate run.ini"), "\"run.ini\" is a configuration");
  expect_refused(run(0, "predict . --output=o.csv"), "it is a folder");
  for (const std::string command : {"evaluate", "summary", "inspect"}) {
    expect_refused(run(0, command + " none.keras"), "no such file");
    write("model.keras", std::string("PK\x03\x04\0\0", 6));
    expect_refused(run(0, command + " model.keras"), "model.keras");
  }
}

TEST_F(InspectTest, WordsForPeople) {
  const std::string text = run(0, "inspect run.h5").output;
  for (const std::string words : {"trained by nntrain-dist ", "with Open MPI ", ", 1 rank on 1 node\n",
                                  "loss: BinaryCrossentropy()\n", "optimizer: Adam(learning_rate=0.1)\n",
                                  "mini-batch: 8 samples", "state: epoch 3, ", "\nweights_digest: "})
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
  EXPECT_EQ(text.find("trained with"), std::string::npos) << text;
  EXPECT_EQ(text.find("{\""), std::string::npos) << text;
}

TEST_F(InspectTest, SummaryTellsActivationTrainingMemoryAndWork) {
  const Outcome by_file = run(0, "summary run.h5");
  ASSERT_EQ(by_file.code, 0) << by_file.output;
  EXPECT_EQ(by_file.output, run(0, "summary run.ini").output);
  for (const std::string words : {"relu        yes\n", "sigmoid     yes\n", " gradients ", " activations ",
                                  "Adam", "FLOPs: ", "fit.batch_size = 8", "Non-trainable params: 6 "})
    EXPECT_NE(by_file.output.find(words), std::string::npos) << words << "\n" << by_file.output;
  EXPECT_NE(run(0, "summary run.h5 --fit.batch_size=16").output.find("fit.batch_size = 16"),
            std::string::npos);
  expect_refused(run(0, "summary run.h5 --model.name=x"), "takes no --model.name");
}

TEST_F(InspectTest, SoftmaxOfOneUnitWarnsAsKerasDoes) {
  const std::string note = "This axis has size 1. The softmax operation will always return the value 1";
  const std::string start = "summary run.ini --model.layer='Dense(";
  EXPECT_NE(run(0, start + "1, activation=\"softmax\")'").output.find(note), std::string::npos);
  EXPECT_NE(run(0, start + "1)' --model.layer='Softmax()'").output.find(note), std::string::npos);
  EXPECT_NE(run(0, start + "1)' --model.layer='Activation(\"softmax\")'").output.find(note),
            std::string::npos);
  EXPECT_EQ(run(0, start + "2, activation=\"softmax\")'").output.find(note), std::string::npos);
  EXPECT_NE(
      run(0,
          "run.ini --fit.verbose=2 --checkpoint.path=s.h5 --model.layer='Dense(1, activation=\"softmax\")'")
          .output.find(note),
      std::string::npos);
}

}  // namespace nntrain::cli_test

// Files that Keras wrote (tests/golden/keras_files, made by make_keras_files.py) as a user would hand them to
// the program: the same predictions and results as in Keras, or one error that names file and layer.

#include <cmath>
#include <cstring>

#include "cli_test.h"
#include "core/json.h"

namespace nntrain::cli_test {
namespace {

class KerasFiles : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    expected_ = Json::parse(std::ifstream(home() / "expected.json"));
  }
  static fs::path home() { return fs::path(NNTRAIN_TESTS_DIR) / "golden/keras_files"; }
  static std::string file(const std::string& name) { return (home() / name).string(); }

  /// The values of a predictions .npy (format 1.0: bytes 8 and 9 are the header's length), float32.
  std::vector<double> outputs(const std::string& name) const {
    const std::string bytes = read(name);
    if (bytes.size() < 10) return {};
    const auto byte = [&](std::size_t i) {
      return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
    };
    const std::size_t begin = 10 + byte(8) + 256 * byte(9);
    std::vector<float> values((bytes.size() - begin) / sizeof(float));
    std::memcpy(values.data(), bytes.data() + begin, values.size() * sizeof(float));
    return {values.begin(), values.end()};
  }

  void expect_outputs(const Json& rows, const std::vector<double>& got, double tolerance,
                      const std::string& what) {
    std::vector<double> wanted;
    for (const Json& row : rows) {
      for (const Json& value : row) wanted.push_back(value.get<double>());
    }
    ASSERT_EQ(got.size(), wanted.size()) << what;
    for (std::size_t i = 0; i < got.size(); ++i)
      ASSERT_NEAR(got[i], wanted[i], tolerance) << what << ", value " << i;
  }

  Outcome predict(const std::string& model, const std::string& options = "") const {
    return run(0, "predict " + model + " --data.inputs=" + file("inputs.npy") + " --output=o.npy " + options);
  }

  Json expected_;
};

TEST_F(KerasFiles, PredictAsInKeras) {
  for (const char* name :
       {"plain.keras", "plain.h5", "functional.keras", "functional.h5", "nested.keras", "nested.h5",
        "normalized.keras", "normalized.h5", "deflated.keras", "tensorflow_2.h5"}) {
    const Outcome outcome = predict(file(name));
    ASSERT_EQ(outcome.code, 0) << name << ": " << outcome.output;
    expect_outputs(expected_[name], outputs("o.npy"), 2e-6, name);
  }
  // An unknown loss says nothing about predictions.
  const Outcome outcome = predict(file("unknown_loss.h5"));
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("my_loss"), std::string::npos) << outcome.output;
  expect_outputs(expected_["unknown_loss.h5"], outputs("o.npy"), 2e-6, "unknown_loss.h5");
}

TEST_F(KerasFiles, EvaluateAsInKeras) {
  char wanted[100];
  std::snprintf(wanted, sizeof wanted, "%.4f", expected_["plain: evaluate"][0].get<double>());
  const std::string data = " --data.inputs=" + file("inputs.npy") + " --data.targets=" + file("targets.npy");
  for (const char* name : {"plain.keras", "plain.h5", "tensorflow_2.h5", "by_output.h5"}) {
    const Outcome outcome = run(0, "evaluate " + file(name) + data);
    ASSERT_EQ(outcome.code, 0) << name << ": " << outcome.output;
    EXPECT_NE(outcome.output.find(std::string("loss: ") + wanted), std::string::npos)
        << name << outcome.output;
    EXPECT_NE(outcome.output.find("accuracy: "), std::string::npos) << name << outcome.output;
  }
  const Outcome metrics = run(0, "evaluate " + file("plain.keras") + data +
                                     " --compile.metrics='SparseTopKCategoricalAccuracy(k=2)'");
  EXPECT_NE(metrics.output.find("sparse_top_k_categorical_accuracy: "), std::string::npos) << metrics.output;
  EXPECT_EQ(metrics.output.find(" accuracy: "), std::string::npos) << metrics.output;
  const Outcome weighted = run(0, "evaluate " + file("loss_weights.h5") + data);
  EXPECT_EQ(weighted.code, 2) << weighted.output;
  EXPECT_NE(weighted.output.find("loss_weights = 2.0"), std::string::npos) << weighted.output;
  const Outcome unknown = run(0, "evaluate " + file("unknown_loss.h5") + data);
  EXPECT_EQ(unknown.code, 2) << unknown.output;
  EXPECT_EQ(
      run(0, "evaluate " + file("unknown_loss.h5") + data + " --compile.loss=sparse_categorical_crossentropy")
          .code,
      0);
}

TEST_F(KerasFiles, TrainingGoesOnAsInKeras) {
  for (const char* name :
       {"sgd.keras", "adam.keras", "rmsprop.keras", "sgd.h5", "adam.h5", "rmsprop.h5", "nadam.keras",
        "adagrad.keras", "adadelta.keras", "adamax.keras", "ftrl.keras", "lion.keras", "amsgrad.keras"}) {
    const std::string stem = std::string(name).substr(0, std::string(name).find('.'));
    write("run.ini",
          "[data]\ninputs = " + file("inputs.npy") + "\ntargets = " + file("targets.npy") +
              "\n[model]\nfrom = " + file("go_on_" + std::string(name)) +
              "\n[fit]\nepochs = 4\ninitial_epoch = 2\nbatch_size = 8\nshuffle = false\nverbose = 2\n"
              "[checkpoint]\npath = run.h5\nresume = never\n");
    const Outcome trained = run(0, "train run.ini");
    ASSERT_EQ(trained.code, 0) << name << ": " << trained.output;
    ASSERT_EQ(predict("run.h5").code, 0);
    const Json& after = expected_["go_on_" + stem];
    expect_outputs(after["predictions"], outputs("o.npy"), 1e-4, name);
    EXPECT_NE(trained.output.find("accuracy: "), std::string::npos) << trained.output;
  }
}

TEST_F(KerasFiles, AnotherOptimizerBeginsAnew) {
  write("run.ini",
        "[data]\ninputs = " + file("inputs.npy") + "\ntargets = " + file("targets.npy") +
            "\n[model]\nfrom = " + file("go_on_adam.keras") +
            "\n[compile]\noptimizer = SGD(0.01)\n[fit]\nepochs = 1\n[checkpoint]\npath = run.h5\n");
  const Outcome outcome = run(2, "train run.ini");
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_NE(run(0, "inspect run.h5").output.find("iteration 1,"), std::string::npos);
}

TEST_F(KerasFiles, WeightsAloneTakeTheirModelFromTheConfiguration) {
  for (const auto& [weights, layers, model] :
       {std::tuple("plain.weights.h5",
                   "layer = Dense(5, activation=\"relu\")\nlayer = BatchNormalization()\nlayer = Dense(3, "
                   "activation=\"softmax\")\n",
                   "plain.keras"),
        std::tuple("functional.weights.h5",
                   "layer = Dense(6, activation=\"gelu\")\nlayer = Dropout(0.25)\nlayer = Dense(3, "
                   "activation=\"softmax\")\n",
                   "functional.keras")}) {
    write("run.ini", "[data]\ninputs = " + file("inputs.npy") + "\ntargets = " + file("targets.npy") +
                         "\n[model]\nfrom = " + file(weights) + "\n" + layers +
                         "[compile]\nloss = sparse_categorical_crossentropy\noptimizer = SGD(1e-12)\n"
                         "[fit]\nepochs = 0\n[checkpoint]\npath = run.h5\nresume = never\n");
    const Outcome trained = run(0, "train run.ini");
    ASSERT_EQ(trained.code, 0) << trained.output;
    ASSERT_EQ(predict("run.h5").code, 0);
    expect_outputs(expected_[model], outputs("o.npy"), 2e-6, weights);
  }
  const Outcome other = run(0, "train run.ini --model.layer='Dense(7)' --model.layer='Dense(3)'");
  EXPECT_EQ(other.code, 2) << other.output;
  const Outcome alone = run(0, "summary " + file("plain.weights.h5"));
  EXPECT_EQ(alone.code, 2) << alone.output;
  EXPECT_NE(alone.output.find("model.layer"), std::string::npos) << alone.output;
}

TEST_F(KerasFiles, SummariesOfEveryKind) {
  for (const char* name : {"plain.keras", "plain.h5", "plain.json", "functional.json", "nested.keras"}) {
    const Outcome outcome = run(0, "summary " + file(name));
    EXPECT_EQ(outcome.code, 0) << name << outcome.output;
    EXPECT_NE(outcome.output.find("Total params"), std::string::npos) << name << outcome.output;
    EXPECT_LT(outcome.output.size(), 4000U) << name;
  }
}

TEST_F(KerasFiles, WhatCannotBeTakenIsOneErrorThatNamesLayerAndFile) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {"custom_layer.h5", {"pkg>Dense", "mine", "custom"}},
      {"custom_layer.keras", {"pkg>Dense", "mine", "custom"}},
      {"custom_activation.keras", {"pkg>relu", "second", "custom"}},
      {"lambda.keras", {"Lambda", "doubled"}},
      {"shared.keras", {"shared", "2 times"}},
      {"branches.keras", {"sum", "2 inputs"}},
      {"bfloat16.keras", {"half", "bfloat16"}},
      {"bomb.keras", {"model.weights.h5", "zip bomb"}},
      {"climbs.keras", {"../../evil"}},
      {"no_weights.keras", {"model.weights.h5"}},
      {"deep.keras", {"levels deep"}},
      {"truncated.keras", {"zip archive"}},
      {"weightless.h5", {"no weights", "dense_1"}},
      {"missing.keras", {"no such file"}},
      {"plain.json", {"no weights", "dense"}}};
  for (const auto& [name, words] : cases) {
    const Outcome outcome = predict(file(name));
    EXPECT_EQ(outcome.code, 2) << name << ": " << outcome.output;
    EXPECT_NE(outcome.output.find(name), std::string::npos) << name << ": " << outcome.output;
    for (const std::string& word : words)
      EXPECT_NE(outcome.output.find(word), std::string::npos)
          << name << ", " << word << ": " << outcome.output;
    EXPECT_LT(outcome.output.size(), 1000U) << name;
    EXPECT_FALSE(fs::exists(folder_ / "o.npy")) << name;
  }
  write("run.ini", "[data]\ninputs = " + file("inputs.npy") + "\ntargets = " + file("targets.npy") +
                       "\n[model]\nfrom = " + file("weightless.h5") + "\n[checkpoint]\npath = run.h5\n");
  const Outcome training = run(0, "train run.ini");
  EXPECT_EQ(training.code, 2) << training.output;
  EXPECT_NE(training.output.find("dense_1"), std::string::npos) << training.output;
}

}  // namespace
}  // namespace nntrain::cli_test

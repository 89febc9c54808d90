// Data from files into every node's memory, and a saved model at work on them.

#include <gtest/gtest.h>

#include "linear_model.h"
#include "train/config/configuration.h"
#include "train/inference/inference.h"

namespace nntrain::train {
namespace {

const std::string kData = std::string(NNTRAIN_TESTS_DIR) + "/golden/data/";

Configuration configuration_of(const std::vector<std::pair<std::string, std::string>>& options) {
  Configuration configuration;
  for (const auto& [key, text] : options) configuration.add(key, {text, "test"});
  return configuration;
}

TEST(DataLoader, CutsTrainingAndValidationRowsOutOfOneFile) {
  const Settings settings =
      read_settings(configuration_of({{"data.inputs", kData + "fashion_images.npy"},
                                      {"data.targets", kData + "fashion_labels.npy"},
                                      {"data.rows", "10:50"},
                                      {"data.validation_rows", "50:60"},
                                      {"data.scale", "1/255"},
                                      {"compile.loss", "sparse_categorical_crossentropy"}}));
  DataLoader loader(session(), settings.data, settings.fit);
  loader.load_inputs();
  EXPECT_EQ(loader.sets().input_shape, (Shape{14, 14}));
  const std::unique_ptr<nn::Loss> loss = nn::losses().make(parse_call("sparse_categorical_crossentropy"));
  loader.load_targets({loss.get(), Shape{10}, "test", ""});
  const DataSets sets = loader.take();
  EXPECT_EQ(sets.train.rows(), 40);
  ASSERT_TRUE(sets.validation.has_value());
  EXPECT_EQ(sets.validation->rows(), 10);
  EXPECT_FLOAT_EQ(sets.scale, 1.0F / 255.0F);
  EXPECT_TRUE(sets.fingerprints.contains("inputs"));
  // The first validation row is the row after the last training row of the same file.
  std::vector<float> one(14 * 14), other(14 * 14);
  data::gather(sets.validation->inputs, data::Sampler(10, 0, 0, data::Order::kFile), 0, 1, 1.0F, one.data());
  data::ArrayView behind = sets.train.inputs;
  behind.rows = 41;
  data::gather(behind, data::Sampler(41, 0, 0, data::Order::kFile), 40, 1, 1.0F, other.data());
  EXPECT_EQ(one, other);
}

TEST(DataLoader, AMistakeIsEveryRanksError) {
  const Settings settings = read_settings(configuration_of({{"data.inputs", kData + "no_such_file.npy"}}));
  DataLoader loader(session(), settings.data, settings.fit);
  EXPECT_THROW(loader.load_inputs(), Error);
}

/// y = x0 + 2 x1 + 4 x2, and 8 more for the second output.
checkpoint::Contents known_model() {
  const nn::Sequential model("m", {parse_call("Dense(2)")}, Shape{kInputs});
  checkpoint::Contents contents;
  contents.origin = "known.h5";
  contents.model_config = model.config();
  contents.layer_names = {"dense"};
  contents.weights = {{"dense", "kernel", Shape{3, 2}, true, {1, 1, 2, 2, 4, 4}},
                      {"dense", "bias", Shape{2}, true, {0, 8}}};
  return contents;
}

TEST(Inference, PredictsAndEvaluatesAllRowsAtEveryNumberOfRanks) {
  LinearModel data;
  data::MemoryArrays arrays;
  arrays["x"] = {data.inputs.data(), {kRows, kInputs}};
  arrays["y"] = {data.targets.data(), {kRows, kOutputs}};
  Log log(Log::Voice::kSilent);
  double squares = 0;
  {
    Inference inference(session(), log, known_model(), configuration_of({{"data.test_inputs", "x"}}),
                        Inference::Task::kPredict, &arrays);
    const Predictions predictions = inference.predict();
    if (session().is_root()) {
      ASSERT_EQ(predictions.rows, kRows);
      for (std::int64_t row = 0; row < kRows; ++row) {
        const float* x = data.inputs.data() + row * kInputs;
        for (std::int64_t k = 0; k < kOutputs; ++k) {
          const float expected = x[0] + 2 * x[1] + 4 * x[2] + (k == 1 ? 8.0F : 0.0F);
          const auto at = static_cast<std::size_t>(row * kOutputs + k);
          EXPECT_FLOAT_EQ(predictions.values[at], expected);
          squares += static_cast<double>(expected - data.targets[at]) * (expected - data.targets[at]);
        }
      }
    }
  }
  Inference inference(session(), log, known_model(),
                      configuration_of({{"data.test_inputs", "x"},
                                        {"data.test_targets", "y"},
                                        {"compile.loss", "mean_squared_error"},
                                        {"compile.metrics", "mae"}}),
                      Inference::Task::kEvaluate, &arrays);
  const Evaluation evaluation = inference.evaluate();
  if (session().is_root()) {
    EXPECT_EQ(evaluation.rows, kRows);
    EXPECT_NEAR(evaluation.logs.find("loss").value_or(-1), squares / (kRows * kOutputs), 1e-5);
    EXPECT_TRUE(evaluation.logs.find("mae").has_value());
  }
  session().barrier();
}

}  // namespace
}  // namespace nntrain::train

// Data from files into every node's memory, and a saved model at work on them.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

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

/// Bytes that this process has read, by any of its threads.
std::int64_t bytes_read() {
  std::ifstream file("/proc/self/io");
  std::string word;
  std::int64_t bytes = -1;
  while (file >> word)
    if (word == "rchar:") file >> bytes;
  return bytes;
}

/// Row i of column k is i + k / 1000; each batch is cut into the ranks' parts.
void expect_pass(const DataSets& sets, const data::Sampler& sampler, std::int64_t pass) {
  constexpr std::int64_t kBatch = 1000;
  const std::int64_t rows = sets.train.rows(), width = sets.input_shape.size();
  const std::int64_t rank = session().rank(), ranks = session().size();
  begin_pass(session(), sets, sets.train, sampler, pass, 0);
  std::vector<float> part(static_cast<std::size_t>(kBatch * width));
  for (std::int64_t begin = 0; begin < rows; begin += kBatch) {
    const std::int64_t count = std::min(kBatch, rows - begin);
    const std::int64_t from = count * rank / ranks, to = count * (rank + 1) / ranks;
    EXPECT_TRUE(sets.train.stream->gather(begin + from, to - from, 1.0F, part.data()));
    for (std::int64_t i = 0; i < to - from; ++i)
      EXPECT_EQ(part[static_cast<std::size_t>(i * width + 1)],
                static_cast<float>(sampler.row(begin + from + i)) + 1.0F / 1000);
    sets.train.stream->release(begin + count);
    session().barrier();  // as a step does
  }
  check_pass(session(), sets.train);
}

std::int64_t sum_over_ranks(std::int64_t mine) {
  std::int64_t sum = 0;
  for (const std::vector<std::byte>& one : session().all_gather(std::as_bytes(std::span(&mine, 1)))) {
    std::int64_t value = 0;
    std::memcpy(&value, one.data(), sizeof value);
    sum += value;
  }
  return sum;
}

TEST(DataLoader, NodesReadTheFilesOnceTogether) {
  constexpr std::int64_t kRowsOfFile = 40'000, kWidth = 50, kBytes = kRowsOfFile * kWidth * 4;
  std::string path =
      (std::filesystem::temp_directory_path() / ("nntrain_nodes_" + std::to_string(getpid()))).string();
  path = session().broadcast_text(path + ".npy");
  if (session().is_root()) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < kRowsOfFile; ++i)
      for (std::int64_t k = 0; k < kWidth; ++k)
        values.push_back(static_cast<float>(i) + static_cast<float>(k) / 1000);
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (40000, 50), }";
    header.resize(117, ' ');
    std::ofstream file(path, std::ios::binary);
    file << std::string("\x93NUMPY\1\0\x76\0", 10) << header << '\n';
    file.write(reinterpret_cast<const char*>(values.data()), kBytes);
  }
  session().barrier();
  for (const char* order : {"false", "blocks(window=8)"}) {
    const Settings settings = read_settings(configuration_of({{"data.inputs", path},
                                                              {"data.memory", "stream"},
                                                              {"data.block_rows", "997"},
                                                              {"fit.shuffle", order}}));
    DataLoader loader(session(), settings.data, settings.fit);
    loader.load_inputs();
    const DataSets sets = loader.take();
    const bool mixes = order[0] == 'b';
    for (std::int64_t epoch = 0; epoch < 2; ++epoch) {
      const data::Sampler sampler = mixes ? data::Sampler(kRowsOfFile, 3, epoch, data::BlockOrder{997, 8, {}})
                                          : data::Sampler(kRowsOfFile, 3, epoch, data::Order::kFile);
      const std::int64_t before = bytes_read();
      expect_pass(sets, sampler, epoch);
      const auto read = static_cast<double>(sum_over_ranks(bytes_read() - before));
      EXPECT_GE(read, 1.0 * kBytes) << order;
      EXPECT_LE(read, 1.05 * kBytes) << order;
    }
  }
  session().barrier();
  if (session().is_root()) std::filesystem::remove(path);
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

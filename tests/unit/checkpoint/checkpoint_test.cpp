#include "checkpoint/checkpoint.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "checkpoint/keras.h"
#include "contents.h"
#include "core/error.h"

/// libhdf5 1.10 loses memory when it meets damaged metadata; what is ours is still watched.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libhdf5"; }

namespace nntrain::checkpoint {
namespace {

namespace fs = std::filesystem;

class CheckpointTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("nntrain_checkpoint_" + std::to_string(getpid()) + "_" +
                                           ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
    path_ = (folder_ / "run.h5").string();
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string bytes() const {
    std::ifstream file(path_, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  fs::path folder_;
  std::string path_;
};

TEST_F(CheckpointTest, EverythingComesBackBitForBit) {
  const Contents written = example();
  write(path_, written);
  const Contents read_back = read(path_);
  EXPECT_TRUE(read_back.ours);
  EXPECT_EQ(weights_digest(read_back.weights), weights_digest(written.weights));
  ASSERT_EQ(read_back.weights.size(), written.weights.size());
  for (std::size_t i = 0; i < written.weights.size(); ++i) {
    EXPECT_EQ(read_back.weights[i].layer, written.weights[i].layer);
    EXPECT_EQ(read_back.weights[i].name, written.weights[i].name);
    EXPECT_EQ(read_back.weights[i].trainable, written.weights[i].trainable);
    EXPECT_EQ(read_back.weights[i].values, written.weights[i].values);
  }
  EXPECT_TRUE(std::signbit(read_back.weights[1].values[1]));
  EXPECT_EQ(read_back.model_config, written.model_config);
  EXPECT_EQ(read_back.training_config, written.training_config);
  EXPECT_EQ(read_back.layer_names, written.layer_names);
  EXPECT_EQ(read_back.state.step, 17);
  EXPECT_EQ(read_back.state.iteration, 5000);
  EXPECT_EQ(read_back.state.epoch_seconds, 1.25);
  EXPECT_EQ(read_back.history.columns[0].second, written.history.columns[0].second);
  EXPECT_TRUE(std::isnan(read_back.history.columns[1].second[1]));
  EXPECT_EQ(read_back.slots[0].values, written.slots[0].values);
  EXPECT_EQ(read_back.optimizer_scalars, written.optimizer_scalars);
  EXPECT_EQ(read_back.metric_sums.values, written.metric_sums.values);
  EXPECT_EQ(read_back.callbacks, written.callbacks);
  EXPECT_EQ(read_back.config, written.config);
  EXPECT_EQ(read_back.data, written.data);
  EXPECT_EQ(read_back.extra_weights[0].second[0].values, written.weights[0].values);
}

/// Also in another second of the day: no time is written.
TEST_F(CheckpointTest, EqualContentsGiveEqualFiles) {
  write(path_, example());
  const std::string first = bytes();
  const std::time_t then = std::time(nullptr);
  while (std::time(nullptr) == then) usleep(10000);
  write(path_, example());
  const std::string second = bytes();
  ASSERT_EQ(second.size(), first.size());
  for (std::size_t i = 0; i < first.size(); ++i)
    ASSERT_EQ(second[i], first[i]) << "byte " << i << " of " << first.size();
}

TEST_F(CheckpointTest, TheDigestSeesEveryWeightAndName) {
  Contents changed = example();
  const std::string digest = weights_digest(changed.weights);
  changed.weights[0].values[3] = std::nextafter(changed.weights[0].values[3], 10.0F);
  EXPECT_NE(weights_digest(changed.weights), digest);
  changed = example();
  changed.weights[0].name = "kernal";
  EXPECT_NE(weights_digest(changed.weights), digest);
}

TEST_F(CheckpointTest, DamageIsFoundAndNeverCrashes) {
  write(path_, example());
  const std::string good = bytes();
  int refused = 0, tried = 0;
  for (std::size_t at = 0; at < good.size(); at += good.size() / 400 + 1) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x41);
    std::ofstream(path_, std::ios::binary) << bad;
    ++tried;
    try {
      const Contents contents = read(path_);
      // Bytes that nothing refers to may change; what is read must be what was written.
      EXPECT_EQ(weights_digest(contents.weights), weights_digest(example().weights)) << at;
      EXPECT_EQ(contents.slots[0].values, example().slots[0].values) << at;
    } catch (const InputError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, tried / 4);
  for (std::size_t size = 0; size < good.size(); size += good.size() / 60 + 1) {
    std::ofstream(path_, std::ios::binary) << good.substr(0, size);
    EXPECT_THROW(read(path_), InputError) << size;
  }
}

TEST_F(CheckpointTest, AFailedWriteLeavesTheOldFile) {
  write(path_, example());
  const std::string before = bytes();
  Contents broken = example();
  broken.slots[0].values.pop_back();  // does not match the weights
  EXPECT_ANY_THROW(write(path_, broken));
  EXPECT_TRUE(bytes() == before);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator{}), 1);
}

TEST_F(CheckpointTest, SetAsideTakesTheFirstFreeName) {
  write(path_, example());
  EXPECT_EQ(set_aside(path_), (folder_ / "run.1.h5").string());
  EXPECT_FALSE(exists(path_));
  write(path_, example());
  EXPECT_EQ(set_aside(path_), (folder_ / "run.2.h5").string());
}

TEST(KerasConfig, NumbersStayFloatsAndSchedulesNameTheirModule) {
  const Json optimizer = Json::parse(
      R"({"class_name":"SGD","config":{"learning_rate":{"class_name":"ExponentialDecay","config":{"decay_rate":0.5}},"momentum":0.0,"clipnorm":null}})");
  const Json config = keras_training_config(Json::parse(R"({"class_name":"MeanSquaredError","config":{}})"),
                                            optimizer, {}, {});
  EXPECT_EQ(config["optimizer_config"]["config"]["learning_rate"]["module"], "keras.optimizers.schedules");
  EXPECT_TRUE(config["optimizer_config"]["config"]["momentum"].is_number_float());
  EXPECT_FALSE(config["optimizer_config"]["config"].contains("clipnorm"));
  EXPECT_TRUE(config.contains("loss_weights"));
}

TEST(KerasConfig, WhatKerasCannotKnowIsLeftOut) {
  EXPECT_TRUE(keras_training_config(Json::parse(R"({"class_name":"Perceptron","config":{}})"),
                                    Json::parse(R"({"class_name":"SGD","config":{}})"), {}, {})
                  .is_null());
  EXPECT_TRUE(keras_training_config(
                  Json::parse(R"({"class_name":"CategoricalGeneralizedCrossEntropy","config":{"q":0.5}})"),
                  Json::parse(R"({"class_name":"SGD","config":{}})"), {}, {})
                  .is_null());
}

}  // namespace
}  // namespace nntrain::checkpoint

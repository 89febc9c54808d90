// TensorBoard's event files, read back with protobuf; and after a stop at any moment.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "core/call.h"
#include "core/error.h"
#include "fake_run.h"
#include "tensorboard_event.pb.h"
#include "train/callbacks/event_log.h"

namespace nntrain::train {
namespace {

namespace fs = std::filesystem;

struct Written {
  std::string tag, plugin;
  std::int64_t step;
  tensorboard::Tensor tensor;
};

class TensorBoardTest : public ::testing::Test {
 protected:
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<Callback> callback(const std::string& more = "") const {
    return callbacks().make(parse_call("TensorBoard(\"" + folder_.string() + "\"" + more + ")"));
  }

  /// Every event of a folder, file by file as TensorBoard goes.
  std::vector<Written> events(const std::string& part) const {
    std::vector<fs::path> files;
    if (fs::exists(folder_ / part))
      for (const auto& entry : fs::directory_iterator(folder_ / part)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::vector<Written> all;
    for (const fs::path& path : files) {
      std::ifstream file(path, std::ios::binary);
      std::ostringstream content;
      content << file.rdbuf();
      std::size_t good = 0;
      const std::vector<std::string> records = read_records(content.str(), good);
      EXPECT_EQ(good, content.str().size()) << path;
      for (std::size_t i = 0; i < records.size(); ++i) {
        tensorboard::Event event;
        EXPECT_TRUE(event.ParseFromString(records[i]));
        EXPECT_GT(event.wall_time(), 1.6e9);
        if (i == 0) {
          EXPECT_EQ(event.file_version(), "brain.Event:2") << path;
        }
        for (const auto& value : event.summary().value())
          all.push_back(
              {value.tag(), value.metadata().plugin_data().plugin_name(), event.step(), value.tensor()});
      }
    }
    return all;
  }
  std::vector<float> scalars(const std::string& part, const std::string& tag) const {
    std::vector<float> values;
    for (const Written& one : events(part)) {
      if (one.tag != tag) continue;
      EXPECT_EQ(one.plugin, "scalars");
      values.push_back(one.tensor.float_val(0));
    }
    return values;
  }
  std::vector<std::int64_t> steps(const std::string& part, const std::string& tag) const {
    std::vector<std::int64_t> all;
    for (const Written& one : events(part)) {
      if (one.tag == tag) all.push_back(one.step);
    }
    return all;
  }

  fs::path folder_ = fs::temp_directory_path() / ("nntrain_tensorboard_" + std::to_string(getpid()));
};

void play_epoch(Callback& callback, FakeRun& run) {
  callback.on_epoch_begin(run, run.epoch);
  Logs logs;
  const auto value = static_cast<double>(run.epoch);
  for (run.steps = 4 * run.epoch + 1; run.steps <= 4 * run.epoch + 4; ++run.steps) {
    if (callback.every_steps() > 0 && run.steps % callback.every_steps() == 0) {
      logs.values = {{"loss", value}};
      callback.on_steps(run, run.epoch, logs);
    }
  }
  --run.steps;
  logs.values = {{"accuracy", 0.5 + value}, {"loss", 1 - value}, {"val_loss", 2 - value}};
  callback.on_epoch_end(run, run.epoch, logs);
  ++run.epoch;
}

TEST(EventFile, ChecksumsAreCrc32c) {
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);            // the check value of every catalogue
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
}

TEST(EventFile, ACutOrChangedRecordIsNotRead) {
  const std::string two = framed_record("first") + framed_record("second");
  std::size_t good = 0;
  EXPECT_EQ(read_records(two, good), (std::vector<std::string>{"first", "second"}));
  for (std::size_t length = 0; length < two.size(); ++length) {
    const std::size_t whole = length >= framed_record("first").size() ? 1 : 0;
    EXPECT_EQ(read_records(std::string_view(two).substr(0, length), good).size(), whole) << length;
  }
  for (std::size_t at = framed_record("first").size(); at < two.size(); ++at) {
    std::string changed = two;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_EQ(read_records(changed, good).size(), 1U) << at;
    EXPECT_EQ(good, framed_record("first").size());
  }
}

TEST_F(TensorBoardTest, FoldersTagsAndStepsAreKeras) {
  FakeRun run;
  const auto made = callback();
  made->on_train_begin(run, 0);
  for (int epoch = 0; epoch < 3; ++epoch) play_epoch(*made, run);
  made->on_train_end(run);
  EXPECT_EQ(scalars("train", "epoch_loss"), (std::vector<float>{1, 0, -1}));
  EXPECT_EQ(scalars("train", "epoch_accuracy"), (std::vector<float>{0.5, 1.5, 2.5}));
  EXPECT_EQ(scalars("train", "epoch_learning_rate"), (std::vector<float>{0.1F, 0.1F, 0.1F}));
  EXPECT_EQ(scalars("validation", "epoch_loss"), (std::vector<float>{2, 1, 0}));
  EXPECT_EQ(steps("train", "epoch_loss"), (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(steps("validation", "evaluation_loss_vs_iterations"), (std::vector<std::int64_t>{4, 8, 12}));
  std::set<std::string> tags;
  for (const Written& one : events("train")) {
    tags.insert(one.tag);
    if (one.tag == "keras") {
      EXPECT_EQ(one.plugin, "graph_keras_model");
      EXPECT_EQ(one.tensor.string_val(0), "{\"class_name\":\"Sequential\"}");
    }
    if (one.tag == "configuration") {
      EXPECT_EQ(one.tensor.string_val(0), "    [fit]\n    epochs = 3\n");
    }
  }
  EXPECT_EQ(tags, (std::set<std::string>{"keras", "configuration", "epoch_loss", "epoch_accuracy",
                                         "epoch_learning_rate"}));
}

TEST_F(TensorBoardTest, HistogramsHaveTensorFlowsBuckets) {
  FakeRun run;
  const auto made = callback(", histogram_freq=2, write_graph=False");
  made->on_train_begin(run, 0);
  for (int epoch = 0; epoch < 3; ++epoch) play_epoch(*made, run);
  EXPECT_EQ(steps("train", "dense/kernel/histogram"), (std::vector<std::int64_t>{0, 2}));
  for (const Written& one : events("train")) {
    if (one.tag != "dense/kernel/histogram") continue;
    EXPECT_EQ(one.plugin, "histograms");
    ASSERT_EQ(one.tensor.tensor_content().size(), 90 * sizeof(double));
    const auto* rows = reinterpret_cast<const double*>(one.tensor.tensor_content().data());
    EXPECT_EQ(rows[0], -1);  // the weights are -1, 0, 0.5, 2: buckets of 0.1
    EXPECT_EQ(rows[3 * 29 + 1], 2);
    double sum = 0;
    for (int i = 0; i < 30; ++i) sum += rows[3 * i + 2];
    EXPECT_EQ(sum, 4);
    EXPECT_EQ(rows[2], 1);
    EXPECT_EQ(rows[3 * 10 + 2], 1);
    EXPECT_EQ(rows[3 * 15 + 2], 1);
    EXPECT_EQ(rows[3 * 29 + 2], 1);
  }
}

/// Stopped after any epoch's checkpoint and resumed: no step is lost, none is there twice.
TEST_F(TensorBoardTest, AResumedRunHasEveryStepOnce) {
  for (const int lost : {0, 1, 2}) {  // epochs trained after the last checkpoint, then killed
    fs::remove_all(folder_);
    FakeRun run;
    auto made = callback(", update_freq=2, histogram_freq=1");
    made->on_train_begin(run, 0);
    play_epoch(*made, run);
    for (int session = 0; session < 3; ++session) {
      const Json state = Json::parse(made->state().dump());
      const std::int64_t epoch = run.epoch, iteration = run.steps;
      for (int k = 0; k < lost; ++k) play_epoch(*made, run);
      made = callback(", update_freq=2, histogram_freq=1");
      made->set_state(state);
      run.epoch = epoch;
      run.steps = iteration;
      run.goes_on = true;
      made->on_train_begin(run, run.epoch);
      if (session == 1) continue;  // killed again at once
      play_epoch(*made, run);
    }
    EXPECT_EQ(steps("train", "epoch_loss"), (std::vector<std::int64_t>{0, 1, 2})) << lost;
    EXPECT_EQ(steps("validation", "epoch_loss"), (std::vector<std::int64_t>{0, 1, 2})) << lost;
    EXPECT_EQ(steps("train", "dense/kernel/histogram"), (std::vector<std::int64_t>{0, 1, 2})) << lost;
    EXPECT_EQ(steps("train", "batch_loss"), (std::vector<std::int64_t>{2, 4, 6, 8, 10, 12})) << lost;
    EXPECT_EQ(steps("train", "keras").size(), 1U);
  }
}

TEST_F(TensorBoardTest, FilesOfOtherRunsAndProgramsStay) {
  fs::create_directories(folder_ / "train");
  std::ofstream(folder_ / "train/events.out.tfevents.1.other.v2") << "";
  FakeRun run;
  callback()->on_train_begin(run, 0);
  callback()->on_train_begin(run, 0);  // a fresh run of the same checkpoint starts afresh
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "train"), fs::directory_iterator()), 2);
  run.checkpoint = "another.h5";
  callback()->on_train_begin(run, 0);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "train"), fs::directory_iterator()), 3);
}

TEST_F(TensorBoardTest, ArgumentsThatMakeNoSenseAreRefused) {
  for (const char* more : {", update_freq=\"step\"", ", update_freq=0", ", update_freq=-3",
                           ", histogram_freq=-1", ", write_images=True", ", profile_batch=2"})
    EXPECT_THROW(callback(more), InputError) << more;
  EXPECT_THROW(callbacks().make(parse_call("TensorBoard(\"\")")), InputError);
  EXPECT_EQ(callback(", update_freq=\"batch\"")->every_steps(), 1);
  EXPECT_EQ(callback()->every_steps(), 0);
}

}  // namespace
}  // namespace nntrain::train

// Callbacks decide as Keras does: the logs of whole runs are played to them. A run that is stopped after any epoch and
// resumed from their state decides as the straight run.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "golden_json.h"
#include "nntrain/core/call.h"
#include "nntrain/core/error.h"
#include "nntrain/train/callback.h"

namespace nntrain::train {
namespace {

/// A run that is nothing but its numbers.
class FakeRun : public Control {
 public:
  double learning_rate() const override { return static_cast<double>(rate); }
  void set_learning_rate(double value) override { rate = static_cast<float>(value); }
  void stop(const std::string&) override { stopped = true; }
  void fail_diverged(const std::string& message) override {
    stopped = true;
    diverged = message;
  }
  void keep_weights(const std::string& name) override { kept[name] = epoch; }
  void restore_weights(const std::string& name) override { restored = kept.at(name); }
  bool has_kept_weights(const std::string& name) const override { return kept.count(name) != 0; }
  void save(const std::string& path, Save) override { saved.push_back(path); }
  bool is_root() const override { return true; }
  void say(const std::string&) override {}
  bool larger_is_better(const std::string& monitor) const override { return monitor.find("accuracy") != std::string::npos; }

  float rate = 0.1F;
  std::int64_t epoch = 0, restored = -1;
  bool stopped = false;
  std::string diverged;
  std::map<std::string, std::int64_t> kept;
  std::vector<std::string> saved;
};

Logs logs_of(const Json& values) {
  Logs logs;
  for (const auto& [name, value] : values.items()) logs.values.emplace_back(name, value.get<double>());
  return logs;
}

/// Plays `curve`; the callback is replaced by one restored from its state after epoch `cut` (-1: never).
FakeRun play(const std::string& spec, const Json& curve, std::int64_t cut, std::vector<double>& rates) {
  FakeRun run;
  std::unique_ptr<Callback> callback = callbacks().make(parse_call(spec));
  callback->on_train_begin(run, 0);
  for (const Json& values : curve) {
    callback->on_epoch_begin(run, run.epoch);
    Logs logs = logs_of(values);
    callback->on_epoch_end(run, run.epoch, logs);
    rates.push_back(run.learning_rate());
    if (run.epoch == cut) {
      const Json state = Json::parse(callback->state().dump());  // as it goes through a checkpoint
      callback = callbacks().make(parse_call(spec));
      callback->set_state(state);
    }
    ++run.epoch;
    if (run.stopped) break;
  }
  callback->on_train_end(run);
  return run;
}

Json curve_named(const Json& all, const std::string& name) {
  for (const Json& curve : all["curves"]) {
    if (curve["name"] == name) return curve["logs"];
  }
  ADD_FAILURE() << "no curve " << name;
  return Json::array();
}

TEST(Golden, CallbacksDecideAsKeras) {
  const Json all = golden::load("callbacks");
  for (const Json& one : all["cases"]) {
    SCOPED_TRACE(one["name"].get<std::string>());
    const Json curve = curve_named(all, one["curve"].get<std::string>());
    for (const std::int64_t cut : {-1, 0, 2, 4}) {
      std::vector<double> rates;
      const FakeRun run = play(one["spec"].get<std::string>(), curve, cut, rates);
      EXPECT_EQ(run.epoch, one["stopped_epoch"].get<std::int64_t>()) << "cut " << cut;
      EXPECT_EQ(run.stopped, one["stopped"].get<bool>());
      if (one["restored_epoch"].is_number()) {
        EXPECT_EQ(run.restored + 1, one["restored_epoch"].get<std::int64_t>());  // epochs count from 1 there
      }
      ASSERT_EQ(rates.size(), one["learning_rates"].size());
      for (std::size_t i = 0; i < rates.size(); ++i) EXPECT_NEAR(rates[i], one["learning_rates"][i].get<double>(), 1e-7);
    }
  }
}

class FilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("nntrain_callbacks_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string read(const std::string& name) const {
    std::ifstream file(folder_ / name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::filesystem::path folder_;
};

TEST_F(FilesTest, CsvLoggerCutsTheRowsAfterTheCheckpoint) {
  const std::string spec = "CSVLogger(\"" + (folder_ / "log.csv").string() + "\")";
  FakeRun run;
  const auto epochs = [&](std::int64_t first, std::int64_t last) {
    const std::unique_ptr<Callback> logger = callbacks().make(parse_call(spec));
    logger->on_train_begin(run, first);
    for (std::int64_t epoch = first; epoch < last; ++epoch) {
      Logs logs = logs_of({{"loss", 1.0 / static_cast<double>(epoch + 1)}});
      logger->on_epoch_end(run, epoch, logs);
    }
  };
  epochs(0, 5);
  const std::string straight = read("log.csv");
  EXPECT_EQ(straight.rfind("epoch,loss\n0,1", 0), 0U) << straight;
  epochs(3, 5);  // killed after epoch 5, the checkpoint holds 3
  EXPECT_EQ(read("log.csv"), straight);
}

TEST_F(FilesTest, ModelCheckpointFillsPatternsAndKeepsTheBest) {
  const std::unique_ptr<Callback> every = callbacks().make(parse_call(R"(ModelCheckpoint("{epoch:02d}-{val_loss:.2f}.h5"))"));
  const std::unique_ptr<Callback> best = callbacks().make(parse_call(R"(ModelCheckpoint("best.h5", save_best_only=True))"));
  FakeRun all_runs, best_runs;
  int epoch = 0;
  for (const double loss : {1.0, 0.5, 0.7, 0.4}) {
    Logs logs = logs_of({{"val_loss", loss}});
    every->on_epoch_end(all_runs, epoch, logs);
    best->on_epoch_end(best_runs, epoch++, logs);
  }
  EXPECT_EQ(all_runs.saved, (std::vector<std::string>{"01-1.00.h5", "02-0.50.h5", "03-0.70.h5", "04-0.40.h5"}));
  EXPECT_EQ(best_runs.saved.size(), 3U);
}

TEST(Callbacks, TerminateOnNaNFails) {
  FakeRun run;
  callbacks().make("TerminateOnNaN")->on_invalid_loss(run, 7);
  EXPECT_EQ(run.diverged, "Batch 7: Invalid loss, terminating training");
}

TEST(Callbacks, LearningRateSchedulerFollowsItsSchedule) {
  FakeRun run;
  const std::unique_ptr<Callback> scheduler = callbacks().make(parse_call("LearningRateScheduler(ExponentialDecay(0.1, 1, 0.5))"));
  scheduler->on_epoch_begin(run, 2);
  EXPECT_NEAR(run.learning_rate(), 0.025, 1e-8);
}

TEST(Callbacks, MistakesAreNamed) {
  FakeRun run;
  Logs logs = logs_of({{"loss", 1.0}});
  try {
    callbacks().make("EarlyStopping")->on_epoch_end(run, 0, logs);
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("val_loss"), std::string::npos);
  }
  for (const char* spec : {"ReduceLROnPlateau(factor=1.5)", "EarlyStopping(mode=\"best\")", "ModelCheckpoint(\"best.keras\")", "EarlyStoping()"}) {
    EXPECT_THROW(callbacks().make(parse_call(spec)), InputError) << spec;
  }
}

}  // namespace
}  // namespace nntrain::train

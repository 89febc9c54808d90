// Callbacks decide as Keras does: the logs of whole runs are played to them. A run that is stopped after any
// epoch and resumed from their state decides as the straight run.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "core/call.h"
#include "core/error.h"
#include "fake_run.h"
#include "golden_json.h"
#include "train/callbacks/callback.h"

namespace nntrain::train {
namespace {

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
  int tried = 0;
  for (const Json& one : all["cases"]) {
    if (!one.contains("stopped_epoch")) continue;
    ++tried;
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
      for (std::size_t i = 0; i < rates.size(); ++i)
        EXPECT_NEAR(rates[i], one["learning_rates"][i].get<double>(), 1e-7);
    }
  }
  EXPECT_GE(tried, 120);
}

TEST(Golden, ModelCheckpointSavesWhatKerasSaves) {
  const Json all = golden::load("callbacks");
  int tried = 0;
  for (const Json& one : all["cases"]) {
    if (!one.contains("saved")) continue;
    ++tried;
    SCOPED_TRACE(one["name"].get<std::string>());
    for (const std::int64_t cut : {-1, 0, 3}) {
      std::vector<double> rates;
      EXPECT_EQ(
          play(one["spec"].get<std::string>(), curve_named(all, one["curve"].get<std::string>()), cut, rates)
              .saved,
          one["saved"].get<std::vector<std::string>>());
    }
  }
  EXPECT_GE(tried, 15);
}

TEST(Golden, TerminateOnNaNSaysWhatKerasSays) {
  const Json all = golden::load("callbacks");
  int tried = 0;
  for (const Json& one : all["cases"]) {
    if (!one.contains("raised")) continue;
    ++tried;
    FakeRun run;
    const std::unique_ptr<Callback> callback = callbacks().make(parse_call(one["spec"].get<std::string>()));
    if (one["raised"].is_null()) {
      callback->on_invalid_loss(run, one["batch"].get<std::int64_t>());
      EXPECT_EQ(run.stopped, one["stopped"].get<bool>());
      continue;
    }
    EXPECT_THROW(callback->on_invalid_loss(run, one["batch"].get<std::int64_t>()), DivergedError);
  }
  EXPECT_EQ(tried, 2);
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

TEST_F(FilesTest, CsvLoggerWritesWhatKerasWrites) {
  const Json all = golden::load("callbacks");
  int tried = 0;
  for (const Json& one : all["cases"]) {
    if (!one.contains("csv")) continue;
    ++tried;
    SCOPED_TRACE(one["name"].get<std::string>());
    std::string spec = one["spec"].get<std::string>();
    spec.replace(spec.find("log.csv"), 7, (folder_ / "log.csv").string());
    const Json curve = curve_named(all, one["curve"].get<std::string>());
    const bool two_runs = spec.find("append") != std::string::npos;
    FakeRun run;
    std::unique_ptr<Callback> logger;
    for (std::size_t k = 0; k < curve.size(); ++k) {
      if (k == 0 || (two_runs && k == 2)) {
        logger = callbacks().make(parse_call(spec));
        logger->on_train_begin(run, 0);
      }
      Logs logs = logs_of(curve[k]);
      logger->on_epoch_end(run, static_cast<std::int64_t>(two_runs && k >= 2 ? k - 2 : k), logs);
    }
    EXPECT_EQ(read("log.csv"), one["csv"].get<std::string>());
    std::filesystem::remove(folder_ / "log.csv");
  }
  EXPECT_GE(tried, 8);
}

TEST_F(FilesTest, CsvLoggerCutsTheRowsAfterTheCheckpoint) {
  for (const std::string append : {"False", "True"}) {
    const std::string spec = "CSVLogger(\"" + (folder_ / "log.csv").string() + "\", append=" + append + ")";
    FakeRun run;
    Json state;
    /// Epochs first .. last of a run; the state is that after the epoch `kept`.
    const auto epochs = [&](std::int64_t first, std::int64_t last, std::int64_t kept) {
      const std::unique_ptr<Callback> logger = callbacks().make(parse_call(spec));
      if (run.goes_on) logger->set_state(state);
      logger->on_train_begin(run, first);
      for (std::int64_t epoch = first; epoch < last; ++epoch) {
        Logs logs = logs_of({{"loss", 1.0 / static_cast<double>(epoch + 1)}, {"val_loss", 2.0}});
        logger->on_epoch_end(run, epoch, logs);
        if (epoch + 1 == kept) state = Json::parse(logger->state().dump());
      }
    };
    epochs(0, 7, 0);  // an older run, whose rows append keeps
    epochs(0, 5, 3);
    const std::string straight = read("log.csv");
    EXPECT_EQ(straight.rfind("epoch,loss,val_loss\n0,1.0,2.0\n1,0.5,2.0\n", 0), 0U) << straight;
    run.goes_on = true;
    epochs(3, 5, 0);  // killed after epoch 5, the checkpoint holds 3
    EXPECT_EQ(read("log.csv"), straight);
    state = Json::object();  // a logger that is new to a resumed run goes by the epochs
    if (append == "False") {
      epochs(3, 5, 0);
      EXPECT_EQ(read("log.csv"), straight);
    }
  }
}

TEST(Callbacks, TerminateOnNaNFails) {
  FakeRun run;
  callbacks().make("TerminateOnNaN")->on_invalid_loss(run, 7);
  EXPECT_EQ(run.diverged, "Batch 7: Invalid loss, terminating training");
}

TEST(Callbacks, LearningRateSchedulerFollowsItsSchedule) {
  FakeRun run;
  const std::unique_ptr<Callback> scheduler =
      callbacks().make(parse_call("LearningRateScheduler(ExponentialDecay(0.1, 1, 0.5))"));
  scheduler->on_epoch_begin(run, 2);
  EXPECT_NEAR(run.learning_rate(), 0.025, 1e-8);
}

TEST(Callbacks, AnEpochWithoutValidationIsPassedOver) {  // fit.validation_freq
  FakeRun run;
  for (const char* spec :
       {"EarlyStopping(patience=1, restore_best_weights=True)", "ReduceLROnPlateau(patience=1)",
        "ModelCheckpoint(\"best.h5\", save_best_only=True)", "ModelCheckpoint(\"{val_loss}.h5\")"}) {
    const std::unique_ptr<Callback> callback = callbacks().make(parse_call(spec));
    for (std::int64_t epoch = 0; epoch < 4; ++epoch) {
      Logs logs = logs_of({{"loss", 1.0}});
      EXPECT_NO_THROW(callback->on_epoch_end(run, epoch, logs)) << spec;
    }
  }
  EXPECT_FALSE(run.stopped);
  EXPECT_TRUE(run.saved.empty());
  EXPECT_NEAR(run.learning_rate(), 0.1, 1e-7);
}

TEST(Callbacks, TheFirstResultIsTheBestAndNotANumberStaysSo) {
  FakeRun run;
  std::unique_ptr<Callback> stopping = callbacks().make(parse_call("EarlyStopping(patience=2)"));
  std::int64_t epochs = 0;
  for (const double loss : {std::nan(""), 1.0, 0.5, 0.4}) {  // as in Keras, nothing is better than NaN
    Logs logs = logs_of({{"val_loss", loss}});
    stopping->on_epoch_end(run, epochs++, logs);
    const Json state = Json::parse(stopping->state().dump());
    stopping = callbacks().make(parse_call("EarlyStopping(patience=2)"));
    stopping->set_state(state);
    if (run.stopped) break;
  }
  EXPECT_EQ(epochs, 3);
}

TEST(Callbacks, MistakesAreNamedBeforeTheRun) {
  const FakeRun run;
  const auto message = [&](const std::string& spec) -> std::string {
    try {
      callbacks().make(parse_call(spec))->check(run);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message("EarlyStopping(monitor=\"val_los\")")
                .find("\"val_los\" is not among the results: accuracy, loss, val_accuracy, val_loss, "
                      "learning_rate; did you mean \"val_loss\""),
            std::string::npos);
  EXPECT_NE(message("ReduceLROnPlateau(\"val_mse\")").find("\"val_mse\""), std::string::npos);
  EXPECT_NE(message("ModelCheckpoint(\"{epoc}.h5\")").find("names \"epoc\""), std::string::npos);
  EXPECT_NE(message("ModelCheckpoint(\"{epoch:.2f}.h5\")").find("format"), std::string::npos);
  EXPECT_NE(message("ModelCheckpoint(\"a.h5\", save_best_only=True, save_freq=3)").find("save_freq=3"),
            std::string::npos);
  EXPECT_EQ(message("ModelCheckpoint(\"{epoch:02d}-{val_loss:.2f}.h5\", save_best_only=True)"), "");
  for (const char* spec :
       {"ReduceLROnPlateau(factor=1.5)", "EarlyStopping(mode=\"best\")", "ModelCheckpoint(\"best.keras\")",
        "ModelCheckpoint(\"a.weights.h5\", save_weights_only=True)", "EarlyStoping()"}) {
    EXPECT_THROW(callbacks().make(parse_call(spec)), InputError) << spec;
  }
}

}  // namespace
}  // namespace nntrain::train

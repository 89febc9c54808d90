// A run that was stopped after any step and resumed decides and ends exactly as the straight one; a run that
// diverged saves nothing any more. Every rank takes part.

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "checkpoint/checkpoint.h"
#include "core/products/gemm.h"
#include "small_run.h"

namespace nntrain::train {
namespace {

namespace fs = std::filesystem;

/// Asks for a stop after step `at` of the run (counted from 1), as a signal would.
class StopAt : public Callback {
 public:
  explicit StopAt(const Json& config) : at_(config["at"].get<std::int64_t>()) {}
  std::int64_t every_steps() const override { return at_; }
  void on_steps(Control& control, std::int64_t, const Logs&) override {
    if (seen_ || control.is_root() == false) return;  // one rank's wish is enough
    seen_ = true;
    token->request_stop(StopReason::kTerminate);
  }

 private:
  std::int64_t at_;
  bool seen_ = false;
};

/// Asks for a checkpoint after step `at`, as SIGUSR2 would: the wish travels with the gradients of step at
/// + 1.
class SaveAt : public Callback {
 public:
  explicit SaveAt(const Json& config) : at_(config["at"].get<std::int64_t>()) {}
  std::int64_t every_steps() const override { return 1; }
  void on_steps(Control& control, std::int64_t, const Logs&) override {
    if (++steps_ == at_ && control.is_root()) token->request_save();
  }

 private:
  std::int64_t at_, steps_ = 0;
};

/// Ends the run at step `at` without another word, as a power cut would.
class FailAt : public Callback {
 public:
  explicit FailAt(const Json& config) : at_(config["at"].get<std::int64_t>()) {}
  std::int64_t every_steps() const override { return 1; }
  void on_steps(Control&, std::int64_t, const Logs&) override {
    if (++steps_ == at_) throw RuntimeError("FailAt");
  }

 private:
  std::int64_t at_, steps_ = 0;
};

template <typename T>
void register_at(const char* name, const char* snake_name) {
  callbacks().add({name, {snake_name}, {{"at", Kind::kInteger, nullptr, true}}, "for this test"},
                  [](const Json& config) { return std::make_unique<T>(config); });
}

void register_stop_at() {
  static const bool once = [] {
    register_at<StopAt>("StopAt", "stop_at");
    register_at<SaveAt>("SaveAt", "save_at");
    register_at<FailAt>("FailAt", "fail_at");
    return true;
  }();
  (void)once;
}

/// What must not depend on the stop: weights, history but for the seconds, state, callbacks' states, kept
/// weights.
std::string essence(const std::string& path) {
  if (!session().is_root()) return {};
  const checkpoint::Contents contents = checkpoint::read(path);
  std::string text = checkpoint::weights_digest(contents.weights);
  for (const auto& [name, column] : contents.history.columns) {
    text += "\n" + name;
    if (name == "seconds") continue;
    for (const double value : column) text += " " + std::to_string(value);
  }
  const checkpoint::RunState& state = contents.state;
  text += "\nstate " + std::to_string(state.epoch) + " " + std::to_string(state.step) + " " +
          std::to_string(state.iteration) + (state.finished ? " finished" : " not finished");
  text += "\nended by " + contents.environment.value("ended_by", "");
  for (const Json& callback : contents.callbacks) {
    if (callback["class_name"] != "StopAt") text += "\n" + callback.dump();
  }
  for (const auto& [name, weights] : contents.extra_weights)
    text += "\n" + name + " " + checkpoint::weights_digest(weights);
  return text;
}

void expect_every_stop_to_change_nothing(const Options& extra, const Callbacks& callbacks) {
  register_stop_at();
  const Folder folder;
  Options options = small_run(folder.file("straight.h5"));
  for (const auto& [key, text] : extra) options[key] = text;
  ASSERT_EQ(train_once(options, callbacks), ExitCode::kDone);
  const std::string straight = essence(options["checkpoint.path"]);
  int stopped = 0;
  // One process tries every step; more ranks, which must agree, those around the ends of epochs.
  const int stride = session().size() == 1 ? 1 : 3;
  for (int step = 1; step <= 20; step += stride) {
    options["checkpoint.path"] = folder.file("stopped_" + std::to_string(step) + ".h5");
    Callbacks with_stop = callbacks;
    with_stop.push_back("StopAt(" + std::to_string(step) + ")");
    const ExitCode code = train_once(options, with_stop);
    if (code == ExitCode::kResumable) {
      ++stopped;
      EXPECT_EQ(train_once(options, callbacks), ExitCode::kDone) << "after step " << step;
    } else {
      EXPECT_EQ(code, ExitCode::kDone) << "at step " << step;
    }
    EXPECT_EQ(essence(options["checkpoint.path"]), straight) << "stopped after step " << step;
  }
  EXPECT_GE(stopped * stride, 9);  // the stop is real; a run that ended before it has none
}

TEST(EveryStop, NoCallback) { expect_every_stop_to_change_nothing({}, {}); }

TEST(EveryStop, EarlyStoppingWithBestWeights) {
  // min_delta is out of reach after the first epochs: it fires at the end of epoch 3 in the straight run.
  expect_every_stop_to_change_nothing(
      {}, {"EarlyStopping(monitor=\"val_loss\", patience=2, min_delta=10.0, restore_best_weights=True)"});
}

TEST(EveryStop, EarlyStoppingInTheLastEpoch) {
  expect_every_stop_to_change_nothing(
      {{"fit.epochs", "2"}}, {"EarlyStopping(monitor=\"loss\", patience=1, min_delta=10.0, mode=\"min\")"});
}

TEST(EveryStop, ExponentialMovingAverage) {
  expect_every_stop_to_change_nothing(
      {{"compile.optimizer", "SGD(0.05, momentum=0.9, use_ema=True, ema_momentum=0.9)"}}, {});
}

TEST(EveryStop, LearningRates) {
  expect_every_stop_to_change_nothing({},
                                      {"ReduceLROnPlateau(monitor=\"loss\", patience=1, min_delta=10.0)"});
  expect_every_stop_to_change_nothing({{"compile.optimizer", "SGD(0.05, momentum=0.9)"}},
                                      {"LearningRateScheduler(ExponentialDecay(0.1, 1, 0.5))"});
}

TEST(EveryStop, OneStepAnEpoch) {
  expect_every_stop_to_change_nothing(
      {{"fit.batch_size", "40"}, {"fit.epochs", "20"}},
      {"EarlyStopping(monitor=\"val_loss\", patience=12, min_delta=10.0, restore_best_weights=True)"});
}

TEST(EveryStop, StepsPerEpochAndValidationNow) {
  expect_every_stop_to_change_nothing(
      {{"fit.steps_per_epoch", "3"}, {"fit.validation_freq", "2"}, {"fit.epochs", "6"}}, {});
}

// ---- Which steps and epochs write a checkpoint

/// The step that the checkpoint of a run holds which ended at `fail_at` without another word; 0 without one.
std::int64_t saved_step(Options options, const Callbacks& callbacks, int fail_at) {
  register_stop_at();
  const Folder folder;
  const Options defaults = small_run(folder.file("run.h5"));
  options["checkpoint.path"] = folder.file("run.h5");
  for (const auto& [key, text] : defaults) options.emplace(key, text);
  Callbacks all = callbacks;
  all.push_back("FailAt(" + std::to_string(fail_at) + ")");
  EXPECT_THROW(train_once(options, all), RuntimeError);
  session().barrier();
  std::int64_t step = 0;
  if (session().is_root() && fs::exists(folder.file("run.h5")))
    step = checkpoint::read(folder.file("run.h5")).state.iteration;
  return session().maximum(step);
}

TEST(Saves, AWishIsFulfilledAfterAnyStepAlsoTheLastOfAnEpoch) {
  for (int step = 1; step <= 11; ++step) {
    EXPECT_EQ(
        saved_step({{"checkpoint.every_epochs", "1000"}}, {"SaveAt(" + std::to_string(step) + ")"}, step + 2),
        step + 1);
  }
}

TEST(Saves, EveryStepsCountsThroughTheEndsOfEpochs) {
  for (int every = 1; every <= 6; ++every) {
    const Options options = {{"checkpoint.every_epochs", "1000"},
                             {"checkpoint.every_steps", std::to_string(every)}};
    EXPECT_EQ(saved_step(options, {}, 16), 15 / every * every) << every;
  }
}

TEST(Saves, EveryEpochs) {  // 5 steps each; step 18 is in the fourth
  EXPECT_EQ(saved_step({}, {}, 18), 15);
  EXPECT_EQ(saved_step({{"checkpoint.every_epochs", "2"}}, {}, 18), 10);
  EXPECT_EQ(saved_step({{"checkpoint.every_epochs", "4"}}, {}, 18), 0);
}

// ---- Divergence

/// The code of the error that a run ends with, and what it says.
std::pair<ExitCode, std::string> error_of(const Options& options, const Callbacks& callbacks) {
  try {
    return {train_once(options, callbacks), ""};
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
}

void expect_finite(const std::string& path, const std::string& what) {
  if (!session().is_root() || !fs::exists(path)) return;
  for (const checkpoint::WeightArray& weight : checkpoint::read(path).weights) {
    for (const float value : weight.values) ASSERT_TRUE(std::isfinite(value)) << what << ": " << path;
  }
}

/// Diverges in some step of its first epochs: mean squared error with an absurd learning rate.
Options diverging_run(const std::string& checkpoint, const std::string& rate) {
  Options options = small_run(checkpoint);
  options["compile.loss"] = "mean_squared_error";
  options["compile.optimizer"] = "SGD(" + rate + ")";
  options["compile.metrics"] = "";
  options["fit.epochs"] = "30";
  return options;
}

TEST(Divergence, SavesNothingAnyMoreHoweverOftenItWouldSave) {
  register_stop_at();
  const Folder folder;
  int n = 0;
  for (const char* rate : {"1e4", "1e12", "1e30"}) {
    for (const Options& saves : {Options{}, Options{{"checkpoint.every_steps", "1"}},
                                 Options{{"checkpoint.every_minutes", "0.0000001"}}}) {
      const std::string path = folder.file("run_" + std::to_string(++n) + ".h5");
      Options options = diverging_run(path, rate);
      for (const auto& [key, text] : saves) options[key] = text;
      const std::string mine = folder.file("mine_" + std::to_string(n) + ".h5");
      const auto [code, text] =
          error_of(options, {"ModelCheckpoint(\"" + mine + "\", save_freq=1)", "StopAt(500)"});
      EXPECT_EQ(code, ExitCode::kDiverged) << text;
      EXPECT_NE(text.find("NaN or Inf"), std::string::npos) << text;
      const bool names_what_is_there =
          text.find(path + " holds the state") != std::string::npos ||
          text.find("no checkpoint of this run was written") != std::string::npos;
      EXPECT_TRUE(names_what_is_there) << text;
      if (session().is_root()) {
        EXPECT_EQ(fs::exists(path), text.find("holds the state") != std::string::npos) << text;
      }
      expect_finite(path, rate);
      expect_finite(mine, rate);
    }
  }
}

TEST(Divergence, InTheLastUpdateOfARunIsFoundBeforeTheRunIsCalledFinished) {
  const Folder folder;
  Options options =
      diverging_run(folder.file("run.h5"), "1e38");  // one step: the loss is finite, the update is not
  options["fit.batch_size"] = "40";
  options["fit.epochs"] = "1";
  options["data.validation_rows"] = "";
  const auto [code, text] = error_of(options, {});
  EXPECT_EQ(code, ExitCode::kDiverged) << text;
  if (session().is_root()) {
    EXPECT_FALSE(fs::exists(folder.file("run.h5")));
  }
}

TEST(Divergence, BeatsAStopThatArrivesWithIt) {
  register_stop_at();
  const Folder folder;
  for (int step = 1; step <= 4; ++step) {
    const Options options = diverging_run(folder.file("run_" + std::to_string(step) + ".h5"), "1e30");
    const auto [code, text] = error_of(options, {"StopAt(" + std::to_string(step) + ")"});
    if (code == ExitCode::kResumable) continue;  // stopped while all was well
    EXPECT_EQ(code, ExitCode::kDiverged) << text;
    expect_finite(options.at("checkpoint.path"), "stop");
  }
}

// ---- More epochs for a run that a callback ended

TEST(NewFit, ForgetsWhatEndedTheLastOne) {
  const Folder folder;
  Options options = small_run(folder.file("run.h5"));
  options["fit.epochs"] = "10";
  const Callbacks early = {"EarlyStopping(monitor=\"val_loss\", patience=2, min_delta=10.0)"};
  ASSERT_EQ(train_once(options, early), ExitCode::kDone);
  options["fit.epochs"] = "20";
  ASSERT_EQ(train_once(options, early), ExitCode::kDone);
  if (!session().is_root()) return;
  const checkpoint::Contents contents = checkpoint::read(options["checkpoint.path"]);
  // Keras: each fit() waits for `patience` epochs after its own first one.
  EXPECT_EQ(contents.state.epoch, 6);
  EXPECT_EQ(contents.environment["fits"], Json({0, 3}));
  EXPECT_EQ(contents.environment["ended_by"], "EarlyStopping");
}

}  // namespace
}  // namespace nntrain::train

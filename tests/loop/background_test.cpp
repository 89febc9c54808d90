// Steps go on while a checkpoint is written; what its writing does to the run is the same on every rank,
// whenever rank 0 learns of it. A disk that waits until it is told to go on makes every order happen.

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <set>

#include "checkpoint/checkpoint.h"
#include "checkpoint/digest.h"
#include "small_run.h"
#include "train/loop/fit.h"

namespace nntrain::train {
namespace {

namespace fs = std::filesystem;

/// fsync of a file waits at the gate while it is closed, then does what it was told.
class GateSystem : public io::System {
 public:
  void close_gate() { set(State::kClosed, 0); }
  /// Every fsync from now on, the one that waits too, gives `error`; 0: works.
  void open_gate(int error) { set(State::kOpen, error); }
  /// Returns when an fsync waits at the gate.
  void await_arrival() {
    std::unique_lock<std::mutex> hold(mutex_);
    changed_.wait(hold, [&] { return waiting_ > 0; });
  }

  int fsync(int descriptor) override {
    std::unique_lock<std::mutex> hold(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(hold, [&] { return state_ == State::kOpen; });
    --waiting_;
    if (error_ == 0) return System::fsync(descriptor);
    errno = error_;
    return -1;
  }

 private:
  enum class State { kOpen, kClosed };
  void set(State state, int error) {
    const std::lock_guard<std::mutex> hold(mutex_);
    state_ = state, error_ = error;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::kOpen;
  int error_ = 0, waiting_ = 0;
};

/// What the tests' callback reads and writes.
struct Scene {
  GateSystem disk;
  StopToken stop;
  int save_at = 0;         ///< the wish; the state of the step after it is saved
  int go_on_at = 0;        ///< the gate opens
  int error = 0;           ///< what fsync gives then
  int stop_at = 0;         ///< a stop is asked for
  int throw_at = 0;        ///< an error of the callback's own
  std::int64_t steps = 0;  ///< done by the run
};
Scene* scene = nullptr;

class Director : public Callback {
 public:
  std::int64_t every_steps() const override { return 1; }
  void on_steps(Control& control, std::int64_t, const Logs&) override {
    const std::int64_t step = ++scene->steps;
    if (step == scene->throw_at) throw RuntimeError("the Director's error");
    if (!control.is_root()) return;
    if (step == scene->save_at) scene->disk.close_gate(), scene->stop.request_save();
    if (step == scene->stop_at) scene->stop.request_stop(StopReason::kTerminate);
    if (step == scene->go_on_at) {
      scene->disk.await_arrival();
      scene->disk.open_gate(scene->error);
    }
  }
};

void register_director() {
  static const bool once = [] {
    callbacks().add({"Director", {"director"}, {}, "for this test"},
                    [](const Json&) { return std::make_unique<Director>(); });
    return true;
  }();
  (void)once;
}

/// The code that the run ends with, and what its error says.
std::pair<ExitCode, std::string> train(const Options& options, const Callbacks& callbacks) {
  register_director();
  try {
    Log log(session().is_root() ? Log::Voice::kSpeaks : Log::Voice::kSilent);
    const auto run = open_run(session(), configuration_of(options, callbacks), {log, scene->stop, "test"});
    if (session().is_root()) {
      run->file.reset();  // its lock
      run->file = std::make_unique<checkpoint::RunFile>(options.at("checkpoint.path"), 2, scene->disk);
    }
    return {fit(*run), ""};
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
}

/// 40 steps, saved when somebody wishes it and at the end.
Options long_run(const Folder& folder) {
  Options options = small_run(folder.file("run.h5"));
  options["fit.epochs"] = "8";
  options["checkpoint.every_epochs"] = "1000";
  return options;
}

/// The optimizer steps of the checkpoint at `path`, -1 without one; the same on all ranks.
std::int64_t steps_in(const std::string& path) {
  std::int64_t steps = -1;
  if (session().is_root() && fs::exists(path)) steps = checkpoint::read(path).state.iteration;
  return session().maximum(steps);
}

TEST(Background, StepsGoOnWhileACheckpointIsWritten) {
  const Folder folder;
  Scene gated;
  scene = &gated;
  gated.save_at = 7, gated.go_on_at = 19;  // through the ends of epochs, too
  const Options options = long_run(folder);
  const auto [code, text] = train(options, {"Director()"});
  EXPECT_EQ(code, ExitCode::kDone) << text;
  EXPECT_EQ(gated.steps, 40);
  EXPECT_EQ(steps_in(options.at("checkpoint.path")), 40);
  EXPECT_EQ(steps_in(options.at("checkpoint.path") + ".1"), 8);  // the state of when it began, not of later
}

TEST(Background, WhatIsSavedIsTheStateOfItsStepBitForBit) {
  const Folder folder;
  Scene stopped, gated;
  Options options = long_run(folder);
  options["checkpoint.path"] = folder.file("stopped.h5");
  scene = &stopped;
  stopped.stop_at = 7;  // a stop after step 7 takes effect with step 8's flags
  EXPECT_EQ(train(options, {"Director()"}).first, ExitCode::kResumable);
  options["checkpoint.path"] = folder.file("gated.h5");
  scene = &gated;
  gated.save_at = 7, gated.go_on_at = 30;
  EXPECT_EQ(train(options, {"Director()"}).first, ExitCode::kDone);
  if (!session().is_root()) return;
  const checkpoint::Contents one = checkpoint::read(folder.file("stopped.h5"));
  const checkpoint::Contents other = checkpoint::read(folder.file("gated.h5.1"));
  EXPECT_EQ(one.state.iteration, other.state.iteration);
  EXPECT_EQ(checkpoint::weights_digest(one.weights), checkpoint::weights_digest(other.weights));
  EXPECT_EQ(one.metric_sums.values, other.metric_sums.values);
  ASSERT_EQ(one.slots.size(), other.slots.size());
  for (std::size_t k = 0; k < one.slots.size(); ++k) EXPECT_EQ(one.slots[k].values, other.slots[k].values);
}

TEST(Background, AStopWaitsForWhatIsBeingWrittenAndSavesItsOwnState) {
  const Folder folder;
  Scene gated;
  scene = &gated;
  gated.save_at = 7, gated.stop_at = 18, gated.go_on_at = 18;
  const Options options = long_run(folder);
  const auto [code, text] = train(options, {"Director()"});
  EXPECT_EQ(code, ExitCode::kResumable) << text;
  EXPECT_EQ(steps_in(options.at("checkpoint.path")), 19);
  EXPECT_EQ(steps_in(options.at("checkpoint.path") + ".1"), 8);
}

TEST(Background, AFailureEndsTheRunAtOneOfTheNextStepsAndTheFileBeforeIsWhole) {
  const Folder folder;
  Options options = long_run(folder);
  {
    Scene good;
    scene = &good;
    good.stop_at = 9;
    ASSERT_EQ(train(options, {"Director()"}).first, ExitCode::kResumable);
  }
  Scene gated;
  scene = &gated;
  gated.save_at = 7, gated.go_on_at = 12, gated.error = EIO;
  options["fit.epochs"] = "100000";
  const auto [code, text] = train(options, {"Director()"});
  EXPECT_EQ(code, ExitCode::kRuntime) << text;
  EXPECT_NE(text.find("Input/output error"), std::string::npos) << text;
  EXPECT_GE(gated.steps, 12);
  EXPECT_LT(gated.steps, 500000);
  EXPECT_EQ(steps_in(options.at("checkpoint.path")), 10);
  if (session().is_root()) {
    for (const auto& entry : fs::directory_iterator(fs::path(options.at("checkpoint.path")).parent_path()))
      EXPECT_EQ(entry.path().filename().string().find("tmp-"), std::string::npos) << entry.path();
  }
}

TEST(Background, AFailureIsFoundByWhoeverSavesNext) {
  for (const std::string callback : {"", "ModelCheckpoint"}) {
    const Folder folder;
    Scene gated;
    scene = &gated;
    // The gate opens in the last step of the run's last epoch: the end of the run, or a callback's file,
    // waits.
    gated.save_at = 7, gated.go_on_at = 40, gated.error = ENOSPC;
    Callbacks all = {"Director()"};
    const std::string mine = folder.file("mine.h5");
    if (!callback.empty()) all.push_back(callback + "(\"" + mine + "\", save_freq=40)");
    const Options options = long_run(folder);
    const auto [code, text] = train(options, all);
    EXPECT_EQ(code, ExitCode::kRuntime) << text;
    EXPECT_NE(text.find("No space left"), std::string::npos) << text;
    EXPECT_EQ(steps_in(options.at("checkpoint.path")), -1);
    EXPECT_EQ(steps_in(mine), -1);
  }
}

TEST(Background, ARunThatEndsWithAnErrorLeavesAWholeFile) {
  const Folder folder;
  Scene gated;
  scene = &gated;
  gated.save_at = 7, gated.go_on_at = 11, gated.throw_at = 12;
  const Options options = long_run(folder);
  const auto [code, text] = train(options, {"Director()"});
  EXPECT_EQ(code, ExitCode::kRuntime);
  EXPECT_EQ(text, "the Director's error");
  session().barrier();
  EXPECT_EQ(steps_in(options.at("checkpoint.path")), 8);
}

}  // namespace
}  // namespace nntrain::train

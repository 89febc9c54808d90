// The status of a run: what is written is read back, and a run that is dead is not called alive.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "train/report/status_file.h"
#include "unit/checkpoint/contents.h"

namespace nntrain::train {
namespace {

namespace fs = std::filesystem;

class StatusTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  static RunStatus running() {
    RunStatus status;
    status.epoch = 2;
    status.epochs = 5;
    status.step = 7;
    status.steps = 10;
    status.results.values = {{"loss", 0.5}, {"accuracy", std::nan("")}};
    status.samples_per_second = 100;
    status.ranks = 4;
    set_time_left(status, 1000, 100);
    return status;
  }
  void change(const std::string& key, const Json& value) const {
    Json json = Json::parse(std::ifstream(status_path(checkpoint_)));
    json[Json::json_pointer(key)] = value;
    std::ofstream(status_path(checkpoint_)) << json;
  }

  Log log_{Log::Voice::kSpeaks};
  fs::path folder_ = fs::temp_directory_path() / ("nntrain_status_" + std::to_string(getpid()));
  std::string checkpoint_ = (folder_ / "deep/run.h5").string();
};

TEST_F(StatusTest, WhatIsWrittenIsRead) {
  StatusFile file(checkpoint_, log_);
  EXPECT_TRUE(file.wants_update());
  file.update(running());
  EXPECT_FALSE(file.wants_update());  // not again so soon
  const RunStatus read = read_status(checkpoint_);
  EXPECT_EQ(read.phase, RunPhase::kRunning);
  EXPECT_EQ(read.epoch, 2);
  EXPECT_EQ(read.step, 7);
  EXPECT_EQ(read.seconds_left, 23);
  EXPECT_EQ(read.ranks, 4);
  EXPECT_EQ(read.results.find("loss"), 0.5);
  EXPECT_TRUE(std::isnan(*read.results.find("accuracy")));
  const Json json = status_json(read);
  for (const char* key : {"state", "epoch", "epochs", "step", "steps", "loss", "accuracy",
                          "samples_per_second", "seconds_left", "ranks", "checkpoint", "updated"})
    EXPECT_TRUE(json.contains(key)) << key;
  EXPECT_EQ(json["state"], "running");
  EXPECT_EQ(json["checkpoint"], checkpoint_);
}

TEST_F(StatusTest, TheLastWordIsAlwaysWritten) {
  StatusFile file(checkpoint_, log_);
  file.update(running());
  RunStatus status = running();
  status.phase = RunPhase::kStopped;
  status.reason = "the time limit";
  file.update(status);
  EXPECT_EQ(read_status(checkpoint_).phase, RunPhase::kStopped);
  EXPECT_EQ(read_status(checkpoint_).reason, "the time limit");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "deep"), fs::directory_iterator()), 1);
}

TEST_F(StatusTest, ARunWhoseProcessEndedIsGone) {
  StatusFile(checkpoint_, log_).update(running());
  const pid_t child = fork();
  if (child == 0) _exit(0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  change("/process/pid", child);
  EXPECT_EQ(read_status(checkpoint_).phase, RunPhase::kGone);
  change("/process/pid", getpid());
  EXPECT_EQ(read_status(checkpoint_).phase, RunPhase::kRunning);
  change("/process/start", 1);  // another process has its number now
  EXPECT_EQ(read_status(checkpoint_).phase, RunPhase::kGone);
}

TEST_F(StatusTest, OnAnotherMachineSilenceCounts) {
  StatusFile(checkpoint_, log_).update(running());
  change("/process/host", "elsewhere");
  change("/process/pid", 1);
  EXPECT_EQ(read_status(checkpoint_).phase, RunPhase::kRunning);
  change("/updated", iso_time(std::time(nullptr) - 3600));
  EXPECT_EQ(read_status(checkpoint_).phase, RunPhase::kGone);
  change("/state", "finished");  // what has ended may be silent
  EXPECT_EQ(read_status(checkpoint_).phase, RunPhase::kFinished);
}

/// A finished run that went on, and was killed before its next checkpoint: what is on the disk is not its
/// end.
TEST_F(StatusTest, AKilledRunIsNoFinishedOne) {
  checkpoint::Contents contents = checkpoint::contents_at(2);
  contents.state.finished = true;
  contents.environment["epochs"] = 2;
  fs::create_directories(folder_ / "deep");
  checkpoint::write(checkpoint_, contents);
  StatusFile(checkpoint_, log_).update(running());  // after epoch 2 of 5
  change("/process/start", 1);                      // its process has ended
  EXPECT_EQ(read_status(checkpoint_).phase, RunPhase::kGone);
  EXPECT_EQ(read_status(checkpoint_).epochs, 5);
  contents.environment["epochs"] = 5;  // an early end of this very run: killed before its last word
  checkpoint::write(checkpoint_, contents);
  EXPECT_EQ(read_status(checkpoint_).phase, RunPhase::kFinished);
}

TEST_F(StatusTest, ADamagedFileIsRefused) {
  EXPECT_THROW(read_status(checkpoint_), InputError);  // neither file
  fs::create_directories(folder_ / "deep");
  for (const char* text : {"{", "[]", "{}", "{\"state\": \"running\"}", "{\"state\": 3}"}) {
    std::ofstream(status_path(checkpoint_)) << text;
    EXPECT_THROW(read_status(checkpoint_), InputError) << text;
  }
  fs::remove(status_path(checkpoint_));
  StatusFile(checkpoint_, log_).update(running());
  change("/state", "sleeping");
  EXPECT_THROW(read_status(checkpoint_), InputError);
}

TEST_F(StatusTest, AFileOfAnotherProgramIsKept) {
  fs::create_directories(folder_ / "deep");
  std::ofstream(status_path(checkpoint_)) << "{\"mine\": 1}";
  StatusFile(checkpoint_, log_).update(running());
  EXPECT_EQ(Json::parse(std::ifstream(status_path(checkpoint_)))["mine"], 1);
  std::ofstream(status_path(checkpoint_)) << "";  // what a power cut may leave
  EXPECT_THROW(read_status(checkpoint_), InputError);
  StatusFile(checkpoint_, log_).update(running());
  EXPECT_EQ(read_status(checkpoint_).epoch, 2);
}

TEST_F(StatusTest, AFileThatCannotBeWrittenCostsTheRunNothing) {
  std::ofstream(folder_ / "deep") << "a file where the folder should be";
  StatusFile file(checkpoint_, log_);
  EXPECT_NO_THROW(file.update(running()));
  EXPECT_FALSE(file.wants_update());
}

TEST_F(StatusTest, TheTimeLeftIsTheSpeedsAndNothingIsMadeUp) {
  RunStatus status = running();
  status.samples_per_second = 0;
  status.seconds_left = -1;
  set_time_left(status, 1000, 100);
  EXPECT_TRUE(status_json(status)["seconds_left"].is_null());
  EXPECT_TRUE(status_json(status)["samples_per_second"].is_null());
  status.phase = RunPhase::kFinished;
  set_time_left(status, 1000, 100);
  EXPECT_EQ(status_json(status)["seconds_left"], 0);
}

}  // namespace
}  // namespace nntrain::train

// check, verify and plan: they say what a run would do, and neither leave nor change anything.

#include <algorithm>

#include "cli_test.h"
#include "core/json.h"

namespace nntrain::cli_test {
namespace {

class TrialCommands : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    fs::copy_file(fs::path(NNTRAIN_SOURCE_DIR) / "configs/data/iris.csv", folder_ / "iris.csv");
    fs::create_directory(folder_ / "tmp");
    // Everything that writes is there, and must not be written by a trial.
    write("run.ini",
          "[data]\ninputs=iris.csv\ntarget_columns=species\n[model]\nlayer=Dense(4, activation=\"relu\")\n"
          "layer=Dense(3, activation=\"softmax\")\n[compile]\nloss=sparse_categorical_crossentropy\n"
          "optimizer=Adam()\nmetrics=accuracy\n[fit]\nepochs=2\nbatch_size=16\nvalidation_split=0.2\n"
          "callback=CSVLogger(\"rows.csv\")\ncallback=ModelCheckpoint(\"{epoch}.h5\")\n"
          "[checkpoint]\npath=runs/run.h5\n[run]\nlog=run.log\nprofile=profile.json\nplot=plot.txt\n");
  }

  Outcome call(int ranks, const std::string& arguments) const {
    return run(ranks, arguments, "TMPDIR=" + (folder_ / "tmp").string());
  }
  /// Names, sizes, times and contents of all that is there; mpirun's own session folder is not ours.
  std::string everything() const {
    return run_shell("cd " + folder_.string() +
                     " && find . -path './tmp/ompi*' -prune -o -path ./tmp -o -printf '%p %y %s %T@\\n' | "
                     "sort && find . -type f -not -path './tmp/ompi*' | sort | xargs sha256sum")
        .output;
  }
  /// The command's one line of JSON among what mpirun may say; it ran, and nothing changed.
  Json json(int ranks, const std::string& arguments) const {
    const std::string before = everything();
    const Outcome outcome = call(ranks, arguments + " --json");
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    EXPECT_EQ(everything(), before) << arguments;
    const std::size_t start = outcome.output.find('{');
    const Json parsed =
        start == std::string::npos
            ? Json()
            : Json::parse(outcome.output.substr(start, outcome.output.find('\n', start) - start), nullptr,
                          false);
    EXPECT_TRUE(parsed.is_object()) << outcome.output;
    return parsed.is_object() ? parsed : Json::object();
  }
};

TEST_F(TrialCommands, CheckSaysWhatARunWouldDo) {
  for (const int ranks : {0, 2}) {
    const Json report = json(ranks, "check run.ini");
    EXPECT_EQ(report.value("ranks", 0), std::max(ranks, 1));
    EXPECT_EQ(report["data"].value("train_rows", 0), 120);
    EXPECT_EQ(report["data"].value("validation_rows", 0), 30);
    EXPECT_EQ(report["time"].value("steps_an_epoch", 0), 8);
    EXPECT_EQ(report["model"].value("parameters", 0), 4 * 4 + 4 + 4 * 3 + 3);
    EXPECT_EQ(report["checkpoint"].value("state", ""), "a fresh run");
    ASSERT_EQ(report["hosts"].size(), 1U);
    EXPECT_TRUE(report["hosts"][0].value("interfaces", Json()).is_array()) << report;
    EXPECT_EQ(report["placement"].size(), 1U) << report;
    EXPECT_EQ(report["data"]["fingerprints"]["inputs"].value("sha256", "").size(), 64U) << report;
    EXPECT_FALSE(fs::exists(folder_ / "runs"));
  }
  const Outcome words = call(2, "check run.ini");
  EXPECT_EQ(words.code, 0) << words.output;
  for (const char* const text : {"train on 120 samples, validate on 30", "2 ranks on ", "network ",
                                 "iris.csv, SHA-256 ", "the same build on every rank"})
    EXPECT_NE(words.output.find(text), std::string::npos) << text << "\n" << words.output;
}

TEST_F(TrialCommands, CheckReadsTheCheckpointAndLeavesIt) {
  ASSERT_EQ(call(0, "train run.ini --fit.verbose=0").code, 0);
  EXPECT_EQ(json(2, "check run.ini --fit.epochs=5")["checkpoint"].value("state", ""),
            "goes on from epoch 2, step 0");
  EXPECT_EQ(json(0, "check run.ini")["checkpoint"].value("state", ""), "finished at epoch 2, step 0");
}

TEST_F(TrialCommands, CheckNamesTheCheckpointThatDoesNotFit) {
  ASSERT_EQ(call(0, "train run.ini --fit.verbose=0").code, 0);
  const Outcome other = call(0, "check run.ini '--compile.optimizer=SGD()'");
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.output.find("checkpoint \"runs/run.h5\" was trained with the optimizer"), std::string::npos)
      << other.output;
}

/// A batch script that asks for too little is killed in the middle of its run.
TEST_F(TrialCommands, MemoryCountsTheOptimizerAndTheCopyForCheckpoints) {
  constexpr double kBytes = 4 * 4 * 16;  // four variables, each on a cache line of its own
  const auto planned = [&](const std::string& more) {
    return json(0, "plan run.ini --nodes=1 --ranks-per-node=2 " + more)["memory_bytes_a_node"].get<double>();
  };
  const auto checked = [&] { return json(2, "check run.ini")["memory"]["bytes_a_node"].get<double>(); };
  const double adam = planned(""), plain = planned("'--compile.optimizer=SGD()'");
  EXPECT_EQ(adam - plain, 2 * 2 * kBytes);  // two slots, and both again in the copy
  EXPECT_EQ(planned("'--fit.callback=EarlyStopping(restore_best_weights=True)'") - adam, 2 * kBytes);
  EXPECT_EQ(checked(), adam);
}

/// More ranks than cores are slow however they are bound: fewer ranks are the cure.
TEST_F(TrialCommands, CheckOffersFewerRanksThanThereAreCoresFor) {
  const Json report = json(2, "check run.ini");
  const int cores = report["hosts"][0]["cores"];
  ASSERT_LT(cores, 32) << "give this test more ranks";
  const Json crowded = json(cores + 1, "check run.ini");
  std::string notes;
  for (const Json& note : crowded["notes"]) notes += note.get<std::string>() + "\n";
  EXPECT_NE(notes.find("Start at most " + std::to_string(cores) + " rank"), std::string::npos) << notes;
  EXPECT_EQ(notes.find("bind-to none"), std::string::npos) << notes;
}

TEST_F(TrialCommands, VerifyComparesTheBits) {
  const Json report = json(2, "verify run.ini --steps=5");
  EXPECT_EQ(report.value("equal", false), true);
  EXPECT_EQ(report.value("ranks", 0), 2);
  EXPECT_EQ(report.value("steps", 0), 5);
  ASSERT_EQ(report["digests"].size(), 3U) << report;
  for (const auto& [name, value] : report["digests"].items()) {
    EXPECT_EQ(value.get<std::string>().size(), 64U) << name;
    EXPECT_EQ(value, report["digests"].front()) << name;
  }
  EXPECT_EQ(json(0, "verify run.ini --steps=2").value("equal", false), true);
  EXPECT_EQ(call(0, "verify run.ini --steps=one").code, 2);
}

TEST_F(TrialCommands, VerifyCountsTheStepsThatItDid) {
  // 8 steps an epoch: 20 steps are three epochs, whatever the configuration makes an epoch.
  EXPECT_EQ(json(0, "verify run.ini").value("steps", 0), 24);
  EXPECT_EQ(json(2, "verify run.ini --steps=9 --fit.steps_per_epoch=3").value("steps", 0), 16);
  EXPECT_EQ(json(0, "verify run.ini --steps=8").value("steps", 0), 8);
}

TEST_F(TrialCommands, PlanPrintsAScriptForBash) {
  const Json report = json(0, "plan run.ini --nodes=2 --ranks-per-node=4 --time=2:00:00");
  EXPECT_EQ(report.value("ranks", 0), 8);
  EXPECT_EQ(report.value("time", ""), "02:00:00");
  EXPECT_EQ(report.value("steps", 0), 16);
  const Outcome words = call(0, "plan run.ini --nodes=2 --ranks-per-node=4 '--model.name=it'\\''s'");
  ASSERT_EQ(words.code, 0) << words.output;
  for (const std::string& script : {report.value("script", ""), words.output}) {
    EXPECT_NE(script.find("#SBATCH --nodes=2\n#SBATCH --ntasks-per-node=4\n"), std::string::npos) << script;
    // Slurm says 0:00 when the time is over: no limit that the program takes.
    EXPECT_NE(script.find("! $left =~ ^[0:]*$"), std::string::npos) << script;
    write("tmp/job.sh", script);
    const Outcome bash = run_shell("bash -n " + (folder_ / "tmp/job.sh").string());
    EXPECT_EQ(bash.code, 0) << bash.output << script;
  }
  EXPECT_EQ(call(0, "plan run.ini --nodes=none").code, 2);
}

/// Slurm asks a run to stop some time before the limit: a turn must be longer than that, by what it works.
TEST_F(TrialCommands, PlanAsksForAStopWithinTheTurnOrRefusesTheTurn) {
  for (const char* time : {"0:00:10", "0:59", "1", "2"}) {
    const Outcome refused = call(0, std::string("plan run.ini --time=") + time);
    EXPECT_EQ(refused.code, 2) << time << refused.output;
    for (const char* word : {"--time=", time, "too short", "0:03:00"})
      EXPECT_NE(refused.output.find(word), std::string::npos) << word << " is not in\n" << refused.output;
  }
  // The program alone, without the source tree's supervise.sh: its script has the guard itself.
  fs::create_directories(folder_ / "tmp/bin");
  fs::copy_file(NNTRAIN_PROGRAM, folder_ / "tmp/bin/nntrain-dist");
  const std::pair<const char*, int> leads[] = {
      {"0:03:00", 45}, {"0:05:00", 75}, {"0:08:00", 120}, {"4:00:00", 120}};
  for (const auto& [time, lead] : leads) {
    for (const std::string& program : {std::string(NNTRAIN_PROGRAM), std::string("tmp/bin/nntrain-dist")}) {
      const Outcome planned = run_shell("cd " + folder_.string() + " && " + program +
                                        " plan run.ini --nodes=1 --ranks-per-node=2 --time=" + time);
      ASSERT_EQ(planned.code, 0) << planned.output;
      EXPECT_NE(planned.output.find("--signal=B:USR1@" + std::to_string(lead) + "\n"), std::string::npos)
          << planned.output;
      const bool guarded = planned.output.find("supervise.sh") != std::string::npos ||
                           planned.output.find("made no progress") < planned.output.find("scontrol requeue");
      EXPECT_TRUE(guarded) << planned.output;
    }
  }
}

/// The script without supervise.sh, with stand-ins for Slurm and mpirun: a turn of no progress is the last.
TEST_F(TrialCommands, AScriptRequeuesAfterProgressOnly) {
  fs::create_directories(folder_ / "tmp/bin");
  fs::copy_file(NNTRAIN_PROGRAM, folder_ / "tmp/bin/nntrain-dist");
  const std::string here = "cd " + folder_.string() + " && ";
  ASSERT_EQ(run_shell(here + "tmp/bin/nntrain-dist plan run.ini --nodes=1 --ranks-per-node=1 > job.sh").code,
            0);
  write("tmp/bin/scontrol", "#!/bin/sh\necho \"$@\" >> requeued\n");
  write("tmp/bin/squeue", "#!/bin/sh\n");
  // A turn: what it leaves, and that it was stopped.
  write("tmp/bin/mpirun",
        "#!/bin/sh\n[ -z \"$TURN\" ] || tmp/bin/nntrain-dist train run.ini --fit.epochs=$TURN > "
        "/dev/null\nexit 75\n");
  const std::string job = here + "chmod +x tmp/bin/*; PATH=$PWD/tmp/bin:$PATH SLURM_NTASKS=1 SLURM_JOB_ID=7 ";
  const Outcome first = run_shell(job + "TURN=1 bash job.sh");
  EXPECT_EQ(first.code, 75) << first.output;
  EXPECT_EQ(read("requeued"), "requeue 7\n") << first.output;
  const Outcome second = run_shell(job + "SLURM_RESTART_COUNT=1 bash job.sh");
  EXPECT_EQ(second.code, 1) << second.output;
  EXPECT_NE(second.output.find("made no progress"), std::string::npos) << second.output;
  EXPECT_EQ(read("requeued"), "requeue 7\n") << second.output;
}

TEST_F(TrialCommands, PlanCountsAnyNumberOfRanksAndTakesAnyName) {
  const Json report = json(0, "plan run.ini --nodes=1000000 --ranks-per-node=1000000");
  EXPECT_EQ(report.value("ranks", std::int64_t{0}), 1000000000000);
  fs::rename(folder_ / "run.ini", folder_ / "my run 100%.ini");
  const std::string script = json(0, "plan 'my run 100%.ini'").value("script", "");
  EXPECT_NE(script.find("#SBATCH --job-name=my_run_100_\n"), std::string::npos) << script;
  EXPECT_NE(script.find("#SBATCH --output=my_run_100_-%j.log\n"), std::string::npos) << script;
  EXPECT_NE(script.find("/my run 100%.ini'"), std::string::npos) << script;
}

}  // namespace
}  // namespace nntrain::cli_test

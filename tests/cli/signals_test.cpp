// Signals end a run in order from its first moments on, whichever rank gets them, and the reason is told.

#include "checkpoint/checkpoint.h"
#include "cli_test.h"

namespace nntrain::cli_test {
namespace {

class Signals : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    const std::string data = std::string(NNTRAIN_TESTS_DIR) + "/golden/data/";
    write("run.ini",
          "[data]\ninputs = " + data + "fashion_images.npy\ntargets = " + data +
              "fashion_labels.npy\nscale = 1/255\n[model]\nlayer = Flatten()\nlayer = Dense(10, "
              "activation=\"softmax\")\n[compile]\nloss = sparse_categorical_crossentropy\n[fit]\n"
              "epochs = 1000000\nverbose = 2\n[checkpoint]\npath = run.h5\nevery_epochs = 1000000\n");
  }

  /// Starts a run (mpirun with `ranks` > 0), waits until `ready` holds, runs `act` with $job and $ranks (the
  /// processes of the program) set, and waits for the end: the outcome's code is the run's.
  Outcome interrupted(int ranks, const std::string& ready, const std::string& act) const {
    const std::string launcher =
        ranks == 0 ? ""
                   : "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_plm=isolated "
                     "OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_pml=ob1 "
                     "OMPI_MCA_btl_vader_single_copy_mechanism=none "
                     "OMPI_MCA_orte_abort_print_stack=0 mpirun --bind-to none -np " +
                         std::to_string(ranks) + " ";
    const std::string processes = ranks == 0 ? "ranks=$job" : "ranks=$(pgrep -P $job)";
    return run_shell("cd " + folder_.string() + " && { " + launcher + NNTRAIN_PROGRAM +
                     " train run.ini --run.log=log > out 2>&1 & job=$!; until { " + ready +
                     "; } 2> /dev/null || ! kill -0 $job 2> /dev/null; do sleep 0.01; done; " + processes +
                     "; " + act + "; wait $job; code=$?; cat out; exit $code; }");
  }
};

TEST_F(Signals, EachStopsTheRunWithACheckpointAndTellsItsName) {
  for (const char* name : {"TERM", "INT", "USR1"}) {
    const Outcome outcome = interrupted(0, "grep -q 'Epoch 2/' log", std::string("kill -") + name + " $job");
    EXPECT_EQ(outcome.code, 75) << outcome.output;
    EXPECT_NE(outcome.output.find(std::string("Stopped early (SIG") + name + ")"), std::string::npos)
        << outcome.output;
    EXPECT_TRUE(fs::exists(folder_ / "run.h5"));
    fs::remove(folder_ / "run.h5");
    fs::remove(folder_ / "log");
  }
}

/// fit.epochs below what a stopped run has done: nothing is left to do, which makes it no finished one.
TEST_F(Signals, AStoppedRunIsNotCalledFinishedWhateverFitEpochsAsksFor) {
  ASSERT_EQ(interrupted(0, "grep -q 'Epoch 3/' log", "kill -TERM $job").code, 75);
  const std::string before = read("run.h5");
  const checkpoint::RunState state = checkpoint::read((folder_ / "run.h5").string()).state;
  ASSERT_GE(state.epoch, 2);
  for (const std::string epochs : {"1", "2"}) {
    const Outcome again = run(0, "train run.ini --fit.epochs=" + epochs);
    EXPECT_EQ(again.code, 0) << again.output;
    for (const std::string& word :
         {std::string("is not finished"), std::to_string(state.epoch) + " epochs are done",
          "fit.epochs = " + epochs})
      EXPECT_NE(again.output.find(word), std::string::npos) << word << " is not in\n" << again.output;
    EXPECT_TRUE(read("run.h5") == before);
  }
}

TEST_F(Signals, BeforeTheFirstStepTheRunEndsInOrderToo) {
  // The log's first line is written before anything is loaded.
  const Outcome outcome = interrupted(0, "test -s log", "kill -TERM $job");
  EXPECT_EQ(outcome.code, 75) << outcome.output;
  EXPECT_NE(outcome.output.find("SIGTERM"), std::string::npos) << outcome.output;
}

/// Whatever it does before the first step: here it reads some GB of text out of 500 members of gzip.
TEST_F(Signals, WhileDataAreReadTheProgramEndsWithinSeconds) {
  ASSERT_EQ(
      run_shell("cd " + folder_.string() +
                " && yes 1,2 | head -c 8000000 | gzip -1 > one.gz && for i in $(seq 500); do cat one.gz; "
                "done > big.csv.gz")
          .code,
      0);
  write("run.ini",
        "[data]\ninputs = big.csv.gz\ntarget_columns = 1\n[model]\nlayer = Dense(1)\n[compile]\nloss = mse\n"
        "[checkpoint]\npath = run.h5\n");
  for (const char* name : {"TERM", "INT", "USR1"}) {
    const Outcome outcome = interrupted(
        0, "test -s log", std::string("sleep 0.3; kill -") + name + " $job; (sleep 8; kill -KILL $job) & :");
    EXPECT_EQ(outcome.code, 75) << outcome.output;
    EXPECT_NE(outcome.output.find(std::string("stopped early (SIG") + name + ")"), std::string::npos)
        << outcome.output;
    EXPECT_FALSE(fs::exists(folder_ / "run.h5"));
    fs::remove(folder_ / "log");
  }
}

TEST_F(Signals, AnotherRanksSignalStopsAllAndIsTold) {
  const Outcome outcome =
      interrupted(2, "grep -q 'Epoch 2/' log", "kill -USR1 $(echo $ranks | tr ' ' '\\n' | tail -n 1)");
  EXPECT_EQ(outcome.code, 75) << outcome.output;
  EXPECT_NE(outcome.output.find("Stopped early (SIGUSR1)"), std::string::npos) << outcome.output;
}

TEST_F(Signals, Usr2SavesAndGoesOn) {
  const Outcome outcome = interrupted(0, "grep -q 'Epoch 2/' log",
                                      "kill -USR2 $job; until test -e run.h5 || ! kill -0 $job; do sleep "
                                      "0.01; done; kill -0 $job && echo goes on; "
                                      "kill -TERM $job");
  EXPECT_EQ(outcome.code, 75) << outcome.output;
  EXPECT_NE(outcome.output.find("goes on\n"), std::string::npos) << outcome.output;
}

/// MPI_Init waits for every rank, and nobody there looks at the clock but a thread of ours.
TEST_F(Signals, ARankThatNeverStartsEndsTheJobAndIsNamed) {
  const std::string train = std::string(NNTRAIN_PROGRAM) + " train run.ini --run.stall_timeout=0:03";
  write("stopped.sh", "kill -STOP $$\nexec " + train + "\n");
  const Outcome outcome =
      run_shell("cd " + folder_.string() +
                " && OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_plm=isolated "
                "OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_vader_single_copy_mechanism=none mpirun "
                "--bind-to none -np 2 " +
                train + " : -np 1 sh stopped.sh");
  EXPECT_EQ(outcome.code, 1) << outcome.output;
  EXPECT_NE(outcome.output.find("no sign of life from rank 2 on "), std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find("stopped by a signal or a debugger) for 3 s (phase: start"),
            std::string::npos)
      << outcome.output;
  EXPECT_EQ(outcome.output.find("[rank 1 on"), std::string::npos) << "one block: " << outcome.output;
}

}  // namespace
}  // namespace nntrain::cli_test

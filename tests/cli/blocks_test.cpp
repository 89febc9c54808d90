// fit.shuffle = blocks(window=K): part of the run, the same bits at any number of ranks and after any stop.

#include <set>
#include <utility>
#include <vector>

#include "cli_test.h"

namespace nntrain::cli_test {
namespace {

class Blocks : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    const std::string data = std::string(NNTRAIN_TESTS_DIR) + "/golden/data/";
    write("run.ini", "[data]\ninputs = " + data + "fashion_images.npy\ntargets = " + data +
                         "fashion_labels.npy\nvalidation_rows = :20\nrows = 20:\nscale = 1/255\n"
                         "block_rows = 7\n[model]\nlayer = Flatten()\nlayer = Dense(10)\n[compile]\n"
                         "loss = SparseCategoricalCrossentropy(from_logits=True)\noptimizer = SGD(0.05)\n"
                         "[fit]\nepochs = 3\nbatch_size = 15\nshuffle = blocks(window=4)\n[run]\nseed = 7\n");
  }
  Outcome train(int ranks, const std::string& checkpoint, const std::string& options = "",
                const std::string& environment = "") {
    return run(ranks, "train run.ini --checkpoint.path=" + checkpoint + " " + options, environment);
  }
};

TEST_F(Blocks, GiveTheSameBitsAtAnyNumberOfRanksAndNodes) {
  ASSERT_EQ(train(0, "one.h5").code, 0);
  const std::vector<std::pair<int, std::string>> jobs = {{2, ""}, {3, ""}, {2, "NNTRAIN_RANKS_PER_NODE=1"}};
  for (const auto& [ranks, nodes] : jobs) {
    fs::remove(folder_ / "n.h5");
    const Outcome outcome = train(ranks, "n.h5", "", nodes);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    EXPECT_EQ(digest("n.h5"), digest("one.h5")) << ranks << nodes;
    EXPECT_EQ(history("n.h5"), history("one.h5")) << ranks << nodes;
  }
}

TEST_F(Blocks, WindowAndBlockRowsChangeTheOrder) {  // else the test above proves nothing
  std::set<std::string> digests;
  for (const char* options :
       {"", "--fit.shuffle='blocks(window=3)'", "--data.block_rows=5", "--fit.shuffle=true",
        "--fit.shuffle=false", "--fit.shuffle='blocks(100000)'", "--run.seed=8"}) {
    fs::remove(folder_ / "a.h5");
    const Outcome outcome = train(0, "a.h5", options);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    EXPECT_TRUE(digests.insert(digest("a.h5")).second) << options;
  }
}

TEST_F(Blocks, ResumeInTheMiddleOfAnEpochIsTheStraightRun) {
  ASSERT_EQ(train(0, "straight.h5").code, 0);
  const Outcome cut =
      train(2, "begin.h5", "--fit.callback='ModelCheckpoint(\"cut.h5\", save_freq=8)' --fit.epochs=1");
  ASSERT_EQ(cut.code, 0) << cut.output;
  ASSERT_NE(run(0, "inspect cut.h5").output.find("epoch 0, step 8"), std::string::npos);
  const Outcome rest = train(3, "cut.h5");
  ASSERT_EQ(rest.code, 0) << rest.output;
  EXPECT_EQ(digest("cut.h5"), digest("straight.h5"));
  EXPECT_EQ(history("cut.h5"), history("straight.h5"));
}

TEST_F(Blocks, TheLogTellsTheOrderAndAResumeWhatChangedOfIt) {
  const Outcome fresh = train(0, "a.h5", "--fit.epochs=1");
  ASSERT_EQ(fresh.code, 0) << fresh.output;
  EXPECT_NE(fresh.output.find("blocks of 7 rows, each epoch in a new order; rows are mixed within 4 of them"),
            std::string::npos)
      << fresh.output;
  const Outcome other =
      train(0, "a.h5", "--data.block_rows=8 --fit.shuffle='blocks(window=5)' --fit.epochs=2");
  ASSERT_EQ(other.code, 0) << other.output;
  EXPECT_NE(other.output.find("data.block_rows changes from here on: it was 7, it is 8"), std::string::npos)
      << other.output;
  EXPECT_NE(
      other.output.find("fit.shuffle changes from here on: it was blocks(window=4), it is blocks(window=5)"),
      std::string::npos)
      << other.output;
  const Outcome guessed = train(0, "b.h5", "--data.block_rows=None --fit.epochs=1");
  EXPECT_NE(guessed.output.find("(data.block_rows: from the layout)"), std::string::npos) << guessed.output;
}

TEST_F(Blocks, WhatIsNoOrderIsRefusedByName) {
  for (const char* text : {"blocks", "blocks()", "blocks(window=0)", "blocks(window=1.5)", "blocks(rows=3)",
                           "blocks(2, window=3)", "blocks(2, 3)", "blocksize(2)", "batch"}) {
    const Outcome outcome = train(0, "a.h5", std::string("--fit.shuffle='") + text + "'");
    EXPECT_EQ(outcome.code, 2) << text << outcome.output;
    EXPECT_NE(outcome.output.find("fit.shuffle: "), std::string::npos) << outcome.output;
    EXPECT_NE(outcome.output.find("blocks(window=K)"), std::string::npos) << outcome.output;
  }
  const Outcome rows = train(0, "a.h5", "--data.block_rows=0");
  EXPECT_EQ(rows.code, 2);
  EXPECT_NE(rows.output.find("data.block_rows: must be at least 1"), std::string::npos) << rows.output;
}

}  // namespace
}  // namespace nntrain::cli_test

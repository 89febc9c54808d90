// data.memory = stream: the bits of resident data, from any layout of files, at any number of ranks, after
// any stop.

#include <cmath>
#include <utility>
#include <vector>

#include "cli_test.h"
#include "io/hdf5.h"

namespace nntrain::cli_test {
namespace {

constexpr std::int64_t kWidth = 6;

/// Any numbers, the same ones every time.
float value_at(std::int64_t i) { return static_cast<float>((i * 7919 + 13) % 251) - 100.0F; }

class Streaming : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    // Files of unequal length whose chunks are of unequal kinds: 200 rows.
    write_file("part1.h5", 0, 67, {8, 4, true});
    write_file("part2.h5", 67, 40, {});
    write_file("part10.h5", 107, 93, {8, 1, false});
    write(
        "run.ini",
        "[data]\ninputs = part*.h5:/x\ntargets = part*.h5:/y\nsample_weight = w.csv\ncache = 3KB\nblock_rows "
        "= 8\n"
        "[model]\nlayer = Normalization()\nlayer = Dense(8, activation=\"relu\")\nlayer = "
        "Dense(3)\n[compile]\n"
        "loss = SparseCategoricalCrossentropy(from_logits=True)\noptimizer = SGD(0.05)\nmetrics = accuracy\n"
        "[fit]\nepochs = 3\nbatch_size = 15\nshuffle = blocks(window=4)\nvalidation_split = 0.2\n[run]\nseed "
        "= 7\n");
    std::string weights = "weight\n";
    for (int i = 0; i < 200; ++i) weights += std::to_string(1 + i % 3) + "\n";
    write("w.csv", weights);
  }

  void write_file(const std::string& name, std::int64_t first, std::int64_t rows,
                  const io::Hdf5Layout& layout, std::int64_t broken = -1) const {
    std::vector<float> x;
    std::vector<std::uint8_t> y;
    for (std::int64_t row = first; row < first + rows; ++row) {
      for (std::int64_t i = 0; i < kWidth; ++i) x.push_back(value_at(row * kWidth + i));
      if (row - first == broken) x.back() = NAN;
      y.push_back(static_cast<std::uint8_t>(row % 3));
    }
    io::Hdf5File file = io::Hdf5File::create((folder_ / name).string());
    io::Hdf5Rows inputs = file.root().create_rows<float>("x", Shape{rows, kWidth}, layout);
    inputs.write<float>(0, x);
    inputs.close();
    file.root().write_dataset("y", Shape{rows}, y);
    file.close();
  }

  Outcome train(int ranks, const std::string& checkpoint, const std::string& options = "",
                const std::string& environment = "") {
    return run(ranks, "train run.ini --checkpoint.path=" + checkpoint + " " + options, environment);
  }
  std::string refused(const std::string& options, const std::string& environment = "") {
    const Outcome outcome = train(0, "refused.h5", options, environment);
    EXPECT_EQ(outcome.code, 2) << outcome.output;
    return outcome.output;
  }
};

TEST_F(Streaming, GivesTheBitsOfResidentDataAtAnyNumberOfRanksAndNodes) {
  const Outcome resident = train(0, "resident.h5", "--data.memory=resident");
  ASSERT_EQ(resident.code, 0) << resident.output;
  const std::vector<std::pair<int, std::string>> jobs = {
      {0, ""}, {2, ""}, {3, "NNTRAIN_RANKS_PER_NODE=2"}, {6, "NNTRAIN_RANKS_PER_NODE=1"}, {5, ""}};
  for (const auto& [ranks, nodes] : jobs) {
    fs::remove(folder_ / "n.h5");
    const Outcome outcome = train(ranks, "n.h5", "--data.memory=stream", nodes);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    EXPECT_NE(outcome.output.find("data.memory = stream: data.inputs"), std::string::npos) << outcome.output;
    EXPECT_EQ(outcome.output.find("each block is read by one of them") != std::string::npos, !nodes.empty())
        << outcome.output;
    EXPECT_EQ(digest("n.h5"), digest("resident.h5")) << ranks << nodes;
    EXPECT_EQ(history("n.h5"), history("resident.h5")) << ranks << nodes;
  }
}

TEST_F(Streaming, SoDoRowsInTheFilesOrderPartsOfTheRowsAndValidationFilesOfTheirOwn) {
  for (const std::string options :
       {"--fit.shuffle=false", "--data.rows=5:180 --data.block_rows=7",
        "--data.rows=21:", "--fit.steps_per_epoch=3 --fit.epochs=7",
        "--fit.validation_split=0 --data.validation_inputs=part2.h5:/x --data.validation_targets=part2.h5:/y",
        "--fit.validation_split=0 --data.rows=50: --data.validation_rows=:50 --fit.shuffle='blocks(1000)' "
        "--data.cache=1MB"}) {
    for (const char* memory : {"resident", "stream"}) {
      fs::remove(folder_ / (std::string(memory) + ".h5"));
      const Outcome outcome = train(memory[0] == 's' ? 3 : 0, std::string(memory) + ".h5",
                                    options + " --data.memory=" + memory, "NNTRAIN_RANKS_PER_NODE=2");
      ASSERT_EQ(outcome.code, 0) << options << outcome.output;
    }
    EXPECT_EQ(digest("stream.h5"), digest("resident.h5")) << options;
    EXPECT_EQ(history("stream.h5"), history("resident.h5")) << options;
  }
}

TEST_F(Streaming, AStopInTheMiddleOfAnEpochGoesOnAsTheStraightRunResidentOrNot) {
  ASSERT_EQ(train(0, "straight.h5", "--data.memory=resident").code, 0);
  const Outcome cut =
      train(2, "begin.h5",
            "--data.memory=stream --fit.callback='ModelCheckpoint(\"cut.h5\", save_freq=8)' --fit.epochs=1");
  ASSERT_EQ(cut.code, 0) << cut.output;
  ASSERT_NE(run(0, "inspect cut.h5").output.find("epoch 0, step 8"), std::string::npos);
  fs::copy(folder_ / "cut.h5", folder_ / "other.h5");
  for (const auto& [file, memory] : {std::pair("cut.h5", "stream"), std::pair("other.h5", "resident")}) {
    const Outcome rest = train(3, file, std::string("--data.memory=") + memory, "NNTRAIN_RANKS_PER_NODE=2");
    ASSERT_EQ(rest.code, 0) << rest.output;
    EXPECT_EQ(digest(file), digest("straight.h5")) << memory;
    EXPECT_EQ(history(file), history("straight.h5")) << memory;
  }
  // Other data of the same shape: some rows are compared even where not all are.
  write_file("part2.h5", 68, 40, {});
  const Outcome other = train(0, "cut.h5", "--data.memory=stream --fit.epochs=4");
  EXPECT_EQ(other.code, 2) << other.output;
  EXPECT_NE(other.output.find("was trained with data.inputs"), std::string::npos) << other.output;
}

TEST_F(Streaming, EvaluateAndPredictStream) {
  ASSERT_EQ(train(0, "a.h5", "--data.memory=resident").code, 0);
  const std::string data = " --data.inputs='part*.h5:/x'";
  const std::string resident = data + " --data.memory=resident", streamed = data + " --data.memory=stream";
  const std::string targets = " --data.targets='part*.h5:/y' --json";
  const Outcome one = run(0, "evaluate a.h5" + resident + targets),
                two = run(2, "evaluate a.h5" + streamed + targets);
  ASSERT_EQ(two.code, 0) << two.output;
  EXPECT_EQ(two.output, one.output);
  for (const char* suffix : {"csv", "npy", "h5"}) {
    const std::string first = std::string("resident.") + suffix, second = std::string("stream.") + suffix;
    ASSERT_EQ(run(0, "predict a.h5" + resident + " --output=" + first).code, 0);
    const Outcome outcome =
        run(3, "predict a.h5" + streamed + " --data.rows=: --output=" + second, "NNTRAIN_RANKS_PER_NODE=1");
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    EXPECT_EQ(read(second), read(first)) << suffix;
  }
  ASSERT_EQ(run(2, "predict a.h5" + streamed + " --data.rows=100:103 --output=part.csv").code, 0);
  std::istringstream all(read("stream.csv"));
  std::string line, expected;
  for (int i = 0; std::getline(all, line); ++i)
    if (i == 0 || (i >= 101 && i < 104)) expected += line + "\n";
  EXPECT_EQ(read("part.csv"), expected);
}

TEST_F(Streaming, AutoStreamsWhatIsMoreThanHalfOfTheFreeMemory) {
  const Outcome large = train(0, "a.h5", "", "NNTRAIN_FREE_BYTES=9000");
  ASSERT_EQ(large.code, 0) << large.output;
  EXPECT_NE(large.output.find(
                "data.memory = auto: data.inputs are read from disk: 4.8 KB are more than half of the "
                "9 KB that are free"),
            std::string::npos)
      << large.output;
  EXPECT_NE(large.output.find("SHA-256 of some rows"), std::string::npos) << large.output;
  const Outcome small = train(0, "b.h5", "", "NNTRAIN_FREE_BYTES=10000");
  ASSERT_EQ(small.code, 0) << small.output;
  EXPECT_EQ(small.output.find("from disk"), std::string::npos) << small.output;
  EXPECT_EQ(digest("a.h5"), digest("b.h5"));
  const Outcome full = train(0, "c.h5", "--data.memory=stream --data.fingerprint=full --fit.epochs=1");
  EXPECT_EQ(full.output.find("of some rows"), std::string::npos) << full.output;
  const std::string said = "data.inputs: part*.h5:/x (200, 6), SHA-256 ";
  ASSERT_NE(small.output.find(said), std::string::npos) << small.output;
  EXPECT_NE(full.output.find(small.output.substr(small.output.find(said), said.size() + 16)),
            std::string::npos)
      << full.output;
}

TEST_F(Streaming, WhatCannotBeStreamedSaysWhyAndTheCure) {
  EXPECT_NE(refused("--data.memory=stream --fit.shuffle=true").find("fit.shuffle = blocks(window=K)"),
            std::string::npos);
  EXPECT_NE(refused("--fit.shuffle=true", "NNTRAIN_FREE_BYTES=9000").find("data.memory = resident"),
            std::string::npos);
  write("x.svm", "1 1:2 6:3\n0 2:1\n");
  EXPECT_NE(refused("--data.memory=stream --data.inputs=x.svm").find("nntrain-dist convert"),
            std::string::npos);
  EXPECT_NE(
      refused("--data.memory=stream --fit.validation_split=0 --data.validation='split(0.1, shuffle=True)'")
          .find("data.validation_rows"),
      std::string::npos);
  const std::string window = refused("--data.memory=stream --data.block_rows=20 --fit.shuffle='blocks(7)'");
  EXPECT_NE(window.find("data.cache = 3KB has room for 5 blocks of 20 rows"), std::string::npos) << window;
  EXPECT_NE(window.find("blocks(window=7) needs 7"), std::string::npos) << window;
  EXPECT_NE(refused("--data.cache=much").find("data.cache: \"much\" is no size"), std::string::npos);
  EXPECT_NE(refused("--data.memory=disk").find("auto, resident, stream"), std::string::npos);
}

TEST_F(Streaming, ARowThatCannotBeReadEndsTheRunOnAllNodesWithOneMessage) {
  write_file("part1.h5", 0, 900, {8, 4, true}, 890);  // none of the rows that the fingerprint looks at
  write("run.ini",
        "[data]\ninputs = part1.h5:/x\ntargets = part1.h5:/y\nmemory = stream\n[model]\nlayer = "
        "Dense(3)\n[compile]\n"
        "loss = SparseCategoricalCrossentropy(from_logits=True)\n[fit]\nepochs = 2\nbatch_size = 15\nshuffle "
        "= false\n");
  for (const auto& [ranks, nodes] :
       {std::pair(0, ""), std::pair(2, ""), std::pair(3, "NNTRAIN_RANKS_PER_NODE=1")}) {
    const Outcome outcome = train(ranks, "a.h5", "", nodes);
    EXPECT_EQ(outcome.code, 2) << outcome.output;
    const std::string message = "data.inputs \"part1.h5\" /x is NaN";
    const std::size_t at = outcome.output.find("row 890, value 5 of " + message);
    EXPECT_NE(at, std::string::npos) << outcome.output;
    EXPECT_EQ(outcome.output.find("row 890", at + 1), std::string::npos) << outcome.output;
    EXPECT_EQ(outcome.output.find("Diverged"), std::string::npos) << outcome.output;
  }
}

}  // namespace
}  // namespace nntrain::cli_test

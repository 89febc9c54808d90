// The first promise: the number of ranks never changes a bit, nor does a stop and a resume.

#include "cli_test.h"

namespace nntrain::cli_test {
namespace {

constexpr const char* kFashion = R"(
[data]
inputs = /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
targets = /usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte.gz
rows = 5000:5777
validation_rows = :333
scale = 1/255
[model]
layer = Flatten()
layer = Dense(40, activation="relu")
layer = Dense(10, activation="softmax")
[compile]
loss = sparse_categorical_crossentropy
optimizer = SGD(learning_rate=0.05, momentum=0.9)
metrics = accuracy
[fit]
epochs = 3
batch_size = 100
[run]
seed = 7
shards = 8
)";

class SameBits : public CliTest {
 protected:
  void expect_same(const std::string& options, const std::vector<int>& ranks) {
    write("run.ini", kFashion);
    const Outcome one = run(0, "train run.ini --checkpoint.path=one.h5 " + options);
    ASSERT_EQ(one.code, 0) << one.output;
    const std::string weights = digest("one.h5");
    ASSERT_EQ(weights.size(), 64U) << weights;
    for (const int n : ranks) {
      const std::string path = "n" + std::to_string(n) + ".h5";
      const Outcome outcome = run(n, "train run.ini --checkpoint.path=" + path + " " + options);
      ASSERT_EQ(outcome.code, 0) << outcome.output;
      EXPECT_EQ(digest(path), weights) << n << " ranks, " << options;
      EXPECT_EQ(history(path), history("one.h5")) << n << " ranks, " << options;
    }
  }
};

TEST_F(SameBits, AtEveryNumberOfRanks) { expect_same("", {1, 2, 3, 4, 5, 8}); }

TEST_F(SameBits, BatchSmallerThanTheShards) {
  expect_same("--fit.batch_size=5 --data.rows=5000:5063 --run.shards=13", {2, 3, 13});
}

TEST_F(SameBits, MoreRanksThanRowsOfABatch) {
  expect_same("--fit.batch_size=4 --data.rows=5000:5011 --run.shards=32", {3, 32});
}

TEST_F(SameBits, OneRow) { expect_same("--data.rows=5000:5001 --run.shards=4", {2, 3}); }

TEST_F(SameBits, ShardsThatAreNoPowerOfTwo) { expect_same("--run.shards=6", {2, 3, 4}); }

// Many rows a shard and few, through every path of the products.
TEST_F(SameBits, WithTheVectorInstructionsOfAnyCpu) {
  write("run.ini", kFashion);
  for (const std::string options : {"--fit.batch_size=600 --run.shards=2", "--fit.batch_size=32"}) {
    std::string first;
    for (const std::string set : {"", "NNTRAIN_CHAIN=avx2", "NNTRAIN_CHAIN=portable"}) {
      fs::remove(folder_ / "run.h5");
      const Outcome outcome = run(0, "train run.ini --checkpoint.path=run.h5 --fit.epochs=1 " + options, set);
      ASSERT_EQ(outcome.code, 0) << outcome.output;
      if (first.empty()) first = digest("run.h5");
      EXPECT_EQ(digest("run.h5"), first) << set << " " << options;
    }
  }
}

TEST_F(SameBits, OtherSeedsGiveOtherBits) {  // else the digests above prove nothing
  write("run.ini", kFashion);
  ASSERT_EQ(run(0, "train run.ini --checkpoint.path=a.h5").code, 0);
  ASSERT_EQ(run(0, "train run.ini --checkpoint.path=b.h5 --run.seed=8").code, 0);
  EXPECT_NE(digest("a.h5"), digest("b.h5"));
}

TEST_F(SameBits, PredictionsAndEvaluation) {
  write("run.ini", kFashion);
  ASSERT_EQ(run(0, "train run.ini --checkpoint.path=a.h5 --fit.epochs=1").code, 0);
  const std::string data = "--data.inputs=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz ";
  const std::string targets =
      "--data.targets=/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz --data.rows=:777";
  const Outcome one = run(0, "predict a.h5 " + data + "--data.rows=:777 --output=one.npy");
  ASSERT_EQ(one.code, 0) << one.output;
  const std::string evaluated = run(0, "evaluate a.h5 " + data + targets).output;
  for (const int n : {2, 3, 4}) {
    const Outcome outcome = run(n, "predict a.h5 " + data + "--data.rows=:777 --output=n.npy");
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    EXPECT_TRUE(read("n.npy") == read("one.npy")) << n;
    const std::string again = run(n, "evaluate a.h5 " + data + targets).output;
    EXPECT_EQ(again.substr(again.find("loss")), evaluated.substr(evaluated.find("loss")));
  }
}

class Resume : public SameBits {};

TEST_F(Resume, InTheMiddleOfAnEpochAtOtherRanksIsTheStraightRun) {
  write("run.ini", kFashion);
  ASSERT_EQ(run(0, "train run.ini --checkpoint.path=straight.h5").code, 0);
  // every_steps leaves a checkpoint inside the epoch; steps_per_epoch ends the process there.
  ASSERT_EQ(run(2, "train run.ini --checkpoint.path=cut.h5 --fit.epochs=1").code, 0);
  ASSERT_EQ(run(3, "train run.ini --checkpoint.path=cut.h5 --fit.epochs=2").code, 0);
  const Outcome last = run(4, "train run.ini --checkpoint.path=cut.h5");
  ASSERT_EQ(last.code, 0) << last.output;
  EXPECT_EQ(digest("cut.h5"), digest("straight.h5"));
  EXPECT_EQ(history("cut.h5"), history("straight.h5"));
}

TEST_F(Resume, AFinishedRunSaysSoAndChangesNothing) {
  write("run.ini", kFashion);
  ASSERT_EQ(run(0, "train run.ini --checkpoint.path=a.h5 --fit.epochs=1").code, 0);
  const std::string before = read("a.h5");
  const Outcome again = run(2, "train run.ini --checkpoint.path=a.h5 --fit.epochs=1");
  EXPECT_EQ(again.code, 0);
  EXPECT_NE(again.output.find("finished"), std::string::npos) << again.output;
  EXPECT_TRUE(read("a.h5") == before);
}

TEST_F(Resume, AChangedModelOrSeedIsRefusedWithBothValues) {
  write("run.ini", kFashion);
  ASSERT_EQ(run(0, "train run.ini --checkpoint.path=a.h5 --fit.epochs=1").code, 0);
  const Outcome seed = run(2, "train run.ini --checkpoint.path=a.h5 --run.seed=8");
  EXPECT_EQ(seed.code, 2);
  EXPECT_NE(seed.output.find("run.seed 7"), std::string::npos) << seed.output;
  const Outcome model = run(0,
                            "train run.ini --checkpoint.path=a.h5 --model.layer='Flatten()' "
                            "--model.layer='Dense(10, activation=\"softmax\")'");
  EXPECT_EQ(model.code, 2) << model.output;
  const Outcome rate = run(
      0, "train run.ini --checkpoint.path=a.h5 --compile.optimizer='SGD(learning_rate=0.01, momentum=0.9)'");
  EXPECT_EQ(rate.code, 0) << rate.output;
}

}  // namespace
}  // namespace nntrain::cli_test

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
)";

/// Everything that adds over samples or over ranks: statistics of the mini-batch, penalties, norms, metrics.
constexpr const char* kSums =
    "--model.layer='Flatten()' --model.layer='Dense(24, activation=\"relu\", kernel_regularizer=L2(0.001))' "
    "--model.layer='BatchNormalization(momentum=0.9)' --model.layer='Dropout(0.2)' "
    "--model.layer='Dense(10, activation=\"softmax\", activity_regularizer=L1(0.001))' "
    "--compile.optimizer='Adam(learning_rate=0.01, global_clipnorm=0.5)' --compile.metrics=accuracy ";

/// How ranks are spread: `ranks` of them, `per_node` on each virtual node (0: all on one).
struct Job {
  int ranks;
  int per_node = 0;
  std::string environment() const {
    return per_node == 0 ? "" : "NNTRAIN_RANKS_PER_NODE=" + std::to_string(per_node);
  }
  std::string name() const {
    return std::to_string(ranks) + " ranks, " + (per_node == 0 ? "" : std::to_string(per_node) + " a node");
  }
};

class SameBits : public CliTest {
 protected:
  void expect_same(const std::string& options, const std::vector<Job>& jobs) {
    write("run.ini", kFashion);
    fs::remove(folder_ / "one.h5");
    const Outcome one = run(0, "train run.ini --checkpoint.path=one.h5 " + options);
    ASSERT_EQ(one.code, 0) << one.output;
    const std::string weights = digest("one.h5");
    ASSERT_EQ(weights.size(), 64U) << weights;
    for (const Job& job : jobs) {
      fs::remove(folder_ / "n.h5");
      const Outcome outcome =
          run(job.ranks, "train run.ini --checkpoint.path=n.h5 " + options, job.environment());
      ASSERT_EQ(outcome.code, 0) << outcome.output;
      EXPECT_EQ(digest("n.h5"), weights) << job.name() << ", " << options;
      EXPECT_EQ(history("n.h5"), history("one.h5")) << job.name() << ", " << options;
    }
  }
};

TEST_F(SameBits, AtEveryNumberOfRanks) { expect_same("--run.shards=8", {{1}, {2}, {3}, {4}, {5}, {8}}); }

TEST_F(SameBits, BatchSmallerThanTheShards) {
  expect_same("--fit.batch_size=5 --data.rows=5000:5063 --run.shards=13", {{2}, {3}, {13}});
}

TEST_F(SameBits, MoreRanksThanRowsOfABatch) {
  expect_same("--fit.batch_size=4 --data.rows=5000:5011 --run.shards=32", {{3}, {32}});
}

TEST_F(SameBits, OneRow) { expect_same("--data.rows=5000:5001 --run.shards=4", {{2}, {3}}); }

TEST_F(SameBits, ShardsThatAreNoPowerOfTwo) { expect_same("--run.shards=6", {{2}, {3}, {4}}); }

// run.shards is left out in these: it comes from the mini-batch, and ranks beyond it have no rows.
// tests/cli/same_bits_matrix.sh has all of batch, ranks and nodes.
TEST_F(SameBits, MoreRanksThanShards) {
  expect_same("--data.rows=5000:5130 --fit.epochs=2 --fit.batch_size=32", {{5, 2}, {13, 3}});
  expect_same("--data.rows=5000:5050 --fit.epochs=2 --fit.batch_size=12", {{3}, {3, 1}, {5, 2}});
}

TEST_F(SameBits, MoreRanksThanShardsInSmallBatches) {
  expect_same("--data.rows=5000:5007 --fit.epochs=2 --fit.batch_size=1", {{2}, {3, 1}, {5, 2}});
  expect_same("--data.rows=5000:5043 --fit.epochs=2 --fit.batch_size=5", {{3}, {8, 3}});
}

TEST_F(SameBits, MoreRanksThanShardsWithEveryKindOfSum) {
  expect_same(std::string("--data.rows=5000:5050 --fit.epochs=2 --fit.batch_size=12 ") + kSums,
              {{2}, {3}, {3, 1}, {5, 2}});
}

TEST_F(SameBits, OnSeveralNodes) {
  expect_same(std::string("--data.rows=5000:5400 --fit.epochs=2 --run.shards=8 ") + kSums,
              {{2, 1}, {3, 2}, {4, 2}, {5, 3}});
}

/// Kernels of several chunks, cut inside of rows: owners make the node's sums of them where a node has
/// several ranks. Bias and normalisation lie between them and are exchanged.
constexpr const char* kOwners =
    "--model.layer='Flatten()' --model.layer='Dense(150, activation=\"relu\")' "
    "--model.layer='BatchNormalization(momentum=0.9)' "
    "--model.layer='Dense(70, activation=\"tanh\")' --model.layer='Dense(10, activation=\"softmax\")' ";

TEST_F(SameBits, WhereOwnersMakeTheSumsOfTheirNode) {
  const std::string owners = std::string(kOwners) + "--fit.epochs=2 ";
  // The last of these: one node as before, one with owners.
  expect_same(owners + "--data.rows=5000:5330", {{4, 2}, {5, 3}});
  expect_same(owners + "--data.rows=5000:5043 --fit.batch_size=5", {{8, 4}});
  expect_same(
      owners + "--data.rows=5000:5330 --run.shards=13 --compile.optimizer='Adam(global_clipnorm=0.5)'",
      {{9, 5}});
}

/// Values still arrive from other nodes when a step returns: who looks at them must have waited.
TEST_F(SameBits, CheckpointsInsideAnEpochOnSeveralNodes) {
  write("run.ini", kFashion);
  const std::string train =
      "train run.ini --data.rows=5000:5300 --fit.epochs=1 --fit.batch_size=32 --model.layer='Flatten()' "
      "--model.layer='Dense(400, activation=\"relu\")' --model.layer='Dense(10, activation=\"softmax\")' "
      "--compile.optimizer='SGD(learning_rate=0.1)' --checkpoint.path=run.h5 "
      "--fit.callback='ModelCheckpoint(\"cut.h5\", save_freq=7)' ";
  std::string expected;
  for (const Job& job : {Job{1}, {2, 1}, {3, 1}, {4, 2}}) {
    fs::remove(folder_ / "run.h5");
    const Outcome outcome = run(job.ranks, train, job.environment());
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    if (expected.empty()) expected = digest("cut.h5");
    ASSERT_EQ(expected.size(), 64U) << expected;
    EXPECT_EQ(digest("cut.h5"), expected) << job.name();
  }
}

TEST_F(SameBits, WithTwoBytesOnTheWire) {
  expect_same("--run.wire=bfloat16 --data.rows=5000:5400 --fit.epochs=2 --run.shards=8",
              {{2}, {3}, {2, 1}, {5, 2}});
  expect_same(
      std::string("--run.wire=bfloat16 --data.rows=5000:5050 --fit.epochs=2 --fit.batch_size=12 ") + kSums,
      {{3}, {3, 1}, {5, 2}});
}

TEST_F(SameBits, TwoBytesOnTheWireAreOtherBits) {  // else the test above proves nothing
  write("run.ini", kFashion);
  ASSERT_EQ(run(0, "train run.ini --checkpoint.path=a.h5 --fit.epochs=1").code, 0);
  ASSERT_EQ(run(0, "train run.ini --checkpoint.path=b.h5 --fit.epochs=1 --run.wire=bfloat16").code, 0);
  EXPECT_NE(digest("a.h5"), digest("b.h5"));
}

TEST_F(SameBits, ANoteSaysWhichRanksHaveNoRows) {
  write("run.ini", kFashion);
  const std::string train = "train run.ini --data.rows=5000:5064 --fit.epochs=1 --fit.batch_size=5 ";
  const Outcome idle = run(2, train + "--checkpoint.path=a.h5");
  EXPECT_EQ(idle.code, 0);
  EXPECT_NE(idle.output.find("NOTE: 1 of 2 ranks have 5 rows"), std::string::npos) << idle.output;
  EXPECT_NE(idle.output.find("run.shards = 2 feeds all"), std::string::npos) << idle.output;
  const Outcome fed = run(2, train + "--checkpoint.path=b.h5 --run.shards=2");
  EXPECT_EQ(fed.output.find("feeds all"), std::string::npos) << fed.output;
}

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

// A library's kernels: calls of one shard each, gradients on one grid. BLAS bits are other bits, else this
// would prove nothing.
TEST_F(SameBits, WithProductsOfALibrary) {
  for (const std::string blas : {"openblas", "onednn"}) {
    const std::string options = "--run.products=blas --run.blas=" + blas + " --fit.epochs=2 ";
    write("run.ini", kFashion);
    const Outcome there = run(0, "train run.ini --checkpoint.path=there.h5 " + options);
    if (there.code == 2 && there.output.find("built without oneDNN") != std::string::npos) continue;
    ASSERT_EQ(there.code, 0) << there.output;
    EXPECT_NE(there.output.find("shard by shard (run.products = blas)"), std::string::npos) << there.output;
    fs::remove(folder_ / "there.h5");
    expect_same(options + "--data.rows=5000:5400", {{1}, {2}, {3}, {2, 1}, {3, 2}, {5, 3}});
    expect_same(options + "--data.rows=5000:5050 --fit.batch_size=12 " + kSums, {{3}, {3, 1}, {5, 2}});
    const std::string library = digest("one.h5");
    fs::remove(folder_ / "one.h5");
    ASSERT_EQ(run(0, std::string("train run.ini --checkpoint.path=one.h5 --fit.epochs=2 ") +
                         "--data.rows=5000:5050 --fit.batch_size=12 " + kSums)
                  .code,
              0);
    EXPECT_NE(digest("one.h5"), library) << blas;
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

/// Goes through one run in legs, each at other ranks and nodes, each begun in the middle of an epoch.
class ResumeInTheMiddle : public Resume {
 protected:
  /// 2 shards where none are given, 5 steps an epoch; the legs end after 3, 8 and 13 steps.
  void expect_straight(const std::string& options, const std::vector<Job>& jobs) {
    write("run.ini", kFashion);
    const std::string train = "train run.ini --data.rows=5000:5070 --fit.batch_size=15 " + options;
    ASSERT_EQ(run(0, train + " --checkpoint.path=straight.h5").code, 0);
    const std::vector<int> steps = {3, 8, 13};
    std::string from = "begin.h5";
    for (std::size_t leg = 0; leg < jobs.size(); ++leg) {
      const Job& job = jobs[leg];
      const bool last = leg + 1 == jobs.size();
      const std::string cut = "cut" + std::to_string(leg) + ".h5";
      // A checkpoint from the middle; what this leg makes of the rest is compared as well.
      const std::string save = last ? ""
                                    : " --fit.callback='ModelCheckpoint(\"" + cut +
                                          "\", save_freq=" + std::to_string(steps[leg]) +
                                          ")' --fit.epochs=" + std::to_string(steps[leg] / 5 + 1);
      const Outcome outcome = run(job.ranks, train + " --checkpoint.path=" + from + save, job.environment());
      ASSERT_EQ(outcome.code, 0) << outcome.output;
      if (last) break;
      ASSERT_NE(run(0, "inspect " + cut)
                    .output.find("epoch " + std::to_string(steps[leg] / 5) + ", step " +
                                 std::to_string(steps[leg] % 5)),
                std::string::npos);
      from = cut;
    }
    EXPECT_EQ(digest(from), digest("straight.h5")) << options;
    EXPECT_EQ(history(from), history("straight.h5")) << options;
  }
};

TEST_F(ResumeInTheMiddle, AtOtherRanksIsTheStraightRun) {
  expect_straight("--run.shards=8", {{2}, {3}, {1}, {4}});
}

TEST_F(ResumeInTheMiddle, FromFewerRanksToMoreThanShards) { expect_straight("", {{1}, {5}, {2}, {3}}); }

TEST_F(ResumeInTheMiddle, FromNodesToNodes) {
  expect_straight(kSums, {{3, 1}, {2}, {5, 2}, {4, 3}});
  fs::remove_all(folder_);
  fs::create_directories(folder_);
  expect_straight("--run.wire=bfloat16", {{5, 2}, {2, 1}, {3}, {1}});
}

TEST_F(ResumeInTheMiddle, FromNodesWhereOwnersMakeTheSums) {
  expect_straight(kOwners, {{4, 2}, {2}, {6, 3}, {5, 3}});
}

TEST_F(ResumeInTheMiddle, WithProductsOfALibrary) {
  expect_straight("--run.products=blas", {{2}, {3}, {1}, {5, 2}});
}

TEST_F(Resume, OtherProductsAreANoteOrWithStrictAnError) {
  write("run.ini", kFashion);
  const std::string train = "train run.ini --data.rows=5000:5100 --checkpoint.path=a.h5 ";
  ASSERT_EQ(run(0, train + "--fit.epochs=1").code, 0);
  const std::string before = read("a.h5");
  const Outcome strict = run(2, train + "--fit.epochs=2 --run.products=blas --run.strict=true");
  EXPECT_EQ(strict.code, 2) << strict.output;
  EXPECT_NE(strict.output.find("run.strict = true: the run in \"a.h5\" was made with chains"),
            std::string::npos)
      << strict.output;
  EXPECT_TRUE(read("a.h5") == before);
  const Outcome noted = run(2, train + "--fit.epochs=2 --run.products=blas");
  EXPECT_EQ(noted.code, 0) << noted.output;
  EXPECT_NE(noted.output.find("NOTE: the run in \"a.h5\" was made with chains"), std::string::npos)
      << noted.output;
  const Outcome same = run(2, train + "--fit.epochs=3 --run.strict=true");  // auto goes on as it was
  EXPECT_EQ(same.code, 0) << same.output;
  EXPECT_NE(same.output.find("shard by shard (as the run began)"), std::string::npos) << same.output;
  EXPECT_NE(run(0, "inspect a.h5 --json").output.find("\"cpu\""), std::string::npos);
}

// OpenBLAS takes what the variable says, however old.
TEST_F(Resume, KernelsBelowTheCpuAreANote) {
  write("run.ini", kFashion);
  const std::string train = "train run.ini --data.rows=5000:5100 --fit.epochs=1 --checkpoint.path=a.h5";
  const Outcome old = run(0, train, "OPENBLAS_CORETYPE=Prescott");
  EXPECT_EQ(old.code, 0) << old.output;
  EXPECT_NE(old.output.find("NOTE: OPENBLAS_CORETYPE=Prescott"), std::string::npos) << old.output;
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

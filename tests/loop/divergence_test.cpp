// A run that meets NaN or Inf says where it began, leaves the mini-batch in a file that repeats the step, and
// goes back to its last checkpoint when asked to: the same at every number of ranks. Every rank takes part.

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>

#include "checkpoint/bad_batch.h"
#include "io/hdf5.h"
#include "mpi_main.h"
#include "train/loop/fit.h"

namespace nntrain::train {
namespace {

namespace fs = std::filesystem;
using mpi_test::session;

using Options = std::map<std::string, std::string>;
using Layers = std::vector<std::string>;

constexpr std::int64_t kRows = 48, kInputs = 6;

/// Samples with `value` as the first number of row `bad_row` (none: -1), and sums of their numbers as
/// targets.
class Data {
 public:
  Data(std::int64_t bad_row, float value) {
    folder_ = session().broadcast_text(
        (fs::temp_directory_path() / ("nntrain_divergence_" + std::to_string(getpid()))).string());
    if (session().is_root()) write(bad_row, value);
    session().barrier();
  }
  ~Data() {
    session().barrier();
    if (session().is_root()) fs::remove_all(folder_);
  }
  Data(const Data&) = delete;
  Data& operator=(const Data&) = delete;
  std::string file(const std::string& name) const { return folder_ + "/" + name; }

  Options options(const std::string& checkpoint) const {
    return {{"data.inputs", file("data.h5:/x")},
            {"data.targets", file("data.h5:/y")},
            {"compile.loss", "mean_squared_error"},
            {"compile.optimizer", "SGD(0.001)"},
            {"fit.batch_size", "8"},
            {"fit.epochs", "3"},
            {"fit.verbose", "0"},
            {"run.shards", "4"},
            {"checkpoint.path", file(checkpoint)}};
  }

 private:
  void write(std::int64_t bad_row, float value) const {
    fs::create_directories(folder_);
    std::vector<float> x, y;
    for (std::int64_t r = 0; r < kRows; ++r) {
      y.push_back(0);
      for (std::int64_t i = 0; i < kInputs; ++i) {
        x.push_back(static_cast<float>((r * 7 + i * 3) % 11 - 5) / 5.0F);
        y.back() += x.back();
      }
    }
    if (bad_row >= 0) x[static_cast<std::size_t>(bad_row * kInputs)] = value;
    io::Hdf5File hdf5 = io::Hdf5File::create(file("data.h5"));
    hdf5.root().write_dataset("x", Shape{kRows, kInputs}, x);
    hdf5.root().write_dataset("y", Shape{kRows}, y);
    hdf5.close();
  }

  std::string folder_;
};

struct Result {
  ExitCode code = ExitCode::kDone;
  std::string text;  ///< of the error
  std::int64_t rollbacks = 0;
};

Result train(comm::Session& ranks, const Options& options, const Layers& layers) {
  Configuration configuration;
  for (const auto& [key, text] : options) configuration.add(key, {text, "run.ini:1"});
  for (const std::string& layer : layers) configuration.add("model.layer", {layer, "run.ini:2"});
  StopToken stop;
  Log log(ranks.is_root() ? Log::Voice::kSpeaks : Log::Voice::kSilent);
  Result result;
  const auto run = open_run(ranks, configuration, {log, stop, "test"});
  try {
    result.code = fit(*run);
  } catch (const Error& error) {
    result.code = error.code();
    result.text = error.what();
  }
  result.rollbacks = run->past.rollbacks;
  return result;
}

/// The same on rank 0 by itself; others return an empty one.
Result train_alone(const Options& options, const Layers& layers) {
  Result result;
  const auto alone = session().alone();
  comm::collectively(session(), "train alone", [&] {
    if (session().is_root()) result = train(*alone, options, layers);
  });
  return result;
}

/// Without what depends on the number of ranks: who has the row; and without the names of files.
std::string without_ranks(std::string text) {
  for (const char* part : {" (first on ", ". The mini-batch"}) {
    const std::size_t begin = text.find(part);
    if (begin == std::string::npos) continue;
    const std::size_t end = part[1] == '(' ? text.find(')', begin) + 1 : text.size();
    text.erase(begin, end - begin);
  }
  return text;
}

void expect_text(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin: " << text;
}

std::vector<std::int64_t> integers(const std::string& path, const std::string& dataset) {
  return io::Hdf5File::open(path).root().dataset(dataset).read_all<std::int64_t>();
}

/// Trains alone and together; both end alike, and name the same.
std::string expect_divergence(const Data& data, const Options& extra, const Layers& layers,
                              const std::vector<std::string>& parts) {
  Options options = data.options("alone.h5");
  for (const auto& [key, text] : extra) options[key] = text;
  const Result alone = train_alone(options, layers);
  options["checkpoint.path"] = data.file("run.h5");
  const Result together = train(session(), options, layers);
  EXPECT_EQ(together.code, ExitCode::kDiverged) << together.text;
  expect_text(together.text, parts);
  if (session().is_root()) {
    EXPECT_EQ(without_ranks(together.text), without_ranks(alone.text));
    for (const char* name : {"inputs", "targets"}) {
      const auto read = [&](const char* file) {
        return io::Hdf5File::open(data.file(file)).root().dataset(name).read_all<float>();
      };
      EXPECT_EQ(read("run.nan.h5"), read("alone.nan.h5")) << name;
    }
    for (const char* name : {"rows", "nan/rows"})
      EXPECT_EQ(integers(data.file("run.nan.h5"), name), integers(data.file("alone.nan.h5"), name)) << name;
  }
  return together.text;
}

const Layers kTwo = {"Dense(4, activation=\"relu\", kernel_initializer=Constant(2.0))", "Dense(1)"};

TEST(NonFinite, ARowOfTheDataIsNamedAndItsBatchRepeatsTheStep) {
  const Data data(17, 3e38F);
  const std::string text =
      expect_divergence(data, {}, kTwo,
                        {"layer \"dense\" (Dense)", "row 17 of the training data", "reaches 3e+38",
                         "dense/kernel 2", "rank ", data.file("run.nan.h5"), "nntrain-dist train run.ini"});
  const std::string bad = data.file("run.nan.h5");
  if (session().is_root()) {
    const std::vector<std::int64_t> rows = integers(bad, "rows");
    EXPECT_EQ(rows.size(), 8U);
    EXPECT_EQ(std::count(rows.begin(), rows.end(), 17), 1);
    EXPECT_EQ(integers(bad, "nan/rows"), std::vector<std::int64_t>{17});
    EXPECT_TRUE(checkpoint::is_bad_batch(bad));
    EXPECT_FALSE(checkpoint::is_bad_batch(data.file("data.h5")));
  }
  Options options = data.options("run.nan.h5");
  options["checkpoint.resume"] = "require";
  const Result again = train_alone(options, kTwo);
  if (!session().is_root()) return;
  EXPECT_EQ(again.code, ExitCode::kDiverged);
  const std::string first = text.substr(0, text.find(" (first on"));  // epoch, step, layer and row
  EXPECT_EQ(again.text.substr(0, first.size()), first);
}

TEST(NonFinite, AnExplodingLayerIsNamed) {
  const Data data(-1, 0);
  expect_divergence(data, {{"compile.optimizer", "SGD(1e12)"}}, kTwo,
                    {"NaN or Inf in", "reach", "weight is dense_1/"});
}

TEST(NonFinite, AnUpdateThatOverflowsIsFoundInTheNextStep) {
  const Data data(-1, 0);
  expect_divergence(data, {{"compile.optimizer", "SGD(3e38)"}}, kTwo,
                    {"Epoch 1, step 2", "/kernel (", "since the update before"});
}

TEST(NonFinite, AnUpdateThatOverflowsInTheLastStepIsFound) {
  const Data data(-1, 0);
  expect_divergence(data, {{"compile.optimizer", "SGD(3e38)"}, {"fit.batch_size", "48"}, {"fit.epochs", "1"}},
                    kTwo, {"after its last step", "/kernel ("});
}

TEST(NonFinite, IsFoundWhereAnActivationHidesIt) {
  const Data data(-1, 0);
  expect_divergence(data, {},
                    {"Dense(4, activation=\"sigmoid\", kernel_initializer=Constant(3e38))", "Dense(1)"},
                    {"Epoch 1, step 1", "layer \"dense\"", "dense/kernel 3e+38"});
}

TEST(NonFinite, LeavesMovingStatisticsAsTheyWere) {
  const Data data(17, 3e38F);
  const Layers overflows = {"Dense(4)", "BatchNormalization()",
                            "Dense(1)"};  // the variance does, outputs not
  expect_divergence(data, {}, overflows,
                    {"NaN or Inf in what it makes of batch_normalization/moving_variance"});
  if (session().is_root()) fs::remove(data.file("run.nan.h5"));
  const Layers layers = {kTwo[0], "BatchNormalization()", "Dense(1)"};
  expect_divergence(data, {}, layers, {"layer \"dense\"", "row 17 of"});
  if (!session().is_root()) return;
  for (const checkpoint::WeightArray& weight : checkpoint::read(data.file("run.nan.h5")).weights) {
    for (const float value : weight.values) ASSERT_TRUE(std::isfinite(value)) << weight.name;
  }
}

// ---- fit.on_nan = rollback

Options with_rollback(const Data& data, const std::string& checkpoint, const std::string& epochs) {
  Options options = data.options(checkpoint);
  options["compile.optimizer"] = "SGD(64.0, momentum=0.5)";
  options["fit.on_nan"] = "rollback";
  options["fit.max_rollbacks"] = "40";
  options["fit.epochs"] = epochs;
  return options;
}

std::string digest(const std::string& path) {
  return checkpoint::weights_digest(checkpoint::read(path).weights);
}

TEST(Rollback, HasTheSameBitsAtEveryNumberOfRanksAndAfterAResume) {
  const Data data(-1, 0);
  const Result alone = train_alone(with_rollback(data, "alone.h5", "12"), kTwo);
  const Result together = train(session(), with_rollback(data, "run.h5", "12"), kTwo);
  EXPECT_EQ(together.code, ExitCode::kDone) << together.text;
  EXPECT_GT(together.rollbacks, 0);
  EXPECT_EQ(train(session(), with_rollback(data, "resumed.h5", "9"), kTwo).code, ExitCode::kDone);
  EXPECT_EQ(train(session(), with_rollback(data, "resumed.h5", "12"), kTwo).code, ExitCode::kDone);
  if (!session().is_root()) return;
  EXPECT_EQ(alone.code, ExitCode::kDone) << alone.text;
  EXPECT_EQ(alone.rollbacks, together.rollbacks);
  EXPECT_EQ(digest(data.file("run.h5")), digest(data.file("alone.h5")));
  EXPECT_EQ(digest(data.file("run.h5")), digest(data.file("resumed.h5")));
  EXPECT_EQ(checkpoint::read(data.file("resumed.h5")).environment["rollbacks"], together.rollbacks);
}

TEST(Rollback, EndsAfterSoMany) {
  const Data data(17, 3e38F);  // no learning rate helps
  Options options = with_rollback(data, "run.h5", "3");
  options["fit.max_rollbacks"] = "2";
  options["compile.optimizer"] = "SGD(0.001)";
  const Result result = train(session(), options, kTwo);
  EXPECT_EQ(result.code, ExitCode::kDiverged);
  EXPECT_EQ(result.rollbacks, 2);
  expect_text(result.text, {"row 17", "fit.max_rollbacks = 2 is used up", "holds the state"});
}

TEST(Rollback, NeedsACheckpoint) {
  const Data data(-1, 0);
  Options options = with_rollback(data, "run.h5", "3");
  options.erase("checkpoint.path");
  EXPECT_EQ(train(session(), options, kTwo).code, ExitCode::kInput);
}

}  // namespace
}  // namespace nntrain::train

// Whole training runs against real Keras and scikit-learn: from Keras' initial weights, shuffle off, the
// history and the final weights must follow, at every number of ranks, bitwise the same among these.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "checkpoint/checkpoint.h"
#include "cli_test.h"
#include "core/json.h"

namespace nntrain::cli_test {
namespace {

Json load(const fs::path& path) {
  std::ifstream file(path);
  return Json::parse(file);
}

/// Names of the runs whose folder starts with `prefix` (or does not, for Keras' own).
std::vector<std::string> runs() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(NNTRAIN_TESTS_DIR) / "golden/runs")) {
    if (fs::exists(entry.path() / "expected.json")) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class GoldenRun : public CliTest, public ::testing::WithParamInterface<std::string> {
 protected:
  fs::path source() const { return fs::path(NNTRAIN_TESTS_DIR) / "golden/runs" / GetParam(); }

  Outcome train(int ranks, const std::string& checkpoint) {
    const fs::path own = folder_;
    folder_ = source();  // data are named relative to the run's folder
    const Outcome outcome =
        run(ranks, "train config.ini --run.shards=4 --checkpoint.every_epochs=1000 --checkpoint.path=" +
                       (own / checkpoint).string());
    folder_ = own;
    return outcome;
  }
};

void expect_close(double actual, double expected, double scale, const std::string& what) {
  if (std::isnan(expected) && std::isnan(actual)) return;
  EXPECT_NEAR(actual, expected, 5e-4 * std::max(scale, 1e-3)) << what;
}

void compare_history(const checkpoint::Contents& contents, const Json& history) {
  for (const auto& [name, expected] : history.items()) {
    const std::vector<double>* column = nullptr;
    for (const auto& [key, values] : contents.history.columns) {
      if (key == name) column = &values;
    }
    ASSERT_NE(column, nullptr) << "history has no column " << name;
    std::vector<double> present;  // Keras skips epochs without validation, we keep NaN
    for (const double value : *column) {
      if (!std::isnan(value)) present.push_back(value);
    }
    ASSERT_EQ(present.size(), expected.size()) << name;
    for (std::size_t epoch = 0; epoch < present.size(); ++epoch) {
      const double value = expected[epoch].get<double>();
      expect_close(present[epoch], value, std::abs(value), name + " epoch " + std::to_string(epoch + 1));
    }
  }
}

void compare_weights(const checkpoint::Contents& ours, const checkpoint::Contents& keras) {
  ASSERT_EQ(ours.weights.size(), keras.weights.size());
  for (std::size_t k = 0; k < ours.weights.size(); ++k) {
    const auto& expected = keras.weights[k].values;
    ASSERT_EQ(ours.weights[k].values.size(), expected.size());
    double largest = 0;
    for (const float value : expected) largest = std::max<double>(largest, std::abs(value));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expect_close(ours.weights[k].values[i], expected[i], largest,
                   ours.weights[k].layer + "/" + ours.weights[k].name);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST_P(GoldenRun, FollowsTheReference) {
  const Outcome one = train(0, "n1.h5");
  ASSERT_EQ(one.code, 0) << one.output;
  const checkpoint::Contents ours = checkpoint::read((folder_ / "n1.h5").string());
  const Json expected = load(source() / "expected.json");
  if (expected.contains("history") && expected["history"].is_object())
    compare_history(ours, expected["history"]);
  if (fs::exists(source() / "final.h5"))
    compare_weights(ours, checkpoint::read((source() / "final.h5").string()));
  if (expected.contains("coef")) {  // scikit-learn: (classes, features) and (classes)
    std::vector<double> coefficients;
    for (const Json& value : expected["coef"]["data"]) coefficients.push_back(value.get<double>());
    const std::int64_t classes = ours.weights[1].shape.size(),
                       features = static_cast<std::int64_t>(coefficients.size()) / classes;
    for (std::int64_t c = 0; c < classes; ++c) {
      EXPECT_NEAR(ours.weights[1].values[static_cast<std::size_t>(c)],
                  expected["intercept"]["data"][static_cast<std::size_t>(c)].get<double>(), 1e-5);
      for (std::int64_t f = 0; f < features; ++f) {
        EXPECT_NEAR(ours.weights[0].values[static_cast<std::size_t>(f * classes + c)],
                    coefficients[static_cast<std::size_t>(c * features + f)], 1e-5);
      }
    }
  }
  for (const int ranks : {2, 3, 4}) {
    const std::string path = "n" + std::to_string(ranks) + ".h5";
    const Outcome many = train(ranks, path);
    ASSERT_EQ(many.code, 0) << many.output;
    const checkpoint::Contents same = checkpoint::read((folder_ / path).string());
    EXPECT_EQ(checkpoint::weights_digest(same.weights), checkpoint::weights_digest(ours.weights))
        << ranks << " ranks";
    for (std::size_t k = 0; k < ours.history.columns.size(); ++k) {
      if (ours.history.columns[k].first == "seconds") continue;
      const auto &a = same.history.columns[k].second, &b = ours.history.columns[k].second;
      EXPECT_TRUE(a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0)
          << ours.history.columns[k].first << " at " << ranks << " ranks";
    }
  }
}

/// The words of a section of docs/vocabulary.md, which a test keeps true to the program.
std::vector<std::string> vocabulary(const std::string& section) {
  std::ifstream file(fs::path(NNTRAIN_SOURCE_DIR) / "docs/vocabulary.md");
  std::vector<std::string> names;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("## ", 0) == 0) inside = line == "## " + section;
    if (inside && line.rfind("| `", 0) == 0) names.push_back(line.substr(3, line.find('`', 3) - 3));
  }
  return names;
}

TEST(GoldenRuns, CoverEveryOptimizerAndEveryWayToFit) {
  std::string all;
  for (const std::string& name : runs()) {
    std::ifstream config(fs::path(NNTRAIN_TESTS_DIR) / "golden/runs" / name / "config.ini");
    std::ostringstream text;
    text << config.rdbuf();
    all += text.str() + load(fs::path(NNTRAIN_TESTS_DIR) / "golden/runs" / name / "expected.json")
                            .value("layers", Json())
                            .dump();
  }
  EXPECT_GE(vocabulary("Optimizers").size(), 13U);
  for (const std::string& optimizer : vocabulary("Optimizers")) {
    if (optimizer == "LARS") continue;  // Keras has none: tests/golden/make_lars.py
    const std::string spelled = optimizer == "LAMB" ? "Lamb" : optimizer;
    EXPECT_NE(all.find("optimizer          = " + spelled + "("), std::string::npos)
        << "no golden run with " << optimizer;
  }
  for (const char* word : {"class_weight",
                           "sample_weight",
                           "validation_split",
                           "validation_rows",
                           "validation_freq",
                           "validation_batch_size",
                           "steps_per_epoch",
                           "initial_epoch",
                           "weighted_metrics",
                           "BatchNormalization",
                           "LayerNormalization",
                           "GroupNormalization",
                           "Normalization(",
                           "PReLU",
                           "Rescaling",
                           "trainable=False",
                           "activity_regularizer",
                           "kernel_constraint",
                           "EarlyStopping",
                           "ReduceLROnPlateau",
                           "Dice",
                           "Circle"}) {
    EXPECT_NE(all.find(word), std::string::npos) << "no golden run with " << word;
  }
}

INSTANTIATE_TEST_SUITE_P(Runs, GoldenRun, ::testing::ValuesIn(runs()),
                         [](const auto& run) { return run.param; });

}  // namespace
}  // namespace nntrain::cli_test

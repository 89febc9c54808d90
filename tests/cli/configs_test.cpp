// Every configuration in configs/ runs, and learns what it is there to learn.

#include "cli_test.h"

namespace nntrain::cli_test {
namespace {

class Configs : public CliTest {
 protected:
  /// Trains configs/NAME.ini at two ranks from the source tree and returns the last line of an epoch.
  std::string last_epoch(const std::string& name, const std::string& options = "") {
    const fs::path own = folder_;
    folder_ = NNTRAIN_SOURCE_DIR;  // configs name their data relative to it
    const Outcome outcome =
        run(name == "perceptron_iris" ? 0 : 2,
            "train configs/" + name + ".ini --fit.verbose=2 --checkpoint.path=" + (own / "run.h5").string() +
                " " + options);
    folder_ = own;
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    std::istringstream lines(outcome.output);
    std::string line, last;
    while (std::getline(lines, line)) {
      if (line.find("/step - ") != std::string::npos) last = line;
    }
    return last;
  }
  static double value(const std::string& line, const std::string& name) {
    const std::size_t at = line.find(" " + name + ": ");
    EXPECT_NE(at, std::string::npos) << name << " in " << line;
    return at == std::string::npos ? 0.0 : std::stod(line.substr(at + name.size() + 3));
  }
};

TEST_F(Configs, PerceptronIrisAnswersTheSeedsQuestion) {
  EXPECT_EQ(value(last_epoch("perceptron_iris"), "accuracy"), 1.0);
  const Outcome outcome = run(0, "predict run.h5 --data.inputs=" + std::string(NNTRAIN_SOURCE_DIR) +
                                     "/configs/data/petals.csv --output=answer.csv");
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  const std::string answer = read("answer.csv");
  EXPECT_EQ(answer.rfind("class,class_name,setosa\n", 0), 0U) << answer;
  // The answer that configs/README.md shows: setosa, by the line 2 - 0.5 length - 0.8 width.
  EXPECT_NE(answer.find("\n1,setosa,0.60000"), std::string::npos) << answer;
}

TEST_F(Configs, RegressionDiabetes) {
  EXPECT_LT(value(last_epoch("regression_diabetes"), "val_root_mean_squared_error"), 60.0);
}

TEST_F(Configs, BinaryBreastCancer) {
  const std::string line = last_epoch("binary_breast_cancer");
  EXPECT_GT(value(line, "val_accuracy"), 0.95);
  EXPECT_GT(value(line, "val_auc"), 0.98);
}

TEST_F(Configs, MultilabelBreastCancer) {
  EXPECT_GT(value(last_epoch("multilabel_breast_cancer"), "val_binary_accuracy"), 0.88);
}

TEST_F(Configs, MulticlassIris) { EXPECT_GT(value(last_epoch("multiclass_iris"), "accuracy"), 0.94); }

TEST_F(Configs, FashionMnistFirstEpochs) {
  EXPECT_GT(value(last_epoch("fashion_mnist", "--fit.epochs=2"), "val_accuracy"), 0.83);
}

TEST_F(Configs, FashionMnistRegularized) {
  EXPECT_GT(value(last_epoch("fashion_mnist_regularized", "--fit.epochs=3"), "val_accuracy"), 0.85);
}

TEST_F(Configs, TheVocabularyPageIsTheProgramsOwn) {
  std::ifstream file(fs::path(NNTRAIN_SOURCE_DIR) / "docs/vocabulary.md");
  std::ostringstream page;
  page << file.rdbuf();
  EXPECT_TRUE(run(0, "vocabulary").output == page.str())
      << "docs/vocabulary.md is out of date: nntrain-dist vocabulary > docs/vocabulary.md";
}

}  // namespace
}  // namespace nntrain::cli_test

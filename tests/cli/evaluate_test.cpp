// `evaluate`: what it prints for people and for programs, against scikit-learn, at several numbers of ranks.

#include <fmt/format.h>

#include <cmath>

#include "cli_test.h"
#include "core/json.h"

namespace nntrain::cli_test {
namespace {

/// Every number of `expected` is in `actual` to 1e-12 (relative); objects may hold more, arrays may not.
void expect_holds(const Json& actual, const Json& expected, const std::string& where) {
  if (expected.is_number()) {
    ASSERT_TRUE(actual.is_number()) << where << ": " << actual;
    const double value = expected.get<double>();
    EXPECT_NEAR(actual.get<double>(), value, 1e-12 * std::abs(value)) << where;
  } else if (expected.is_object()) {
    for (const auto& [name, value] : expected.items()) {
      ASSERT_TRUE(actual.contains(name)) << where << "." << name;
      expect_holds(actual[name], value, where + "." + name);
    }
  } else if (expected.is_array()) {
    ASSERT_EQ(actual.size(), expected.size()) << where;
    for (std::size_t i = 0; i < expected.size(); ++i)
      expect_holds(actual[i], expected[i], where + "[" + std::to_string(i) + "]");
  } else {
    EXPECT_EQ(actual, expected) << where;
  }
}

class Evaluate : public CliTest {
 protected:
  void table(const std::string& name, const Json& values, const std::vector<std::string>& header) const {
    std::string text;
    for (std::size_t i = 0; i < header.size(); ++i) text += (i == 0 ? "" : ",") + header[i];
    for (std::size_t i = 0; i < values.size(); ++i)
      text += (i % header.size() == 0 ? "\n" : ",") + values[i].dump();
    write(name, text + "\n");
  }

  /// A model whose outputs are its inputs, in run.h5; `lines` go into the sections that are open.
  void identity(const std::string& loss, const std::string& data = "",
                const std::string& compile = "") const {
    write("run.ini", "[data]\ninputs=x.csv\ntargets=y.csv\ntest_inputs=x.csv\ntest_targets=y.csv\n" + data +
                         "\n[model]\nlayer=Activation(\"linear\")\n[compile]\nloss=" + loss + "\n" + compile +
                         "\n[fit]\nepochs=0\n[checkpoint]\npath=run.h5\n");
    const Outcome outcome = run(0, "train run.ini --fit.verbose=0");
    ASSERT_EQ(outcome.code, 0) << outcome.output;
  }

  /// Standard output alone; standard error goes to errors.txt. (The shell drops what run() appends.)
  Outcome apart(int ranks, const std::string& arguments) const {
    return run(ranks, arguments + " 2>errors.txt #");
  }

  void golden(const std::string& name) {
    std::ifstream file(std::string(NNTRAIN_TESTS_DIR) + "/golden/evaluation.json");
    Json cases = Json::parse(file)["cases"], found;
    for (const Json& one : cases) {
      if (one["name"] == name) found = one;
    }
    ASSERT_FALSE(found.is_null()) << name;
    const auto names = found["names"].get<std::vector<std::string>>();
    std::vector<std::string> inputs, targets = {"y"};
    for (std::size_t i = 0; i < found["outputs"].get<std::size_t>(); ++i)
      inputs.push_back("p" + std::to_string(i));
    if (found["targets"].size() == found["predictions"].size() && inputs.size() > 1) targets = names;
    table("x.csv", found["predictions"], inputs);
    table("y.csv", found["targets"], targets);
    std::string list;
    for (const std::string& one : names) list += (list.empty() ? "" : ",") + one;
    const bool regression = found["loss"] == "mean_squared_error";
    identity(found["loss"].get<std::string>(), regression ? "" : "class_names=" + list);
    const std::string one = run(1, "evaluate run.h5 --json").output;
    expect_holds(Json::parse(one), found["expected"], name);
    EXPECT_EQ(Json::parse(one)["rows"], found["targets"].size() / targets.size());
    for (const int ranks : {2, 3}) EXPECT_EQ(run(ranks, "evaluate run.h5 --json").output, one) << ranks;
    if (!found.contains("text")) return;
    const std::string text = run(0, "evaluate run.h5").output;
    EXPECT_NE(text.find(found["text"].get<std::string>()), std::string::npos)
        << found["text"].get<std::string>() << text;
  }
};

TEST_F(Evaluate, IrisAsScikitLearn) { golden("iris"); }
TEST_F(Evaluate, BreastCancerAsScikitLearn) { golden("breast_cancer"); }
TEST_F(Evaluate, SeveralLabelsAsScikitLearn) { golden("breast_cancer_findings"); }
TEST_F(Evaluate, DiabetesAsScikitLearn) { golden("diabetes"); }
TEST_F(Evaluate, SeveralNumbersAsScikitLearn) { golden("linnerud"); }

TEST_F(Evaluate, StandardOutputHoldsNothingButTheObject) {
  write("x.csv", "p\n0.9\n0.8\n");
  write("y.csv", "y\n1\n1\n");
  identity("binary_crossentropy", "", "metrics=accuracy");
  const Outcome outcome = apart(2, "evaluate run.h5 --json");
  EXPECT_EQ(outcome.code, 0);
  const Json json = Json::parse(outcome.output);
  EXPECT_TRUE(json["roc_auc"].is_null()) << json;  // one class alone has no ROC area
  EXPECT_EQ(json["pr_auc"], 1.0);
  EXPECT_EQ(json["metrics"]["accuracy"], 1.0);
  EXPECT_NE(read("errors.txt").find("NOTE: all 2 rows are positive: no ROC area"), std::string::npos);
  const Outcome csv = apart(0, "evaluate run.h5 --csv");
  EXPECT_EQ(csv.output.rfind("group,name,quantity,value\nall,,rows,2\n", 0), 0U) << csv.output;
}

TEST_F(Evaluate, MistakesNameTheirRowsInTheFile) {
  write("x.csv", "a,b\n0.9,0.1\n0.3,0.7\n0.2,0.8\n0.99,0.01\n");
  write("y.csv", "y\n0\n0\n0\n1\n");
  identity("sparse_categorical_crossentropy");
  const std::string text = run(2, "evaluate run.h5 --data.rows=1:").output;
  const std::size_t first = text.find("        3  true 1  predicted 0  with 0.9900");
  const std::size_t second = text.find("        2  true 0  predicted 1  with 0.8000");
  EXPECT_NE(first, std::string::npos) << text;
  EXPECT_NE(second, std::string::npos) << text;
  EXPECT_LT(first, second);
}

TEST_F(Evaluate, TheMatrixHasWholeNamesWhereTheyFit) {
  write("x.csv", "1,0,0\n0,1,0\n0,0,1\n");
  write("y.csv", "0\n1\n2\n");
  identity("sparse_categorical_crossentropy", "class_names=versicolor alba, versicolor nigra, setosa");
  const std::string few = run(0, "evaluate run.h5").output;
  EXPECT_NE(few.find("  versicolor alba  versicolor nigra            setosa\n"), std::string::npos) << few;
  fs::remove(folder_ / "run.h5");
  const std::string name(40, 'n');
  identity("sparse_categorical_crossentropy", "class_names=" + name + "1, " + name + "2, " + name + "3");
  const std::string wide = run(0, "evaluate run.h5").output;
  EXPECT_NE(wide.find("  nnnnnnnn  nnnnnnnn  nnnnnnnn\n"), std::string::npos) << wide;
}

TEST_F(Evaluate, SoftTargetsAreNoClasses) {
  write("x.csv", "p\n0.9\n0.2\n");
  write("y.csv", "y\n1\n0.25\n");
  identity("binary_crossentropy");
  const Outcome outcome = apart(0, "evaluate run.h5 --json");
  const Json json = Json::parse(outcome.output);
  EXPECT_FALSE(json.contains("accuracy")) << json;
  EXPECT_NE(read("errors.txt").find("row 1 of the targets is 0.25"), std::string::npos) << read("errors.txt");
}

TEST_F(Evaluate, LogitsAreJudgedAtZero) {
  write("x.csv", "p\n0.3\n-0.2\n2\n-3\n");
  write("y.csv", "y\n1\n0\n0\n1\n");
  identity("BinaryCrossentropy(from_logits=True)");
  const Json json = Json::parse(run(0, "evaluate run.h5 --json").output);
  EXPECT_EQ(json["confusion_matrix"], Json::parse("[[1,1],[1,1]]"));
  EXPECT_EQ(json["roc_auc"], 0.25);
}

TEST_F(Evaluate, HingeTakesBothSpellingsOfItsTargets) {
  write("x.csv", "p\n0.3\n-0.2\n2\n-3\n");
  write("y.csv", "y\n1\n-1\n-1\n1\n");
  identity("hinge");
  const Json json = Json::parse(run(0, "evaluate run.h5 --json").output);
  EXPECT_EQ(json["confusion_matrix"], Json::parse("[[1,1],[1,1]]"));
}

TEST_F(Evaluate, OneSigmoidWithASquaredErrorIsBinaryToo) {
  write("x.csv", "p\n3\n-2\n2\n-3\n");
  write("y.csv", "y\n1\n0\n0\n1\n");
  identity("mean_squared_error");
  EXPECT_TRUE(Json::parse(run(0, "evaluate run.h5 --json").output).contains("r2"));
  const Outcome outcome = run(
      0, "train run.ini --fit.verbose=0 --checkpoint.resume=never '--model.layer=Activation(\"sigmoid\")'");
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const Json json = Json::parse(run(0, "evaluate run.h5 --json").output);
  EXPECT_EQ(json["roc_auc"], 0.5);
  EXPECT_EQ(json["accuracy"], 0.5);
}

// A checkpoint keeps the two names that a positive class makes; the labels of the file are others.
TEST_F(Evaluate, APositiveClassIsFoundAgainInTheLabels) {
  write("x.csv", "p\n0.3\n-0.2\n2\n-3\n");
  write("y.csv", "y\nred\ngreen\nblue\nred\n");
  identity("hinge", "positive_class=red");
  for (const std::string& options : {std::string(), std::string(" --data.class_names=blue,green,red")}) {
    const Outcome outcome = apart(0, "evaluate run.h5 --json" + options);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    const Json json = Json::parse(outcome.output);
    EXPECT_EQ(json["class_names"], Json::parse(R"(["not red","red"])"));
    EXPECT_EQ(json["confusion_matrix"], Json::parse("[[1,1],[1,1]]"));
  }
}

/// Training refuses them; evaluate takes what it is given, as older checkpoints have them.
TEST_F(Evaluate, EqualNamesOfClassesStayApart) {
  write("x.csv", "a,b\n0.9,0.1\n0.3,0.7\n");
  write("y.csv", "y\n0\n1\n");
  identity("sparse_categorical_crossentropy", "class_names=one,other");
  const Json json = Json::parse(run(0, "evaluate run.h5 --json --data.class_names=same,same").output);
  EXPECT_EQ(json["class_names"], Json::parse(R"~(["same","same (1)"])~"));
  EXPECT_EQ(json["report"]["same (1)"]["support"], 1);
}

TEST_F(Evaluate, OneKindOfStandardOutputAtATime) {
  const Outcome outcome = run(0, "evaluate run.h5 --json --csv");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.output.find("keep one of them"), std::string::npos) << outcome.output;
}

/// The training's column of weights, where the file has it; else a NOTE. At several numbers of ranks.
TEST_F(Evaluate, RowsAreWeighedAsInTheTraining) {
  std::string rows = "a,y,w\n", without = "a,y\n", weights = "w\n";
  double sum = 0, weighted = 0, error = 0;
  for (int i = 0; i < 12; ++i) {
    rows += fmt::format("{},{},{}\n", i, 2 * i, i % 3);
    without += fmt::format("{},{}\n", i, 2 * i);
    weights += fmt::format("{}\n", i % 3);
    sum += i % 3;
    weighted += i * (i % 3);  // |2 i - i| of a model whose outputs are its inputs
    error += i;
  }
  write("t.csv", rows);
  write("n.csv", without);
  write("w.csv", weights);
  const std::string model =
      "[model]\nlayer=Activation(\"linear\")\n[compile]\nloss=mae\nweighted_metrics=mae\n[fit]\nepochs=0\n"
      "[checkpoint]\npath=run.h5\n";
  write("run.ini", "[data]\ninputs=t.csv\ncolumns=y: target, w: weight\n" + model);
  ASSERT_EQ(run(0, "train run.ini --fit.verbose=0").code, 0);
  const auto expect = [&](const std::string& arguments, bool weighs, const std::string& words,
                          int ranks = 0) {
    const Outcome outcome = apart(ranks, "evaluate run.h5 --json " + arguments);
    ASSERT_EQ(outcome.code, 0) << arguments << read("errors.txt");
    const double value = weighs ? weighted / sum : error / 12;
    const Json json = Json::parse(outcome.output);
    EXPECT_NEAR(json["metrics"]["mae"].get<double>(), value, 1e-5) << arguments;
    EXPECT_NEAR(json["loss"].get<double>(), weighs ? weighted / 12 : value, 1e-5) << arguments;
    EXPECT_NE(read("errors.txt").find(words), std::string::npos) << arguments << ": " << read("errors.txt");
  };
  const std::string used = "NOTE: the loss and weighted metrics weigh rows by the column \"w\" of t.csv";
  for (const int ranks : {0, 2}) expect("--data.inputs=t.csv", true, used + ", as the training did", ranks);
  expect("--data.inputs=t.csv --data.columns='w: weight'", true, used);
  expect("--data.inputs=t.csv --data.columns='w: ignore'", false, "NOTE: rows are not weighed");
  expect("--data.inputs=n.csv", false, "by the column \"w\", which n.csv does not have; --data.columns=");
  expect("--data.inputs=n.csv --data.sample_weight=w.csv", true, "");
  const Outcome lacks = run(0, "evaluate run.h5 --data.inputs=n.csv --data.columns='w: weight'");
  EXPECT_EQ(lacks.code, 2);
  EXPECT_NE(lacks.output.find("has no column \"w\""), std::string::npos) << lacks.output;
  const Outcome table = run(0, "evaluate run.h5 --data.inputs=t.csv --data.sample_weight=t.csv");
  EXPECT_EQ(table.code, 2);
  EXPECT_NE(table.output.find("rows of shape (3,)"), std::string::npos) << table.output;
  EXPECT_NE(table.output.find("leave this key out and say data.columns = NAME: weight"), std::string::npos);
  // Weights of a file of their own belong to the training's rows.
  write("run.ini", "[data]\ninputs=n.csv\ncolumns=y: target\nsample_weight=w.csv\n" + model);
  ASSERT_EQ(run(0, "train run.ini --fit.verbose=0 --checkpoint.resume=never").code, 0);
  expect("--data.inputs=n.csv", false, "NOTE: rows are not weighed: the training weighed its rows by w.csv");
}

}  // namespace
}  // namespace nntrain::cli_test

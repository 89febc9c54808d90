// Tables of real life through the whole program: read right, or refused with row, column, value and cure.

#include "cli_test.h"

namespace nntrain::cli_test {
namespace {

const fs::path kTables = fs::path(NNTRAIN_TESTS_DIR) / "golden/tables";

class Tables : public CliTest {
 protected:
  /// A configuration for a model of `units` outputs; `data` are lines of [data].
  void configure(const std::string& data, const std::string& last_layer, const std::string& loss,
                 const std::string& fit = "") const {
    write("run.ini", "[data]\n" + data + "\n[model]\nlayer = " + last_layer + "\n[compile]\nloss = " + loss +
                         "\noptimizer = SGD(0.001)\n[fit]\nepochs = 1\nverbose = 2\n" + fit +
                         "\n[checkpoint]\npath = run.h5\nresume = never\n");
  }

  Outcome train(const std::string& options = "") const { return run(0, "train run.ini " + options); }

  void expect_words(const Outcome& outcome, int code, const std::vector<std::string>& words) const {
    EXPECT_EQ(outcome.code, code) << outcome.output;
    for (const std::string& word : words)
      EXPECT_NE(outcome.output.find(word), std::string::npos) << "\"" << word << "\" is not in\n"
                                                              << outcome.output;
  }
  void expect_trained(const std::vector<std::string>& words = {}, const std::string& options = "") const {
    expect_words(train(options), 0, words);
  }
  void expect_refused(const std::vector<std::string>& words, const std::string& options = "") const {
    expect_words(train(options), 2, words);
    EXPECT_FALSE(fs::exists(folder_ / "run.h5"));
  }

  /// The last line of an evaluation without speed: its results.
  std::string results(const std::string& options) const {
    const Outcome outcome = run(0, "evaluate run.h5 " + options);
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    const std::size_t at = outcome.output.find(" loss: ");
    return at == std::string::npos ? "none" : outcome.output.substr(at, outcome.output.find('\n', at) - at);
  }
  std::string predictions(const std::string& inputs) const {
    const Outcome outcome = run(0, "predict run.h5 --data.inputs=" + inputs + " --output=p.csv");
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    return read("p.csv");
  }
};

TEST_F(Tables, ColumnsAreMatchedByNameAfterTraining) {
  write("t.csv", "a,b,y\n1,2,3\n2,3,5\n3,5,8\n4,1,5\n");
  configure("inputs = t.csv\ntarget_columns = y", "Dense(1)", "mse");
  expect_trained({"inputs (2): a, b", "targets: y"});
  const std::string loss = results("--data.inputs=t.csv");
  const std::string outputs = predictions("t.csv");
  write("swapped.csv", "y,b,a\n3,2,1\n5,3,2\n8,5,3\n5,1,4\n");
  EXPECT_EQ(results("--data.inputs=swapped.csv"), loss);
  EXPECT_EQ(predictions("swapped.csv"), outputs);
  write("inputs.csv", "b,a\n2,1\n3,2\n5,3\n1,4\n");
  EXPECT_EQ(predictions("inputs.csv"), outputs);
  write("more.csv", "smell,b,a\n7,2,1\n7,3,2\n7,5,3\n7,1,4\n");
  EXPECT_EQ(predictions("more.csv"), outputs);
  expect_words(run(0, "predict run.h5 --data.inputs=more.csv --output=p.csv"), 0,
               {"NOTE", "\"smell\" is not used"});
  write("other.csv", "colour,smell\n1,2\n");
  expect_words(run(0, "predict run.h5 --data.inputs=other.csv --output=q.csv"), 2,
               {"lacks the columns \"a\", \"b\"", "\"colour\""});
  write("twice.csv", "a,b,a\n1,2,3\n");
  expect_words(run(2, "predict run.h5 --data.inputs=twice.csv --output=q.csv"), 2, {"2 columns named \"a\""});
  EXPECT_FALSE(fs::exists(folder_ / "q.csv"));
}

TEST_F(Tables, PredictionInputsNeedNoTargetHoweverItWasNamed) {
  for (const char* header : {"a,b,y\n", ""}) {
    fs::remove(folder_ / "p.csv");  // a header of another model's names is not known as ours
    write("t.csv", std::string(header) + "1,2,3\n2,3,5\n3,5,8\n4,1,5\n");
    for (const char* target : {"-1", "2"}) {
      configure(std::string("inputs = t.csv\ntarget_columns = ") + target, "Dense(1)", "mse");
      expect_trained();
      const std::string outputs = predictions("t.csv");
      write("new.csv", std::string(*header == '\0' ? "" : "a,b\n") + "1,2\n2,3\n3,5\n4,1\n");
      EXPECT_EQ(predictions("new.csv"), outputs) << header << target;
    }
  }
}

TEST_F(Tables, ValidationFilesAreMatchedToo) {
  write("t.csv", "a,b,y\n1,2,3\n2,3,5\n3,5,8\n4,1,5\n");
  write("v.csv", "y,b,a\n3,2,1\n5,3,2\n8,5,3\n5,1,4\n");
  configure("inputs = t.csv\ntarget_columns = y\nvalidation_inputs = v.csv",
            "Dense(1, kernel_initializer=\"zeros\")", "mse", "batch_size = 4\n");
  const Outcome outcome = train();
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  const std::string swapped = results("--data.inputs=v.csv");
  EXPECT_NE(outcome.output.find("val_loss: " + swapped.substr(7)), std::string::npos) << swapped << "\n"
                                                                                      << outcome.output;
  write("v.csv", "y,c,a\n3,2,1\n");
  fs::remove(folder_ / "run.h5");
  expect_refused({"data.validation_inputs", "lacks the column \"b\""});
}

TEST_F(Tables, IndexOfPandas) {
  fs::copy_file(kTables / "index.csv", folder_ / "t.csv");
  configure(
      "inputs = t.csv\ntarget_columns = price\ncolumns = town: categorical, day: date, sold: ignore\nscale = "
      "1/1000",
      "Dense(1)", "mae");
  expect_trained({"inputs (6): area, rooms, town_Jena", "column 0 (it has no name)", "left out"});
}

TEST_F(Tables, TextWhereNumbersAreMeant) {
  for (const char* cell :
       {"$905", "\"$1,234.50\"", "85.0 m2", "NA", "?", "\"1,234\"", "\"3,5\"", "45%", "2021-03-01", "abc"}) {
    write("t.csv", std::string("x,y\n1,") + cell + "\n2," + cell + "\n3,7\n");
    configure("inputs = t.csv\ntarget_columns = y", "Dense(1)", "mse");
    expect_refused({"t.csv", "line 2 (row 0)", "column \"y\""});
    write("t.csv", std::string("y,x\n1,") + cell + "\n2," + cell + "\n3,7\n");
    expect_refused({"t.csv", "line 2 (row 0)", "column \"x\""});
  }
  write("t.csv", "x,y\n1,2\n2,3\n");
  expect_trained();
  write("bad.csv", "x,y\n1,$905\n2,$20\n");
  expect_words(run(0, "evaluate run.h5 --data.inputs=bad.csv"), 2, {"bad.csv", "line 2 (row 0)", "\"$905\""});
}

/// Whoever does what the message says comes through.
TEST_F(Tables, TheCureForATargetInClothesIsOne) {
  write("t.csv", "x,price\n1,$905\n2,$20\n3,$7\n");
  for (const char* told : {"columns = price: target", "target_columns = price"}) {
    configure(std::string("inputs = t.csv\n") + told, "Dense(1)", "mse");
    expect_refused(
        {"\"$905\" is not a number",
         "data.target_columns = price with data.columns = price: numeric reads it without its unit"});
    configure("inputs = t.csv\ntarget_columns = price\ncolumns = price: numeric", "Dense(1)", "mse");
    expect_trained({"targets: price"});
    fs::remove(folder_ / "run.h5");
  }
  write("t.csv", "x,price\n1,dear\n2,cheap\n");
  configure("inputs = t.csv\ntarget_columns = price", "Dense(1)", "mse");
  expect_refused({"\"dear\" is not a number", "a loss for classes"});
}

TEST_F(Tables, ClassesArePrintedWithCountsAndFirstRows) {
  fs::copy_file(fs::path(NNTRAIN_SOURCE_DIR) / "configs/data/iris.csv", folder_ / "t.csv");
  configure("inputs = t.csv\ntarget_columns = species", "Dense(3, activation=\"softmax\")",
            "sparse_categorical_crossentropy");
  expect_trained({"0 = setosa (50 rows, first in row 0)", "2 = virginica (50 rows, first in row 100)"});
  fs::remove(folder_ / "run.h5");
  expect_refused({"\"specie\"", "did you mean \"species\""}, "--data.target_columns=specie");
  expect_refused({"MeanSquaredError", "\"setosa\" is not a number"}, "--compile.loss=mse");
}

TEST_F(Tables, NamesThatDifferInSpellingAloneAreNoticed) {
  write("t.csv", "x,kind\n1,tree\n2,bush\n3,Tree\n4,bush\n");
  configure("inputs = t.csv\ntarget_columns = kind", "Dense(2, activation=\"softmax\")",
            "sparse_categorical_crossentropy");
  expect_refused({"row 0: label 2 (\"tree\")", "[0, 2)", "3 classes (Tree, bush, tree)", "3 units",
                  "\"Tree\" and \"tree\" are two classes"});
  configure("inputs = t.csv\ntarget_columns = kind", "Dense(3, activation=\"softmax\")",
            "sparse_categorical_crossentropy");
  expect_trained({"NOTE: data.targets \"t.csv\": \"Tree\" and \"tree\" are two classes: is that meant?"});
}

TEST_F(Tables, LabelsOutsideTheMeaningOfALoss) {
  struct Case {
    const char *labels[4], *layer, *loss;
    std::vector<std::string> words;
  };
  const std::string one = "Dense(1, activation=\"sigmoid\")";
  const std::vector<Case> cases = {
      {{"-1", "1", "-1", "1"}, one.c_str(), "binary_crossentropy", {"target -1", "positive_class"}},
      {{"1", "2", "1", "2"}, one.c_str(), "binary_crossentropy", {"target 2", "positive_class"}},
      {{"0", "255", "0", "255"}, one.c_str(), "binary_crossentropy", {"target 255", "positive_class"}},
      {{"a", "b", "c", "a"},
       one.c_str(),
       "binary_crossentropy",
       {"3 classes (a, b, c)", "positive_class = a"}},
      {{"1", "2", "1", "2"}, one.c_str(), "binary_focal_crossentropy", {"target 2"}},
      {{"1", "2", "1", "2"}, "Dense(1)", "hinge", {"target 2", "positive_class"}},
      {{"-1", "0", "1", "1"}, "Dense(1)", "squared_hinge", {"among both 0 and -1"}},
      {{"1", "2", "1", "2"}, "Dense(1)", "perceptron", {"target 2"}},
      {{"1", "2", "3", "4"},
       "Dense(3, activation=\"softmax\")",
       "sparse_categorical_crossentropy",
       {"label 3", "[0, 3)"}},
      {{"0", "1", "2.5", "1"},
       "Dense(3, activation=\"softmax\")",
       "sparse_categorical_crossentropy",
       {"label 2.5"}},
      {{"-1", "0", "1", "7"},
       "Dense(3, activation=\"softmax\")",
       "categorical_crossentropy",
       {"label -1", "[0, 3)"}},
      {{"-1", "0", "1", "7"}, "Dense(3)", "categorical_hinge", {"label -1"}},
      {{"1", "-2", "1", "2"}, "Dense(1)", "poisson", {"target -2", "negative"}},
      {{"1", "-2", "1", "2"}, "Dense(1)", "msle", {"target -2", "negative"}},
      {{"1", "2", "1", "2"}, "Dense(1)", "kl_divergence", {"target 2", "[0, 1]"}},
      {{"0", "3", "1", "2"}, one.c_str(), "dice", {"target 3"}}};
  for (const Case& one_case : cases) {
    SCOPED_TRACE(std::string(one_case.loss) + " " + one_case.labels[1]);
    std::string text = "x,y\n";
    for (const char* label : one_case.labels) text += std::string("1,") + label + "\n";
    write("t.csv", text);
    configure("inputs = t.csv\ntarget_columns = y", one_case.layer, one_case.loss);
    std::vector<std::string> words = one_case.words;
    words.push_back("t.csv");
    expect_refused(words);
  }
}

TEST_F(Tables, AMetricThatTakesSigns) {
  for (const char* metric : {"hinge", "squared_hinge"}) {
    write("t.csv", "x,y\n1,-1\n2,1\n3,1\n");
    write("bad.csv", "x,y\n1,-1\n2,1\n3,0\n");
    configure("inputs = t.csv\ntarget_columns = y", "Dense(1)", "mse");
    const std::string option = std::string("--compile.metrics=") + metric;
    expect_trained({}, option);
    const Outcome outcome = run(0, "evaluate run.h5 --data.inputs=bad.csv");
    expect_words(outcome, 2,
                 {"bad.csv", "row 2: the target 0 stands beside -1 in row 0", "inge takes 0 and 1"});
    fs::remove(folder_ / "run.h5");
    configure("inputs = bad.csv\ntarget_columns = y", "Dense(1)", "mse");
    expect_refused({"bad.csv", "row 2: the target 0 stands beside -1 in row 0", "inge takes 0 and 1"},
                   option);
  }
}

TEST_F(Tables, TheCuresWork) {
  for (const auto& [first, second] : {std::pair("-1", "1"), {"1", "2"}, {"0", "255"}}) {
    write("t.csv", std::string("x,y\n1,") + first + "\n2," + second + "\n3," + second + "\n");
    configure(std::string("inputs = t.csv\ntarget_columns = y\npositive_class = ") + second,
              "Dense(1, activation=\"sigmoid\")", "binary_crossentropy");
    expect_trained();
    EXPECT_EQ(predictions("t.csv").rfind(std::string("class,class_name,") + second + "\n", 0), 0U);
    results("--data.inputs=t.csv");
  }
}

TEST_F(Tables, OneToThreeAreThreeClasses) {
  fs::copy_file(kTables / "one_to_three.csv", folder_ / "t.csv");
  configure("inputs = t.csv\ntarget_columns = class\nscale = 1/100000", "Dense(3, activation=\"softmax\")",
            "sparse_categorical_crossentropy", "class_weight = 1:1, 2:2, 3:3\n");
  expect_trained({"3 classes", "0 = 1 (20 rows, first in row 0)", "2 = 3"});
  EXPECT_EQ(predictions("t.csv").rfind("class,class_name,1,2,3\n", 0), 0U);
  const std::string all = results("--data.inputs=t.csv");
  // One class alone is still the class it is.
  write("some.csv", "area,price,class\n57,155121,2\n60,100000,2\n");
  EXPECT_NE(results("--data.inputs=some.csv"), "none");
  write("four.csv", "area,price,class\n57,155121,4\n");
  expect_words(run(0, "evaluate run.h5 --data.inputs=four.csv"), 2,
               {"label 4 is none of the classes 1, 2, 3"});
  fs::remove(folder_ / "run.h5");
  expect_refused({"fit.class_weight", "no class 0", "1, 2, 3"}, "--fit.class_weight=0:2");
}

TEST_F(Tables, ClassWeightsAndNames) {
  write("t.csv", "x,y\n1,0\n2,1\n3,2\n4,1\n");
  configure("inputs = t.csv\ntarget_columns = y", "Dense(3, activation=\"softmax\")",
            "sparse_categorical_crossentropy");
  expect_refused({"fit.class_weight", "no class 5", "0, 1, 2"}, "--fit.class_weight=5:1");
  expect_refused({"fit.class_weight", "-1", "not below 0"}, "--fit.class_weight=1:-1");
  expect_refused({"data.class_names", "2 classes (a, b)", "3 units"}, "--data.class_names=a,b");
  expect_refused({"data.class_names", "4 classes", "3 units"}, "--data.class_names=a,b,c,d");
  expect_trained({}, "--data.class_names=a,b,c --fit.class_weight=0:2");
}

TEST_F(Tables, HeaderOfAOneUnitClassifier) {
  write("t.csv", "x,y\n1,no\n2,yes\n3,no\n4,yes\n");
  configure("inputs = t.csv\ntarget_columns = y", "Dense(1, activation=\"sigmoid\")", "binary_crossentropy");
  expect_trained();
  EXPECT_EQ(predictions("t.csv").rfind("class,class_name,yes\n", 0), 0U);
  configure("inputs = t.csv\ntarget_columns = x\ncolumns = y: boolean", "Dense(1)", "mse");
  expect_trained();
  EXPECT_EQ(predictions("t.csv").rfind("x\n", 0), 0U);
}

TEST_F(Tables, PredictedNumbersBearTheTargetsNames) {
  std::string table = "a,b,price $,area\n";
  for (int i = 0; i < 20; ++i) {
    table += std::to_string(i % 5) + "," + std::to_string(i * i % 7) + "," + std::to_string(0.3 * i) + "," +
             std::to_string(1.0 / (i + 3)) + "\n";
  }
  write("t.csv", table);
  configure("inputs = t.csv\ntarget_columns = price $, area", "Dense(2)", "mse");
  expect_trained();
  const std::string first = predictions("t.csv");
  EXPECT_EQ(first.rfind("price $,area\n", 0), 0U) << first;
  EXPECT_EQ(predictions("t.csv"), first);  // written over its like
  // Somebody's own numbers under the same names are not.
  write("own.csv", "price $,area\n0.5,0.25\n3.75,1\n");
  expect_words(run(0, "predict run.h5 --data.inputs=t.csv --output=own.csv"), 2, {"own.csv"});
  EXPECT_EQ(read("own.csv"), "price $,area\n0.5,0.25\n3.75,1\n");
  // No names: outputs are counted.
  write("bare.csv", "1,2,3\n2,3,4.5\n3,4,6\n");
  configure("inputs = bare.csv\ntarget_columns = -1", "Dense(1)", "mse");
  fs::remove(folder_ / "run.h5");
  fs::remove(folder_ / "p.csv");  // another model's numbers under other names are kept
  expect_trained();
  EXPECT_EQ(predictions("bare.csv").rfind("output_0\n", 0), 0U);
}

TEST_F(Tables, SeveralLabelsInOneCell) {
  fs::copy_file(kTables / "tags.csv", folder_ / "t.csv");
  configure("inputs = t.csv\ntarget_columns = tags\nscale = 1/100000", "Dense(3, activation=\"sigmoid\")",
            "binary_crossentropy");
  expect_trained();
  EXPECT_EQ(predictions("t.csv").rfind("garden,lift,quiet\n", 0), 0U);
  EXPECT_NE(results("--data.inputs=t.csv"), "none");
}

TEST_F(Tables, RowsInTrainingAndValidation) {
  std::string text = "x,y\n";
  for (int i = 0; i < 40; ++i) text += std::to_string(i) + "," + (i < 30 ? "a" : "b") + "\n";
  write("t.csv", text);
  configure("inputs = t.csv\ntarget_columns = y\nscale = 0.01", "Dense(2, activation=\"softmax\")",
            "sparse_categorical_crossentropy");
  expect_refused({"data.validation_rows = :10", "share the rows 0 to 9", "data.rows = 10:"},
                 "--data.validation_rows=:10");
  expect_refused({"data.validation_rows = 30:", "data.rows = :30"}, "--data.validation_rows=30:");
  expect_refused({"data.validation_rows", "fit.validation_split", "give one"},
                 "--data.rows=10: --data.validation_rows=:10 --fit.validation_split=0.2");
  expect_refused({"data.validation", "fit.validation_split"},
                 "--fit.validation_split=0.2 --data.validation='split(0.1)'");
  expect_refused({"data.validation", "split(0.1"}, "--data.validation='slip(0.1)'");
  expect_trained({"train on 30 samples, validate on 10"}, "--data.rows=10: --data.validation_rows=:10");
  expect_trained({"train on 32 samples, validate on 8"},
                 "--data.validation='split(0.2, shuffle=True, stratify=True)'");
  expect_trained({"train on 30 samples, validate on 10"}, "--data.folds=4 --fit.fold=3");
  expect_words(train("--data.folds=4 --fit.fold=4"), 2, {"fit.fold", "below data.folds = 4"});
}

TEST_F(Tables, ShuffledSplitsGiveTheSameBitsForEveryNumberOfRanks) {
  fs::copy_file(fs::path(NNTRAIN_SOURCE_DIR) / "configs/data/iris.csv", folder_ / "t.csv");
  configure("inputs = t.csv\ntarget_columns = species\nvalidation = split(0.2, shuffle=True, stratify=True)",
            "Dense(3, activation=\"softmax\")", "sparse_categorical_crossentropy");
  ASSERT_EQ(run(0, "train run.ini --checkpoint.path=one.h5").code, 0);
  ASSERT_EQ(run(2, "train run.ini --checkpoint.path=two.h5").code, 0);
  EXPECT_EQ(digest("one.h5"), digest("two.h5"));
  EXPECT_EQ(history("one.h5"), history("two.h5"));
}

TEST_F(Tables, ShapesAreComparedAsShapes) {
  std::string numbers(24 * sizeof(float), '\0');
  const auto npy = [&](const std::string& shape) {
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
    header.resize(117, ' ');
    return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + "\n" + numbers;
  };
  write("x.npy", npy("(4, 3, 2)"));
  write("y.csv", "y\n0.5\n1.5\n0.5\n1.5\n");
  configure("inputs = x.npy\ntargets = y.csv", "Flatten()\nlayer = Dense(1)", "mse");
  expect_refused({"(3, 2)", "(2, 3)"}, "--model.input_shape='(2, 3)'");
  expect_trained({}, "--model.input_shape='(3, 2)'");
  expect_trained({"NOTE", "(3, 2)", "(6,)"}, "--model.input_shape='(6,)'");
}

TEST_F(Tables, WeightsAndIdsAreColumnsToo) {
  write("t.csv", "id,x,w,y\n7,1,1,2\n8,2,0,9\n9,3,1,6\n");
  write("u.csv", "id,x,w,y\n7,1,1,2\n8,2,0,-50\n9,3,1,6\n");
  configure("inputs = t.csv\ncolumns = id: id, w: weight, y: target", "Dense(1)", "mse", "batch_size = 3\n");
  expect_trained({"inputs (1): x", "targets: y"});
  const std::string weighted = digest("run.h5");
  expect_trained({}, "--data.inputs=u.csv");
  EXPECT_EQ(digest("run.h5"), weighted);  // what weighs 0 does not count
}

TEST_F(Tables, MissingValuesAreFilledInTheSameWayEverywhere) {
  fs::copy_file(kTables / "missing.csv", folder_ / "t.csv");
  configure(
      "inputs = t.csv\ntarget_columns = price\ncolumns = town: categorical, day: date, sold: ignore\nscale = "
      "1/1000",
      "Dense(1)", "mae");
  expect_refused({"t.csv", "line 5", "column \"rooms\"", "data.missing"});
  expect_trained({"missing values filled with", "(mean)", "(most_frequent)"}, "--data.missing=mean");
  EXPECT_NE(results("--data.inputs=t.csv"), "none");
  EXPECT_NE(predictions("t.csv"), "");
}

TEST_F(Tables, DialectsAndStrangers) {
  fs::copy_file(kTables / "german.csv", folder_ / "t.csv");
  configure(
      "inputs = t.csv\ntarget_columns = price\ncolumns = town: categorical, day: date, sold: ignore\nscale = "
      "1/1000",
      "Dense(1)", "mae");
  expect_trained({"decimal comma", "inputs (6)"});
  const std::string loss = results("--data.inputs=t.csv");
  EXPECT_EQ(results("--data.inputs=" + (kTables / "plain.csv").string()), loss);
  EXPECT_EQ(results("--data.encoding=latin-1 --data.inputs=" + (kTables / "latin1.csv").string()), loss);
  fs::remove(folder_ / "run.h5");
  expect_refused({"latin1.csv", "column \"town\"", "data.encoding = latin-1"},
                 "--data.inputs=" + (kTables / "latin1.csv").string());
  write("page.csv", "<!DOCTYPE html>\n<html></html>\n");
  expect_refused({"page.csv", "HTML page"}, "--data.inputs=page.csv");
}

}  // namespace
}  // namespace nntrain::cli_test

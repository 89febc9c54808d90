// plot, and the picture that a run keeps fresh.

#include <algorithm>

#include "cli_test.h"

namespace nntrain::cli_test {
namespace {

constexpr const char* kRun = R"([data]
inputs = iris.csv
target_columns = species
rows = 30:
validation_rows = :30
[model]
layer = Dense(8, activation="tanh")
layer = Dense(3, activation="softmax")
[compile]
loss = sparse_categorical_crossentropy
optimizer = SGD(learning_rate=0.1)
metrics = accuracy
[fit]
epochs = 4
callback = ReduceLROnPlateau(patience=1)
[checkpoint]
path = run.h5
)";

class PlotTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    write("run.ini", kRun);
    fs::copy_file(fs::path(NNTRAIN_SOURCE_DIR) / "configs/data/iris.csv", folder_ / "iris.csv");
  }
  void train(const std::string& options = "") {
    const Outcome outcome = run(0, "train run.ini --fit.verbose=0 " + options);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
  }
  /// Refused, and `word` is in the message; nothing is left behind.
  void expect_refused(const std::string& arguments, const std::string& word,
                      const std::string& environment = "") {
    const auto files = [&] {
      return std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
    };
    const auto before = files();
    const Outcome outcome = run(0, "plot " + arguments, environment);
    EXPECT_EQ(outcome.code, 2) << outcome.output;
    EXPECT_NE(outcome.output.find(word), std::string::npos) << outcome.output;
    EXPECT_EQ(files(), before) << arguments;
  }
};

TEST_F(PlotTest, DrawsEveryFormat) {
  train();
  const std::pair<const char*, const char*> formats[] = {
      {"a.png", "\x89PNG"}, {"a.svg", "<?xml"}, {"a.pdf", "%PDF"}, {"a.txt", "nntrain-dist plot"}};
  for (const auto& [name, start] : formats) {
    for (int round = 0; round < 2; ++round) {  // its own picture may be replaced
      const Outcome outcome = run(0, std::string("plot run.h5 --log --smooth=2 --output=") + name);
      ASSERT_EQ(outcome.code, 0) << outcome.output;
    }
    EXPECT_TRUE(read(name).starts_with(start)) << name;
    EXPECT_GT(read(name).size(), 500U);
  }
  const std::string svg = read("a.svg");
  for (const char* word :
       {"Learning curves of run", "loss", "accuracy", "learning rate", "lowest val_loss", "epoch"})
    EXPECT_NE(svg.find(word), std::string::npos) << word;
}

TEST_F(PlotTest, SeveralRunsAreToldApartByTheirSettings) {
  train();
  train("--checkpoint.path=b.h5 '--compile.optimizer=SGD(learning_rate=0.01)' --run.seed=3");
  const Outcome outcome = run(2, "plot run.h5 b.h5 --metric=loss --output=both.svg");
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const std::string svg = read("both.svg");
  EXPECT_NE(svg.find("learning_rate = 0.1, seed = default"), std::string::npos);
  EXPECT_NE(svg.find("learning_rate = 0.01, seed = 3"), std::string::npos);
  EXPECT_EQ(svg.find("accuracy"), std::string::npos);
}

TEST_F(PlotTest, DrawsInTheTerminalsWidth) {
  train();
  const Outcome outcome = run(0, "plot run.h5 --output=-", "COLUMNS=60");
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  std::istringstream lines(outcome.output);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 60U) << line;
  EXPECT_NE(outcome.output.find("validation"), std::string::npos);
  EXPECT_EQ(outcome.output.find('\f'), std::string::npos) << "a page feed is no picture";
}

TEST_F(PlotTest, OneEpochAndStrangeNamesAreDrawn) {
  train("--fit.epochs=1 '--checkpoint.path=it'\\''s <a> & $HOME `b`.h5'");
  const Outcome outcome = run(0, "plot 'it'\\''s <a> & $HOME `b`.h5' --output=one.svg");
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_NE(read("one.svg").find("s &lt;a> &amp; $HOME `b`"), std::string::npos)
      << read("one.svg").substr(0, 3000);
}

TEST_F(PlotTest, BadInputIsRefusedAndNothingIsOverwritten) {
  train();
  fs::copy_file(folder_ / "run.h5", folder_ / "run.png");
  const std::string checkpoint = read("run.h5"), data = read("iris.csv");
  expect_refused("run.h5", "--output=FILE");
  expect_refused("run.h5 --output=curves.gif", ".svg");
  expect_refused("run.h5 --output=run.h5", ".svg");
  expect_refused("run.h5 --output=run.png", "was not written by nntrain-dist");
  expect_refused("run.png --output=run.png", "input");
  expect_refused("nothing.h5 --output=a.png", "nothing.h5");
  expect_refused("iris.csv --output=a.png", "iris.csv");
  expect_refused("run.h5 --metric=acuracy --output=a.png", "did you mean");
  expect_refused("run.h5 --smooth=0 --output=a.png", "--smooth=0");
  expect_refused("run.h5 --smooth=x --output=a.png", "--smooth=x");
  expect_refused("run.h5 --output=a.png", "gnuplot-nox", "OMPI_MCA_plm=isolated PATH=/nowhere");
  EXPECT_EQ(read("run.h5"), checkpoint);
  EXPECT_EQ(read("iris.csv"), data);
}

TEST_F(PlotTest, ARunKeepsItsPicture) {
  const Outcome outcome = run(2, "train run.ini --run.plot=pictures/run.svg");
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_EQ(outcome.output.find("NOTE: run.plot"), std::string::npos) << outcome.output;
  EXPECT_NE(read("pictures/run.svg").find("Learning curves of run"), std::string::npos);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "pictures"), fs::directory_iterator()), 1);
  const std::string with = digest("run.h5");
  train("--checkpoint.path=plain.h5");
  EXPECT_EQ(digest("plain.h5"), with);
}

TEST_F(PlotTest, AFailingPictureIsOneNoteAndNoFailure) {
  const Outcome missing = run(0, "train run.ini --run.plot=run.svg", "OMPI_MCA_plm=isolated PATH=/nowhere");
  EXPECT_EQ(missing.code, 0) << missing.output;
  const std::string note = "NOTE: run.plot";
  const std::size_t first = missing.output.find(note);
  ASSERT_NE(first, std::string::npos) << missing.output;
  EXPECT_EQ(missing.output.find(note, first + 1), std::string::npos);
  const Outcome guarded = run(0, "train run.ini --checkpoint.resume=never --run.plot=run.h5");
  EXPECT_EQ(guarded.code, 2) << guarded.output;
  write("notes.txt", "milk");
  const Outcome other = run(2, "train run.ini --checkpoint.path=c.h5 --run.plot=notes.txt");
  EXPECT_EQ(other.code, 2) << other.output;
  EXPECT_EQ(other.output.find("Epoch 1"), std::string::npos) << other.output;
  EXPECT_EQ(read("notes.txt"), "milk");
}

}  // namespace
}  // namespace nntrain::cli_test

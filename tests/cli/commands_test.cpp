// The table of commands as a user meets it: each takes its own options and keys and shows its own help.

#include <regex>
#include <set>

#include "cli_test.h"

namespace nntrain::cli_test {

namespace {

class CommandsTest : public CliTest {
 protected:
  /// The names in the list that --help prints.
  std::set<std::string> commands() const {
    const std::string help = run(0, "--help").output;
    std::set<std::string> names;
    const std::regex line("\n  nntrain-dist ([a-z]+)");
    for (std::sregex_iterator at(help.begin(), help.end(), line), end; at != end; ++at)
      names.insert((*at)[1].str());
    names.erase("help");
    return names;
  }
};

/// Ends with 2, one line, and the words that help.
void expect_refused(const Outcome& outcome, const std::string& words) {
  EXPECT_EQ(outcome.code, 2) << outcome.output;
  EXPECT_NE(outcome.output.find(words), std::string::npos) << outcome.output << "\nlacks: " << words;
  EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1) << outcome.output;
}

}  // namespace

TEST_F(CommandsTest, EveryCommandShowsItsOwnHelp) {
  const std::set<std::string> names = commands();
  ASSERT_TRUE(names.count("train") && names.count("inspect")) << run(0, "--help").output;
  for (const std::string& name : names) {
    const Outcome by_option = run(0, name + " --help");
    EXPECT_EQ(by_option.code, 0);
    EXPECT_EQ(by_option.output.find("nntrain-dist " + name), 0U) << by_option.output;
    EXPECT_EQ(run(0, "help " + name).output, by_option.output);
  }
  EXPECT_NE(run(0, "train --help").output.find("--fit.epochs "), std::string::npos);
  EXPECT_EQ(run(0, "evaluate --help").output.find("--fit.epochs "), std::string::npos);
  EXPECT_EQ(run(0, "inspect --help").output.find("--data."), std::string::npos);
  EXPECT_NE(run(0, "predict --help").output.find("--output=FILE"), std::string::npos);
}

TEST_F(CommandsTest, ReadmeListsTheCommandsOfTheProgram) {
  std::ifstream file(std::string(NNTRAIN_SOURCE_DIR) + "/README.md");
  std::ostringstream text;
  text << file.rdbuf();
  const std::string readme = text.str();
  std::set<std::string> listed;
  const std::regex row("\n\\| `nntrain-dist ([a-z]+)");
  for (std::sregex_iterator at(readme.begin(), readme.end(), row), end; at != end; ++at)
    listed.insert((*at)[1].str());
  EXPECT_EQ(listed, commands());
}

TEST_F(CommandsTest, OptionsOfOtherCommandsAreRefused) {
  write("run.ini", "[fit]\nepochs = 1\n");
  // Refused before any file is looked at.
  expect_refused(run(0, "train run.ini --output=x.h5"), "train takes no --output, which is for ");
  expect_refused(run(0, "train run.ini --output="), "train takes no --output");
  expect_refused(run(0, "evaluate none.h5 --fit.epochs=3"), "evaluate takes no --fit.epochs");
  expect_refused(run(0, "evaluate none.h5 --data.validation_rows=:3"),
                 "evaluate takes no --data.validation_rows");
  expect_refused(run(0, "predict none.h5 --data.targets=y.npy --output=o.csv"),
                 "predict takes no --data.targets");
  expect_refused(run(0, "inspect none.h5 --run.seed=1"), "inspect takes no --run.seed");
  expect_refused(run(0, "inspect none.h5 --run.seed="), "inspect takes no --run.seed");
  expect_refused(run(0, "vocabulary --fit.epochs=1"), "vocabulary takes no --fit.epochs");
  const Outcome two_ranks = run(2, "inspect none.h5 --run.seed=1");
  EXPECT_EQ(two_ranks.code, 2);
  EXPECT_NE(two_ranks.output.find("inspect takes no --run.seed"), std::string::npos) << two_ranks.output;
}

TEST_F(CommandsTest, MistypedWordsOfferTheNearest) {
  write("run.ini", "[fit]\nepochs = 1\n");
  expect_refused(run(0, "evaulate run.h5"), "unknown command \"evaulate\"; did you mean \"evaluate\"?");
  expect_refused(run(0, "help evaulate"), "did you mean \"evaluate\"?");
  expect_refused(run(0, "predict run.h5 --outptu=a.csv"),
                 "unknown option \"--outptu\"; did you mean \"--output\"?");
  expect_refused(run(0, "predict run.h5 --output"), "--output");
  expect_refused(run(0, "predict run.h5 --output="), "write --output=FILE");
  expect_refused(run(0, "predict run.h5 --output=a.csv --output=b.csv"), "--output is given twice");
  expect_refused(run(0, "train run.ini --fit.epoch=3"),
                 "unknown key \"fit.epoch\"; did you mean \"fit.epochs\"");
  expect_refused(run(0, "train run.ini --fit.epoch="),
                 "unknown key \"fit.epoch\"; did you mean \"fit.epochs\"");
  expect_refused(run(0, "train run.ini -q"), "unknown option \"-q\"");
  expect_refused(run(0, "train run.ini more.ini"), "\"more.ini\" is one word too many");
  expect_refused(run(0, "vocabulary more"), "\"more\" is one word too many after \"vocabulary\"");
  expect_refused(run(0, "inspect"), "no file given; use: nntrain-dist inspect CHECKPOINT");
  expect_refused(run(0, "--fit.epochs=3"), "no file given; use: nntrain-dist train CONFIG");
}

/// Options before, between and after the words, with and without "=".
TEST_F(CommandsTest, OptionsMayStandAnywhere) {
  write("run.ini", "[model]\ninput_shape = 3\nlayer = Dense(2)\n[compile]\nloss = mse\n");
  const Outcome plain = run(0, "summary run.ini --model.name=tiny");
  ASSERT_EQ(plain.code, 0) << plain.output;
  EXPECT_NE(plain.output.find("\"tiny\""), std::string::npos) << plain.output;
  EXPECT_EQ(run(0, "--model.name=tiny summary run.ini").output, plain.output);
  EXPECT_EQ(run(0, "--model.name tiny summary run.ini").output, plain.output);
  EXPECT_EQ(run(0, "summary --model.name tiny run.ini").output, plain.output);
}

}  // namespace nntrain::cli_test

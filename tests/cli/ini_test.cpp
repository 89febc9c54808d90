// Configurations as people write them: byte order marks, line ends, `#` in values, names without a suffix.

#include "cli_test.h"

namespace nntrain::cli_test {

namespace {

class IniTest : public CliTest {
 protected:
  static constexpr const char* kModel = "[model]\ninput_shape = 3\nlayer = Dense(2)\n";
  /// The model's name, as summary prints it.
  std::string name_of(const std::string& text) const {
    write("name.ini", text);
    const Outcome outcome = run(0, "summary name.ini");
    const std::size_t at = outcome.output.find("Model: \"");
    if (outcome.code != 0 || at != 0) return outcome.output;
    return outcome.output.substr(8, outcome.output.find("\"\n") - 8);
  }
  std::string data() const {
    std::string rows = "x,y\n";
    for (int i = 0; i < 8; ++i) rows += std::to_string(i) + "," + std::to_string(2 * i) + "\n";
    return rows;
  }
  static constexpr const char* kRun =
      "[model]\nlayer = Dense(1)\n[compile]\nloss = mse\n[data]\ninputs = data.csv\ntarget_columns = y\n";
};

}  // namespace

TEST_F(IniTest, HashBeginsACommentAtALineStartOrAfterWhiteSpaceOnly) {
  const std::string start = std::string("# comment\n  # another\n") + kModel + "name = ";
  EXPECT_EQ(name_of(start + "run#1\n"), "run#1");
  EXPECT_EQ(name_of(start + "run # 1\n"), "run");
  EXPECT_EQ(name_of(start + "run\t#1\n"), "run");
  EXPECT_EQ(name_of(start + "#run\n"), "sequential");
  EXPECT_EQ(name_of(start + "\"a #b\" # c\n"), "a #b");
  EXPECT_EQ(name_of(start + "a#b#c #d#e\n"), "a#b#c");
  write("name.ini", std::string(kModel) + "name = a\nfoo#bar = 1\n");
  const Outcome unknown = run(0, "summary name.ini");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_EQ(unknown.output.find("nntrain-dist: name.ini:5: unknown key \"model.foo#bar\""), 0U)
      << unknown.output;
}

TEST_F(IniTest, ByteOrderMarkAndLineEnds) {
  const std::string text = std::string(kModel) + "name = here # comment\n";
  const auto with_ends = [&](const std::string& end) {
    std::string result;
    for (const char c : text) result += c == '\n' ? end : std::string(1, c);
    return result;
  };
  EXPECT_EQ(name_of("\xEF\xBB\xBF" + text), "here");
  EXPECT_EQ(name_of("\xEF\xBB\xBF" + with_ends("\r\n")), "here");
  EXPECT_EQ(name_of(with_ends("\r")), "here");
  EXPECT_NE(name_of("\xFF\xFE[\x00m\x00").find("UTF-16"), std::string::npos);
}

/// The file it says, and again after reading the configuration back from the checkpoint.
TEST_F(IniTest, HashInAFileNameIsKept) {
  write("data.csv", data());
  write("run.ini", std::string(kRun) + "[checkpoint]\npath = run#1.h5\n[run]\nlog = \"a #b.log\"\n");
  ASSERT_EQ(run(0, "run.ini").code, 0);
  EXPECT_TRUE(fs::exists(folder_ / "run#1.h5"));
  EXPECT_TRUE(fs::exists(folder_ / "a #b.log"));
  EXPECT_NE(run(0, "inspect 'run#1.h5'").output.find("path = run#1.h5\n"), std::string::npos);
  write("data #2.csv", data());
  ASSERT_EQ(run(0,
                "run.ini --checkpoint.path='run #2.h5' --data.test_inputs='data #2.csv' "
                "--data.test_targets='data #2.csv'")
                .code,
            0);
  const Outcome evaluated = run(0, "evaluate 'run #2.h5'");
  EXPECT_EQ(evaluated.code, 0) << evaluated.output;
}

TEST_F(IniTest, NamesThatAreNearAreOffered) {
  write("data.csv", data());
  write("run.ini", kRun);
  for (const std::string command : {"train run", "run", "summary run", "run.cfg", "ran.ini"}) {
    const Outcome outcome = run(0, command);
    EXPECT_EQ(outcome.code, 2) << outcome.output;
    EXPECT_NE(outcome.output.find("did you mean \"run.ini\"?"), std::string::npos) << outcome.output;
  }
  const Outcome model = run(0, "run.ini");
  ASSERT_EQ(model.code, 0) << model.output;
  const Outcome checkpoint = run(2, "train run.h5");
  EXPECT_EQ(checkpoint.code, 2);
  EXPECT_NE(checkpoint.output.find("\"run.h5\" is no INI file but a model"), std::string::npos)
      << checkpoint.output;
  const Outcome unknown = run(0, "foo run.ini");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.output.find("unknown command \"foo\""), std::string::npos) << unknown.output;
  write("trial", kRun);  // a file is a file, however near its name is to a command's
  EXPECT_EQ(run(0, "trial").code, 0);
  EXPECT_TRUE(fs::exists(folder_ / "trial.h5"));
}

}  // namespace nntrain::cli_test

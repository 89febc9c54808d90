// What a terminal shows: the program runs on a pseudo-terminal, whose screen is worked out from its bytes.

#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "cli_test.h"

namespace nntrain::cli_test {

namespace {

/// Lines of a screen of `columns` columns after `bytes`, which hold text, \r and \n only.
std::vector<std::string> screen_of(const std::string& bytes, std::size_t columns) {
  std::vector<std::u32string> rows(1);
  std::size_t x = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if ((static_cast<unsigned char>(c) & 0xC0U) == 0x80U) continue;  // the rest of a character
    if (c == '\r') {
      x = 0;
    } else if (c == '\n') {
      rows.emplace_back();
    } else {
      if (x == columns) {
        rows.emplace_back();
        x = 0;
      }
      std::u32string& row = rows.back();
      if (row.size() <= x) row.resize(x + 1, U' ');
      row[x++] = static_cast<unsigned char>(c);
    }
  }
  std::vector<std::string> lines;
  for (std::u32string& row : rows) {
    row.erase(row.find_last_not_of(U' ') + 1);
    std::string line;
    for (const char32_t c : row) line += c < 0x80 ? static_cast<char>(c) : '?';
    lines.push_back(line);
  }
  return lines;
}

class TerminalTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    std::string rows = "x0,x1,y\n";
    for (int i = 0; i < 64; ++i)
      rows += std::to_string(i) + "," + std::to_string(i % 7) + "," + std::to_string(i % 5) + "\n";
    write("data.csv", rows);
    write("run.ini",
          "[data]\ninputs = data.csv\ntarget_columns = y\nscale = 1/64\n[model]\nlayer = Dense(2)\nlayer = "
          "Dense(1)\n"
          "[compile]\nloss = mse\nmetrics = mae, "
          "RootMeanSquaredError(name=\"a_result_with_a_rather_long_name\")\n"
          "[fit]\nepochs = 3\nbatch_size = 4\n");
  }

  /// stdout and stderr of the program on a terminal of `columns` columns.
  std::string on_terminal(int columns, const std::vector<std::string>& command,
                          const std::string& locale) const {
    int terminal = -1;
    winsize size{};
    size.ws_row = 24;
    size.ws_col = static_cast<unsigned short>(columns);
    const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
    if (child == 0) {
      if (chdir(folder_.c_str()) != 0) _exit(126);
      unsetenv("COLUMNS");
      unsetenv("LC_CTYPE");
      setenv("LC_ALL", locale.c_str(), 1);
      setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
      setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
      std::vector<char*> arguments;
      for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
      arguments.push_back(nullptr);
      execvp(arguments[0], arguments.data());
      _exit(127);
    }
    std::string bytes;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(terminal, buffer.data(), buffer.size())) > 0;)
      bytes.append(buffer.data(), static_cast<std::size_t>(got));
    close(terminal);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << bytes;
    return bytes;
  }

  /// The bars drawn, one after the other.
  static std::vector<std::string> bars(const std::string& bytes) {
    std::vector<std::string> found;
    for (std::size_t at = 0; (at = bytes.find('\r', at)) != std::string::npos; ++at) {
      const std::string line = bytes.substr(at + 1, bytes.find_first_of("\r\n", at + 1) - at - 1);
      if (line.find(" left") != std::string::npos) found.push_back(line);
    }
    return found;
  }
};

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

/// The screen after a run is the log's lines and nothing else: no bar, no blank line left behind.
TEST_F(TerminalTest, BarIsRedrawnInPlaceAtEveryWidth) {
  const std::vector<std::pair<int, std::string>> terminals = {
      {60, "C.UTF-8"}, {60, "C"}, {80, "C.UTF-8"}, {24, "C"}};
  for (const auto& [columns, locale] : terminals) {
    fs::remove(folder_ / "run.h5");
    fs::remove(folder_ / "run.log");
    const std::string bytes = on_terminal(columns, {NNTRAIN_PROGRAM, "run.ini", "--run.log=run.log"}, locale);
    const std::vector<std::string> drawn = bars(bytes);
    ASSERT_FALSE(drawn.empty()) << bytes;
    for (const std::string& bar : drawn) {
      EXPECT_LT(characters(bar), static_cast<std::size_t>(columns)) << bar;
      EXPECT_EQ(characters(bar) == bar.size(), locale == "C") << bar;
    }
    std::string log = read("run.log");
    log.erase(0, log.find("\nnntrain-dist ") + 1);  // the lines for the file alone
    log.erase(log.rfind('\n', log.size() - 2) + 1);
    std::string expected;
    for (const char c : log) expected += c == '\n' ? "\r\n" : std::string(1, c);
    EXPECT_EQ(screen_of(bytes, static_cast<std::size_t>(columns)),
              screen_of(expected, static_cast<std::size_t>(columns)));
  }
}

TEST_F(TerminalTest, BarUnderMpirunKnowsTheTerminal) {
  const std::string bytes = on_terminal(
      60, {"mpirun", "--oversubscribe", "--bind-to", "none", "-np", "2", NNTRAIN_PROGRAM, "run.ini"}, "C");
  const std::vector<std::string> drawn = bars(bytes);
  ASSERT_FALSE(drawn.empty()) << bytes;
  for (const std::string& bar : drawn) EXPECT_LT(characters(bar), 60U) << bar;
}

/// In a file there are lines, however much is asked for.
TEST_F(TerminalTest, AFileGetsLines) {
  const Outcome outcome = run(0, "run.ini --fit.verbose=1");
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_EQ(outcome.output.find('\r'), std::string::npos);
  EXPECT_NE(outcome.output.find("\nEpoch 3/3\n16/16 - "), std::string::npos) << outcome.output;
}

TEST_F(TerminalTest, LogFileHasEverythingWhateverTheScreenShows) {
  for (const std::string verbose : {"0", "1"}) {
    const Outcome outcome = run(2, "train run.ini --run.log=run.log --fit.verbose=" + verbose);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    EXPECT_EQ(outcome.output.empty(), verbose == "0") << outcome.output;
    const std::string log = read("run.log");
    for (const std::string& piece :
         {std::string("nntrain-dist "), std::string(" on "),
          std::string("\ncommand: nntrain-dist train run.ini "),
          std::string("\nfolder: " + fs::canonical(folder_).string()), std::string("\n2 ranks on "),
          std::string("\n  data.inputs = data.csv "), std::string("\nModel: "), std::string("\nEpoch 1/3\n"),
          std::string("\nEpoch 3/3\n"), std::string("\nPerformance: ")})
      EXPECT_NE(log.find(piece), std::string::npos) << piece << "\n" << log;
    const std::string last = log.substr(log.rfind('\n', log.size() - 2) + 1);
    EXPECT_NE(
        last.find("done (exit code 0); the result is in " + (fs::canonical(folder_) / "run.h5").string()),
        std::string::npos)
        << last;
    fs::remove(folder_ / "run.h5");
    fs::remove(folder_ / "run.log");
  }
}

TEST_F(TerminalTest, LogFileTellsOfErrorsAndIsNeverAnotherFile) {
  EXPECT_EQ(run(2, "run.ini --run.log=run.log --data.target_columns=z").code, 2);
  EXPECT_NE(read("run.log").find("\nERROR (exit code 2): "), std::string::npos) << read("run.log");
  for (const std::string file : {"data.csv", "run.ini"}) {
    const std::string before = read(file);
    const Outcome outcome = run(2, "run.ini --run.log=" + file);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_NE(outcome.output.find("run.log = \"" + file + "\" would be written over"), std::string::npos)
        << outcome.output;
    EXPECT_EQ(read(file), before);
  }
  EXPECT_EQ(run(0, "run.ini --run.log=none/run.log").code, 2);
}

TEST_F(TerminalTest, AFullDiskForTheLogIsANote) {
  const Outcome outcome = run(2, "run.ini --run.log=/dev/full --fit.verbose=0");
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_EQ(outcome.output.find("NOTE: run.log: cannot write to \"/dev/full\": No space left on device"), 0U)
      << outcome.output;
  EXPECT_TRUE(fs::exists(folder_ / "run.h5"));
}

/// Start-up, every activity, waiting and the rest are all of the wall time.
TEST_F(TerminalTest, TheClosingTableAddsUp) {
  for (const int ranks : {1, 2, 3}) {
    const Outcome outcome = run(ranks, "train run.ini --checkpoint.resume=never --fit.verbose=2");
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    std::istringstream lines(outcome.output.substr(outcome.output.find("\nActivity") + 1));
    std::string line;
    std::getline(lines, line);
    double share = 0, seconds = 0, wall = -1;
    while (wall < 0 && std::getline(lines, line)) {
      std::istringstream fields(line);
      std::string name;
      double least = 0, mean = 0, most = 0, percent = 0;
      fields >> name >> least;
      if (name == "wall") {
        wall = least;
        break;
      }
      ASSERT_TRUE(fields >> mean >> most >> percent) << line;
      EXPECT_LE(least, mean + 1e-9) << line;
      EXPECT_LE(mean, most + 1e-9) << line;
      share += percent;
      seconds += mean;
    }
    ASSERT_GT(wall, 0) << outcome.output;
    EXPECT_NEAR(share, 100, 1) << outcome.output;  // each of a dozen rows is rounded to 0.1
    EXPECT_NEAR(seconds, wall, 0.02) << outcome.output;
  }
}

}  // namespace nntrain::cli_test

// The pages that are read with the fingers on the keyboard: every command of theirs runs, in their order, and
// prints what they show. ```console blocks have the commands ("$ ") and below each what it prints; a block
// with a file's name after its language (```ini flats.ini) is that file.

#include <algorithm>
#include <vector>

#include "cli_test.h"

namespace nntrain::cli_test {
namespace {

struct Command {
  std::size_t line = 0;
  std::string text;
  int code = 0;
  std::vector<std::string> shown;
};

std::string trimmed(std::string text) {
  text.erase(text.find_last_not_of(" \t\r") + 1);
  return text;
}

/// "..." in a shown line stands for anything.
bool matches(const std::string& shown, const std::string& printed) {
  std::size_t at = 0;
  std::size_t begin = 0;
  for (bool first = true;; first = false) {
    const std::size_t dots = shown.find("...", begin);
    const std::string part = shown.substr(begin, dots == std::string::npos ? dots : dots - begin);
    const std::size_t found = printed.find(part, at);
    if (found == std::string::npos || (first && found != 0)) return false;
    if (dots == std::string::npos)
      return first ? printed == part : part.size() <= printed.size() - at && printed.ends_with(part);
    at = found + part.size();
    begin = dots + 3;
  }
}

/// The first shown line that does not come in its turn among the printed ones; empty: all do.
std::string missing_line(const std::vector<std::string>& shown, const std::string& output) {
  std::istringstream lines(output);
  std::string printed;
  for (const std::string& line : shown) {
    bool found = false;
    while (!found && std::getline(lines, printed)) found = matches(line, trimmed(printed));
    if (!found) return line;
  }
  return "";
}

int expected_code(const std::string& command) {
  const std::string mark = "# exit code ";
  const std::size_t at = command.rfind(mark);
  return at == std::string::npos ? 0 : std::stoi(command.substr(at + mark.size()));
}

class Pages : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    fs::copy(fs::path(NNTRAIN_SOURCE_DIR) / "configs", folder_ / "configs", fs::copy_options::recursive);
  }

  void run_command(const std::string& page, const Command& command) const {
    const std::string bin = fs::path(NNTRAIN_PROGRAM).parent_path().string();
    const Outcome outcome = run_shell("cd " + folder_.string() + " && export PATH=" + bin +
                                      ":$PATH COLUMNS=80 && {\n" + command.text + "\n}");
    const std::string where = page + ":" + std::to_string(command.line) + ": " + command.text;
    EXPECT_EQ(outcome.code, command.code) << where << "\n" << outcome.output;
    EXPECT_EQ(missing_line(command.shown, outcome.output), "") << where << "\nprinted\n" << outcome.output;
  }

  /// Runs what the page says as it goes along and returns the number of commands.
  std::size_t follow(const std::string& page) {
    std::ifstream file(fs::path(NNTRAIN_SOURCE_DIR) / page);
    std::vector<Command> commands;
    std::string line, block, name, text;
    std::size_t count = 0;
    for (std::size_t number = 1; std::getline(file, line); ++number) {
      if (line.starts_with("```")) {
        if (block.empty()) {
          block = line.size() > 3 ? line.substr(3) : "plain";
          const std::size_t blank = block.find(' ');
          name = blank == std::string::npos ? "" : block.substr(blank + 1);
        } else {
          if (!name.empty()) write(name, text);
          for (const Command& command : commands) run_command(page, command);
          count += commands.size();
          commands.clear();
          block = name = text = "";
        }
      } else if (block == "console" && line.starts_with("$ ")) {
        commands.push_back({number, line.substr(2), expected_code(line), {}});
      } else if (block == "console" && trimmed(line) != "..." && !trimmed(line).empty()) {
        if (commands.empty()) {
          ADD_FAILURE() << page << ":" << number << ": output without a command";
        } else {
          commands.back().shown.push_back(trimmed(line));
        }
      } else if (!block.empty()) {
        text += line + "\n";
      }
    }
    EXPECT_EQ(block, "") << page << ": a block without an end";
    return count;
  }
};

TEST_F(Pages, FirstTableRunsAsWritten) { EXPECT_GE(follow("docs/first_table.md"), 8U); }

TEST_F(Pages, CourseRunsAsWritten) { EXPECT_GE(follow("docs/course.md"), 25U); }

TEST_F(Pages, TheTerminalsPageRunsAsWritten) { EXPECT_GE(follow("docs/terminal.md"), 8U); }

TEST_F(Pages, SeeingARunRunsAsWritten) { EXPECT_GE(follow("docs/seeing.md"), 10U); }

TEST_F(Pages, ReadmeShowsWhatIsPrinted) { EXPECT_GE(follow("README.md"), 2U); }

TEST_F(Pages, ShownLinesAreComparedInOrder) {
  EXPECT_EQ(missing_line({"a", "c"}, "a\nb\nc\n"), "");
  EXPECT_EQ(missing_line({"c", "a"}, "a\nb\nc\n"), "a");
  EXPECT_EQ(missing_line({"4 rows - ... - loss: 0.5"}, "4 rows - 0s - loss: 0.5\n"), "");
  EXPECT_EQ(missing_line({"4 rows - ... - loss: 0.5"}, "4 rows - 0s - loss: 0.51\n"),
            "4 rows - ... - loss: 0.5");
  EXPECT_EQ(missing_line({"loss: 0.5"}, "val_loss: 0.5\n"), "loss: 0.5");
  EXPECT_EQ(missing_line({"... a"}, "b\n"), "... a");
}

}  // namespace
}  // namespace nntrain::cli_test

#pragma once
// Runs the real program, under real mpirun where ranks > 0, and looks at what it prints, writes and returns.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace nntrain::cli_test {

namespace fs = std::filesystem;

struct Outcome {
  int code = -1;
  std::string output;  ///< stdout and stderr
};

inline Outcome run_shell(const std::string& command) {
  Outcome outcome;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return outcome;
  std::array<char, 4096> buffer{};
  while (const std::size_t got = fread(buffer.data(), 1, buffer.size(), pipe))
    outcome.output.append(buffer.data(), got);
  const int status = pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

/// A folder of its own for each test, gone afterwards.
class CliTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / (std::string("nntrain_") + info->test_suite_name() + "_" +
                                           info->name() + "_" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// `ranks` 0: without mpirun. Runs in the test's folder.
  Outcome run(int ranks, const std::string& arguments, const std::string& environment = "") const {
    std::string command = "cd " + folder_.string() + " && " + environment + " ";
    if (ranks > 0) {
      command +=
          "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "
          "OMPI_MCA_pml=ob1 OMPI_MCA_btl_vader_single_copy_mechanism=none "
          "OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_plm=isolated mpirun --bind-to none -np " +
          std::to_string(ranks) + " ";
    }
    return run_shell(command + NNTRAIN_PROGRAM + " " + arguments);
  }

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(folder_ / name, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  /// The digest that `inspect` prints.
  std::string digest(const std::string& checkpoint) const {
    const Outcome outcome = run(0, "inspect " + checkpoint);
    const std::size_t at = outcome.output.find("weights_digest: ");
    return at == std::string::npos ? "none: " + outcome.output : outcome.output.substr(at + 16, 64);
  }

  /// The history that `inspect` prints, without the seconds.
  std::string history(const std::string& checkpoint) const {
    const Outcome outcome = run(0, "inspect " + checkpoint);
    std::istringstream lines(outcome.output.substr(outcome.output.find("history:")));
    std::string line, text;
    while (std::getline(lines, line)) text += line.substr(0, line.size() > 16 ? line.size() - 16 : 0) + "\n";
    return text;
  }

  fs::path folder_;
};

}  // namespace nntrain::cli_test

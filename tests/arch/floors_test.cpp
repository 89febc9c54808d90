// The real tree keeps the rules, and the check can tell when it does not.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "source_tree.h"

namespace nntrain::arch {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = NNTRAIN_SOURCE_DIR;
constexpr std::ptrdiff_t kMaxLines = 400;

/// Complaints about every include below `root`, one line each.
std::string complaints_below(const fs::path& root) {
  std::string all;
  for (const fs::path& file : sources_below(root)) {
    const std::string floor = floor_of_path(fs::relative(file, root));
    for (const Include& include : includes_of(read_text(file)))
      if (const std::string what = complaint(floor, include.target); !what.empty())
        all += file.string() + ":" + std::to_string(include.line) + ": \"" + include.target + "\": " + what +
               "\n";
  }
  return all;
}

TEST(Floors, SourcesIncludeOnlyFloorsBelow) { EXPECT_EQ(complaints_below(kRoot / "src"), ""); }

TEST(Floors, RoomsIncludeOnlyRoomsBelow) {
  std::string all;
  for (const fs::path& file : sources_below(kRoot / "src")) {
    const std::string path = fs::relative(file, kRoot / "src").generic_string();
    for (const Include& include : includes_of(read_text(file)))
      if (const std::string what = room_complaint(path, include.target); !what.empty())
        all += path + ":" + std::to_string(include.line) + ": \"" + include.target + "\": " + what + "\n";
  }
  EXPECT_EQ(all, "");
}

TEST(Floors, PublicHeadersIncludeOnlyOneAnother) {
  // An embedding program needs no library's headers but MPI's own.
  int headers = 0;
  for (const fs::path& file : sources_below(kRoot / "include")) {
    ++headers;
    for (const Include& include : includes_of(read_text(file))) {
      const bool of_the_language = include.target.find('.') == std::string::npos;
      EXPECT_TRUE(of_the_language || include.target.starts_with("nntrain/"))
          << file << ":" << include.line << ": " << include.target;
    }
  }
  EXPECT_GE(headers, 8);
  EXPECT_LE(headers, 12);
}

TEST(Floors, HeadersStandAlone) {
  // A source includes its own header before anything else: what that header forgets to include does not
  // compile.
  int first_of_all = 0;
  for (const fs::path& file : sources_below(kRoot / "src")) {
    const std::string path = fs::relative(file, kRoot / "src").generic_string();
    if (file.extension() == ".h") {
      EXPECT_TRUE(read_text(file).starts_with("#pragma once\n")) << path;
    }
    const fs::path header = fs::path(file).replace_extension(".h");
    if (file.extension() != ".cpp" || !fs::exists(header)) continue;
    const auto includes = includes_of(read_text(file));
    const std::string own = fs::path(path).replace_extension(".h").generic_string();
    EXPECT_EQ(includes.empty() ? "" : includes.front().target, own) << path;
    ++first_of_all;
  }
  EXPECT_GT(first_of_all, 100);
}

TEST(Floors, EveryFloorWasSeen) {
  std::vector<std::string> seen;
  for (const fs::path& file : sources_below(kRoot / "src"))
    seen.push_back(floor_of_path(fs::relative(file, kRoot / "src")));
  for (const char* floor :
       {"core", "io", "nn", "optim", "metrics", "data", "comm", "checkpoint", "train", "cli"})
    EXPECT_GT(std::count(seen.begin(), seen.end(), floor), 0) << floor;
}

TEST(Floors, FilesStayShort) {
  for (const char* folder : {"src", "tests"}) {
    for (const fs::path& file : sources_below(kRoot / folder)) {
      const std::string text = read_text(file);
      EXPECT_LE(std::count(text.begin(), text.end(), '\n'), kMaxLines)
          << file << ": find the seam and split it";
    }
  }
}

// The same bits on every machine: see core/elementary.h.
TEST(Floors, ResultsComeFromPlainArithmetic) {
  int files = 0;
  std::string all;
  for (const fs::path& file : sources_below(kRoot / "src")) {
    const std::string path = fs::relative(file, kRoot / "src").generic_string();
    if (!makes_results(path)) continue;
    ++files;
    for (const std::string& what : machine_dependent_arithmetic(read_text(file)))
      all += path + ": " + what + ", whose bits are not the same everywhere; core/elementary.h has another\n";
  }
  EXPECT_EQ(all, "");
  EXPECT_GT(files, 100);
}

// A read that fails throws through them, past every check of the stream: a process of /proc that had just
// gone ended the program. `text << file.rdbuf()` keeps the exception to itself.
TEST(Floors, FilesAreNotReadThroughStreamIterators) {
  std::string all;
  for (const fs::path& file : sources_below(kRoot / "src"))
    if (read_text(file).find("istreambuf_iterator") != std::string::npos) all += file.string() + "\n";
  EXPECT_EQ(all, "");
}

TEST(FloorsCheck, FindsArithmeticOfTheMachine) {
  EXPECT_TRUE(makes_results("nn/losses/loss.cpp"));
  EXPECT_TRUE(makes_results("core/random.cpp"));
  EXPECT_TRUE(makes_results("train/step/updater.cpp"));
  EXPECT_FALSE(makes_results("train/report/plot_layout.cpp"));
  EXPECT_FALSE(makes_results("io/system.cpp"));
  EXPECT_EQ(machine_dependent_arithmetic("y = std::log1p(x) + std::sqrt(std::fma(x, x, std::floor(x)));"),
            std::vector<std::string>{"std::log1p"});
  EXPECT_EQ(machine_dependent_arithmetic("long double area; elementary::log(x); std::logic_error(what);"),
            std::vector<std::string>{"long double"});
}

TEST(FloorsCheck, RefusesRoomsAbove) {
  EXPECT_NE(room_complaint("train/step/replica.h", "train/run/run.h"), "");
  EXPECT_NE(room_complaint("nn/losses/loss.h", "nn/layers/layer.h"), "");
  EXPECT_NE(room_complaint("core/tree.h", "core/products/chain.h"), "");
  EXPECT_NE(room_complaint("train/attic/old.h", "vector"), "");
  EXPECT_EQ(room_complaint("train/loop/fit.cpp", "train/step/replica.h"), "");
  EXPECT_EQ(room_complaint("core/products/chain.h", "core/tree.h"), "");
  EXPECT_EQ(room_complaint("io/hdf5.h", "core/error.h"), "");
}

TEST(FloorsCheck, RefusesBackEdgesAndSiblings) {
  EXPECT_NE(complaint("core", "io/hdf5.h"), "");
  EXPECT_NE(complaint("io", "data/batch.h"), "");
  EXPECT_NE(complaint("nn", "optim/optimizer.h"), "");
  EXPECT_NE(complaint("optim", "nn/variable.h"), "");
  EXPECT_NE(complaint("data", "comm/session.h"), "");
  EXPECT_NE(complaint("comm", "data/batch.h"), "");
  EXPECT_NE(complaint("checkpoint", "comm/topology.h"), "");
  EXPECT_NE(complaint("train", "cli/options.h"), "");
  EXPECT_NE(complaint("attic", "vector"), "");
  EXPECT_NE(complaint("nn", "../optim/loops.h"), "");
}

TEST(FloorsCheck, AllowsFloorsBelowAndItself) {
  EXPECT_EQ(complaint("core", "core/error.h"), "");
  EXPECT_EQ(complaint("comm", "comm/topology.h"), "");
  EXPECT_EQ(complaint("data", "io/hdf5.h"), "");
  EXPECT_EQ(complaint("train", "nn/layer.h"), "");
  EXPECT_EQ(complaint("cli", "train/trainer.h"), "");
  EXPECT_EQ(complaint("nn", "vector"), "");
  EXPECT_EQ(complaint("nn", "fmt/format.h"), "");
}

TEST(FloorsCheck, KeepsLibrariesBehindOneDoor) {
  EXPECT_EQ(complaint("comm", "mpi.h"), "");
  EXPECT_NE(complaint("train", "mpi.h"), "");
  EXPECT_EQ(complaint("io", "hdf5.h"), "");
  EXPECT_NE(complaint("checkpoint", "hdf5.h"), "");
  EXPECT_NE(complaint("data", "H5Cpp.h"), "");
  EXPECT_EQ(complaint("core", "cblas.h"), "");
  EXPECT_EQ(complaint("core", "dnnl.h"), "");
  EXPECT_NE(complaint("nn", "cblas.h"), "");
  EXPECT_NE(complaint("nn", "dnnl.hpp"), "");
  EXPECT_EQ(complaint("cli", "boost/program_options.hpp"), "");
  EXPECT_NE(complaint("train", "boost/program_options.hpp"), "");
}

TEST(FloorsCheck, FindsIncludesHoweverTheyAreWritten) {
  const auto found = includes_of(
      "#pragma once\n#include <vector>\n  #  include \"comm/topology.h\"  // why\n// #include <mpi.h>\n/* a\n"
      "#include <hdf5.h>\n*/ int x;\n#include\"core/error.h\"");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].target, "vector");
  EXPECT_EQ(found[0].line, 2);
  EXPECT_EQ(found[1].target, "comm/topology.h");
  EXPECT_EQ(found[2].target, "core/error.h");
  EXPECT_EQ(found[2].line, 8);
}

}  // namespace
}  // namespace nntrain::arch

// The log's file: everything, whatever the screen shows; never over another file; never the end of a run.

#include "core/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/error.h"
#include "core/terminal.h"

namespace nntrain {

namespace {

namespace fs = std::filesystem;

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("nntrain_log_" + std::to_string(getpid()));
    fs::create_directories(folder_);
    path_ = (folder_ / "run.log").string();
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string content() const {
    std::ifstream file(path_);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  fs::path folder_;
  std::string path_;
};

}  // namespace

TEST_F(LogTest, FileHasAllLinesAndTheScreenThoseThatItShows) {
  Log log(Log::Voice::kSpeaks);
  log.open(path_);
  ::testing::internal::CaptureStdout();
  log.record("nntrain-dist");
  log.info("one");
  {
    const QuietScreen quiet(log, true);
    log.info("two");
    log.note("three");
    {
      const QuietScreen inner(log, false);  // the outer one goes on
      log.info("four");
    }
  }
  const QuietScreen shown(log, false);
  log.info("five");
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "one\nfive\n");
  EXPECT_EQ(content(), "nntrain-dist\none\ntwo\nNOTE: three\nfour\nfive\n");
}

TEST_F(LogTest, SilentLogWritesNothing) {
  Log log(Log::Voice::kSilent);
  ::testing::internal::CaptureStdout();
  log.open(path_);
  log.info("one");
  log.draw("bar");
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(LogTest, ALogIsGoneOnWithAndAnyOtherFileIsRefused) {
  for (const char* round : {"first", "second"}) {
    Log log(Log::Voice::kSpeaks);
    log.open(path_);
    log.record(std::string("nntrain-dist ") + round);
  }
  EXPECT_EQ(content(), "nntrain-dist first\nnntrain-dist second\n");
  for (const char* other : {"a,b\n1,2\n", "[data]\n", "\x89HDF\r\n", "nntrain", "n"}) {
    std::ofstream(path_, std::ios::trunc) << other;
    Log log(Log::Voice::kSpeaks);
    EXPECT_THROW(log.open(path_), InputError) << other;
    EXPECT_EQ(content(), other);
  }
  Log log(Log::Voice::kSpeaks);
  EXPECT_THROW(log.open(folder_.string()), InputError);
  EXPECT_THROW(log.open((folder_ / "none" / "run.log").string()), InputError);
}

TEST_F(LogTest, NoRoomIsOneNote) {
  Log log(Log::Voice::kSpeaks);
  log.open("/dev/full");
  ::testing::internal::CaptureStdout();
  {
    const QuietScreen quiet(log, true);
    log.info("one");
    log.info("two");
  }
  log.info("three");
  const std::string screen = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(screen,
            "NOTE: run.log: cannot write to \"/dev/full\": No space left on device; the run goes on, its log "
            "is on the screen alone\nthree\n");
}

TEST_F(LogTest, ALineTakesTheDrawnOneAway) {
  Log log(Log::Voice::kSpeaks);
  log.open(path_);
  ::testing::internal::CaptureStdout();
  log.draw("━━━ 12");
  log.draw("━ 1");
  log.info("line");
  log.flush();
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "\r━━━ 12\r━ 1   \r   \rline\n");
  EXPECT_EQ(content(), "line\n");
}

TEST(Terminal, ColumnsOfText) {
  EXPECT_EQ(terminal::width_of("abc"), 3);
  EXPECT_EQ(terminal::width_of("━━─"), 3);
  EXPECT_EQ(terminal::width_of("naïve Größe"), 11);
  EXPECT_EQ(terminal::width_of("精度"), 4);
  EXPECT_EQ(terminal::cut("━━─", 2), "━━");
  EXPECT_EQ(terminal::cut("精度", 3), "精");
  EXPECT_EQ(terminal::cut("abc", 0), "");
  EXPECT_EQ(terminal::cut("\xE7", 5), "\xE7");  // damaged text ends where it ends
}

}  // namespace nntrain

#include "io/zip_archive.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "scratch.h"

namespace nntrain::io {
namespace {

class ZipArchiveTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return scratch_.path(name); }
  test::Scratch scratch_;
};

using test::read_file;

TEST_F(ZipArchiveTest, GivesBackWhatWasWritten) {
  const std::string archive_path = path("a.zip");
  std::ofstream(path("source")) << "from a file";
  for (int round = 0; round < 2; ++round) {
    ZipWriter archive(archive_path);
    archive.add("config.json", "{}");
    archive.add("deep/er.npy", std::string(100000, 'x'));
    archive.add_file("source", path("source"));
    archive.finish();
    const ZipReader reader(archive_path);
    EXPECT_EQ(reader.names(), (std::vector<std::string>{"config.json", "deep/er.npy", "source"}));
    EXPECT_EQ(reader.text("config.json", 10), "{}");
    EXPECT_EQ(read_file(reader.file("deep/er.npy").path()), std::string(100000, 'x'));
    EXPECT_EQ(reader.text("source", 100), "from a file");
    EXPECT_THROW(reader.text("deep/er.npy", 99999), InputError);
    EXPECT_THROW(reader.text("missing", 10), InputError);
  }
}

TEST_F(ZipArchiveTest, EqualContentGivesEqualBytes) {
  std::string first;
  for (int round = 0; round < 2; ++round) {
    const std::string archive_path = path("same" + std::to_string(round) + ".zip");
    ZipWriter archive(archive_path);
    archive.add("a", "one");
    archive.finish();
    if (round == 0) first = read_file(archive_path);
    if (round == 1) {
      EXPECT_EQ(read_file(archive_path), first);
    }
  }
}

TEST_F(ZipArchiveTest, NothingIsLeftOfAnUnfinishedArchive) {
  { ZipWriter(path("gone.zip")).add("a", "one"); }
  EXPECT_FALSE(std::filesystem::exists(path("gone.zip")));
}

TEST_F(ZipArchiveTest, WrongFilesAreInputErrors) {
  EXPECT_THROW(ZipReader(path("missing.zip")), InputError);
  std::ofstream(path("text.zip")) << "no archive";
  EXPECT_THROW(ZipReader(path("text.zip")), InputError);
  EXPECT_THROW(ZipReader(scratch_.folder()), InputError);
  for (const char* name : {"../evil", "/evil", "a/../../evil"}) {
    ZipWriter archive(path("evil.zip"));
    archive.add(name, "x");
    archive.finish();
    EXPECT_THROW(ZipReader(path("evil.zip")), InputError) << name;
  }
}

TEST_F(ZipArchiveTest, EveryTruncationIsAnInputErrorOrHarmless) {
  ZipWriter archive(path("whole.zip"));
  archive.add("config.json", std::string(300, 'j'));
  archive.finish();
  const std::string whole = read_file(path("whole.zip"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::ofstream(path("cut.zip"), std::ios::binary) << whole.substr(0, size);
    EXPECT_THROW(ZipReader(path("cut.zip")).text("config.json", 1000), InputError) << size;
  }
}

}  // namespace
}  // namespace nntrain::io

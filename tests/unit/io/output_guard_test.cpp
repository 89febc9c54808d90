#include "io/output_guard.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "io/atomic_file.h"
#include "io/stream_file.h"
#include "unit/io/scratch.h"

namespace nntrain::io {
namespace {

using test::contains;
using test::message_of;
using test::Scratch;

bool ours(const std::string& path) { return first_bytes(path, 4) == "ours"; }

TEST(OutputGuard, AnInputIsNeverAnOutputByWhateverName) {
  const Scratch scratch;
  const std::string data = scratch.write("data.csv", "ours, too");
  std::filesystem::create_symlink("data.csv", scratch.path("soft.csv"));
  std::filesystem::create_hard_link(data, scratch.path("hard.csv"));
  std::filesystem::create_directory_symlink(scratch.folder(), scratch.path("folder"));
  for (const std::string& name : std::vector<std::string>{
           "data.csv", "./data.csv", "soft.csv", "hard.csv", "folder/data.csv",
           "folder/../" + std::filesystem::path(scratch.folder()).filename().string() + "/data.csv"}) {
    OutputGuard guard;
    guard.add_input(data, "data.inputs");
    const std::string message =
        message_of<InputError>([&] { guard.add_output(scratch.path(name), "--output", ours); });
    EXPECT_TRUE(contains(message, "data.inputs")) << name;
    EXPECT_TRUE(contains(message, "--output")) << name;
  }
}

TEST(OutputGuard, TwoOutputsAreTwoFilesWhetherTheyAreThereOrNot) {
  const Scratch scratch;
  std::filesystem::create_symlink("log.csv", scratch.path("dangling.csv"));
  OutputGuard guard;
  guard.add_output(scratch.path("log.csv"), "run.log", ours);
  for (const char* name : {"log.csv", "dangling.csv", "./log.csv"}) {
    EXPECT_TRUE(
        contains(message_of<InputError>([&] { guard.add_output(scratch.path(name), "run.profile", ours); }),
                 "run.log"))
        << name;
  }
  EXPECT_NO_THROW(guard.add_output(scratch.path("log.csv"), "run.log", ours)) << "the same output again";
  EXPECT_NO_THROW(guard.add_output(scratch.path("other.csv"), "run.profile", ours));
}

TEST(OutputGuard, OnlyWhatThisProgramWroteIsReplaced) {
  const Scratch scratch;
  OutputGuard guard;
  EXPECT_NO_THROW(guard.add_output(scratch.path("new"), "--output", ours));
  EXPECT_NO_THROW(guard.add_output(scratch.write("old", "ours 1"), "--output", ours));
  EXPECT_NO_THROW(guard.add_output(scratch.write("empty", ""), "--output", ours));
  EXPECT_TRUE(contains(
      message_of<InputError>([&] { guard.add_output(scratch.write("thesis.csv", "x"), "--output", ours); }),
      "remove it first"));
}

TEST(OutputGuard, DevicesAndFoldersAreRefusedWhereAFileIsMeant) {
  const Scratch scratch;
  ASSERT_EQ(::mkfifo(scratch.path("pipe").c_str(), 0600), 0);
  OutputGuard guard;
  const auto any = [](const std::string&) { return true; };
  for (const std::string& path :
       {std::string("/dev/null"), std::string("/dev/full"), scratch.path("pipe"), scratch.folder()}) {
    EXPECT_THROW(guard.add_output(path, "run.profile", any), InputError) << path;
  }
  EXPECT_NO_THROW(guard.add_stream("/dev/null", "--output", any));
  EXPECT_NO_THROW(guard.add_stream(scratch.path("pipe"), "--output", any));
  EXPECT_THROW(guard.add_stream(scratch.folder(), "--output", any), InputError);
}

TEST(StreamFile, RowsAreAppendedWholeOrNotAtAll) {
  class HalfDisk : public System {
    ssize_t write(int descriptor, const void* bytes, std::size_t size) override {
      if (size < 4) return errno = ENOSPC, -1;
      return System::write(descriptor, bytes, size / 2);
    }
  };
  const Scratch scratch;
  const std::string path = scratch.path("log.csv");
  append_to_file(path, "epoch,loss\n");
  HalfDisk full;
  EXPECT_TRUE(
      contains(message_of<WriteError>([&] { append_to_file(path, "0,0.123456\n", full); }), "No space left"));
  EXPECT_EQ(test::read_file(path), "epoch,loss\n");
  append_to_file(path, "0,0.5\n");
  EXPECT_EQ(test::read_file(path), "epoch,loss\n0,0.5\n");
  EXPECT_THROW(append_to_file("/dev/null", "x"), InputError);
}

TEST(StreamFile, AFullDeviceIsAnError) {
  StreamFile full("/dev/full");
  full.append("text");
  EXPECT_TRUE(contains(message_of<WriteError>([&] { full.close(); }), "/dev/full"));
  StreamFile sink("/dev/null");
  sink.append("text");
  EXPECT_NO_THROW(sink.close());
  EXPECT_TRUE(is_stream("/dev/stdout"));
  EXPECT_TRUE(is_standard_output("/proc/self/fd/1"));
  EXPECT_FALSE(is_stream("/dev/shm"));
}

}  // namespace
}  // namespace nntrain::io

#include "io/atomic_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>

#include "io/hdf5.h"
#include "unit/io/scratch.h"

namespace nntrain::io {
namespace {

using test::contains;
using test::message_of;
using test::Scratch;

std::size_t entries(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(AtomicFile, AppearsWhenCommitted) {
  const Scratch scratch;
  const std::string path = scratch.path("deep/er/a.txt");
  {
    AtomicFile file(path);
    EXPECT_EQ(std::filesystem::path(file.temporary_path()).parent_path(),
              std::filesystem::path(path).parent_path());
    std::ofstream(file.temporary_path()) << "new";
    EXPECT_FALSE(std::filesystem::exists(path));
    file.commit();
    EXPECT_EQ(test::read_file(path), "new");
  }
  EXPECT_EQ(test::read_file(path), "new");
  EXPECT_EQ(entries(scratch.path("deep/er")), 1U);
}

TEST(AtomicFile, WithoutCommitTheOldFileStays) {
  const Scratch scratch;
  const std::string path = scratch.write("a.txt", "old");
  {
    AtomicFile file(path);
    std::ofstream(file.temporary_path()) << "half";
  }
  EXPECT_EQ(test::read_file(path), "old");
  EXPECT_EQ(entries(scratch.folder()), 1U);
}

TEST(AtomicFile, AFailedCommitKeepsTheOldFile) {
  const Scratch scratch;
  const std::string path = scratch.write("a.txt", "old");
  {
    AtomicFile file(path);
    std::filesystem::remove(file.temporary_path());
    EXPECT_TRUE(contains(message_of<RuntimeError>([&] { file.commit(); }), "a.txt"));
  }
  EXPECT_EQ(test::read_file(path), "old");
}

/// Counts what is synchronised of files (folders are not counted), and lets the first one fail with `error`.
class Disk : public System {
 public:
  explicit Disk(int error = 0) : error_(error) {}
  int fsync(int descriptor) override {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return System::fsync(descriptor);
    if (calls++ > 0 || error_ == 0) return 0;
    errno = error_;
    return -1;
  }
  /// Large arrays need no disk here.
  ssize_t pwrite(int descriptor, const void* bytes, std::size_t size, off_t at) override {
    return size < kLarge ? System::pwrite(descriptor, bytes, size, at) : static_cast<ssize_t>(size);
  }
  void start_writeback(int, off_t, off_t) override {}
  std::atomic<int> calls{0};

 private:
  static constexpr std::size_t kLarge = std::size_t{1} << 20;
  int error_;
};

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

TEST(AtomicFile, LargeOnesAreSynchronisedWhileTheyAreWritten) {
  const Scratch scratch;
  for (const auto& [pieces, calls] : {std::pair(1, 1), std::pair(3, 1), std::pair(4, 2), std::pair(7, 2)}) {
    Disk disk;
    AtomicFile file(scratch.path("a.bin"), disk);
    for (int piece = 0; piece < pieces; ++piece) file.has_written(32 * kMiB);
    file.commit();
    EXPECT_EQ(disk.calls, calls) << pieces << " pieces of 32 MiB";
  }
}

TEST(AtomicFile, AnEarlyFailureIsTheCommits) {
  const Scratch scratch;
  const std::string path = scratch.write("a.bin", "old");
  {
    Disk disk(EIO);
    AtomicFile file(path, disk);
    file.has_written(128 * kMiB);
    EXPECT_TRUE(contains(message_of<WriteError>([&] { file.commit(); }), "Input/output error"));
  }
  EXPECT_EQ(test::read_file(path), "old");
  EXPECT_EQ(entries(scratch.folder()), 1U);
}

TEST(AtomicFile, LargeArraysOfHdf5AreSynchronisedEarly) {
  const Scratch scratch;
  Disk disk;
  AtomicFile file(scratch.path("a.h5"), disk);
  Hdf5File hdf5 = Hdf5File::create(file);
  constexpr std::int64_t kRows = 33;
  const std::vector<float> values(static_cast<std::size_t>(kRows * kMiB));  // 132 MiB
  hdf5.root().write_dataset("x", Shape{kRows, kMiB}, values);
  hdf5.close();
  file.commit();
  EXPECT_EQ(disk.calls, 2);
}

TEST(AtomicFile, ReservedRoomIsGivenBack) {
  const Scratch scratch;
  const std::string path = scratch.path("a.h5");
  AtomicFile file(path);
  Hdf5File hdf5 = Hdf5File::create(file, 8 << 20);
  hdf5.root().write_dataset("x", Shape{3}, std::vector<float>{1, 2, 3});
  hdf5.close();
  file.commit();
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_LT(status.st_size, 8 << 10);
  EXPECT_LT(status.st_blocks * 512, 1 << 20);
  EXPECT_EQ(Hdf5File::open(path).root().dataset("x").read_all<float>(), (std::vector<float>{1, 2, 3}));
}

TEST(AtomicFile, NamesThatCannotBe) {
  const Scratch scratch;
  scratch.write("file", "x");
  EXPECT_TRUE(contains(message_of<InputError>([&] { AtomicFile file(scratch.folder()); }), "folder"));
  EXPECT_TRUE(
      contains(message_of<RuntimeError>([&] { AtomicFile file(scratch.path("file/a.txt")); }), "file"));
  EXPECT_TRUE(contains(message_of<RuntimeError>([&] { AtomicFile file("/proc/no/a.txt"); }), "/proc/no"));
}

TEST(AtomicFile, WhatIsNoFileIsRefused) {
  const Scratch scratch;
  ASSERT_EQ(::mkfifo(scratch.path("pipe").c_str(), 0600), 0);
  EXPECT_TRUE(contains(message_of<InputError>([&] { AtomicFile file("/dev/null"); }), "a device"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { AtomicFile file(scratch.path("pipe")); }), "a pipe"));
  std::filesystem::create_symlink("/dev/null", scratch.path("link"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { AtomicFile file(scratch.path("link")); }), "a device"));
  std::filesystem::create_symlink("loop", scratch.path("loop"));
  EXPECT_THROW(AtomicFile file(scratch.path("loop")), Error);
}

TEST(AtomicFile, LinksAreFollowedAndStay) {
  const Scratch scratch;
  std::filesystem::create_directories(scratch.path("disk"));
  std::filesystem::create_symlink("disk/two", scratch.path("one"));
  std::filesystem::create_symlink("three", scratch.path("disk/two"));  // nothing is there yet
  for (const char* text : {"first", "second"}) {
    AtomicFile file(scratch.path("one"));
    file.append(text);
    file.commit();
    EXPECT_TRUE(std::filesystem::is_symlink(scratch.path("one")));
    EXPECT_TRUE(std::filesystem::is_symlink(scratch.path("disk/two")));
    EXPECT_EQ(test::read_file(scratch.path("disk/three")), text);
  }
  EXPECT_EQ(entries(scratch.path("disk")), 2U);
}

TEST(AtomicFile, PermissionsOfTheOldFileStay) {
  const Scratch scratch;
  const std::string path = scratch.write("a.txt", "old");
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  AtomicFile file(path);
  file.append("new");
  file.commit();
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
}

TEST(AtomicFile, TheLongestNameOfAFileCanBeWritten) {
  const Scratch scratch;
  const std::string path = scratch.path(std::string(252, 'x') + ".h5");
  AtomicFile file(path);
  file.append("new");
  file.commit();
  EXPECT_EQ(test::read_file(path), "new");
}

TEST(AtomicFile, FreeRoom) {
  const Scratch scratch;
  EXPECT_GT(free_bytes(scratch.path("a")), 0);
  EXPECT_EQ(free_bytes(scratch.path("no/such/folder/a")), -1);
  EXPECT_NO_THROW(require_free_bytes(scratch.path("a"), 1));
  const std::string message =
      message_of<RuntimeError>([&] { require_free_bytes(scratch.path("a"), std::int64_t{1} << 60); });
  EXPECT_TRUE(contains(message, "1152921504606846976 bytes needed"));
}

}  // namespace
}  // namespace nntrain::io

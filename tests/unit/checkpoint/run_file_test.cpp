// One owner, the newest file and the copies before it; what must never be in a checkpoint or under its name.

#include "checkpoint/run_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "checkpoint/digest.h"
#include "fault/fault_system.h"
#include "unit/checkpoint/contents.h"
#include "unit/io/scratch.h"

namespace nntrain::checkpoint {
namespace {

using test::contains;
using test::message_of;
using test::Scratch;

std::int64_t epoch_of(const std::string& path) { return read(path).state.epoch; }

void damage(const std::string& path) {
  std::string bytes = test::read_file(path);
  for (std::size_t at = bytes.size() / 2; at < bytes.size() / 2 + 4000 && at < bytes.size(); ++at)
    bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(RunFile, KeepsTheNewestAndTheOneBefore) {
  const Scratch scratch;
  const std::string path = scratch.path("run.h5");
  RunFile file(path);
  EXPECT_FALSE(file.read_newest());
  for (int epoch = 1; epoch <= 3; ++epoch) file.write(contents_at(epoch));
  EXPECT_EQ(epoch_of(path), 3);
  EXPECT_EQ(epoch_of(path + ".1"), 2);
  EXPECT_FALSE(exists(path + ".2"));
}

TEST(RunFile, KeepsAsManyAsAskedFor) {
  for (const int keep : {1, 4}) {
    const Scratch scratch;
    const std::string path = scratch.path("run.h5");
    RunFile file(path, keep);
    for (int epoch = 1; epoch <= 6; ++epoch) file.write(contents_at(epoch));
    EXPECT_EQ(epoch_of(path), 6);
    for (int k = 1; k < keep; ++k) EXPECT_EQ(epoch_of(file.copy_path(k)), 6 - k);
    EXPECT_FALSE(exists(file.copy_path(keep)));
  }
}

/// As a kill leaves it between the copy's rename and the new file's: both names are those of one file.
TEST(RunFile, ANewestThatIsItsOwnCopyPushesNoCopyOutAndLeavesNoThirdName) {
  const Scratch scratch;
  const std::string path = scratch.path("run.h5");
  {
    RunFile file(path, 3);
    for (int epoch = 1; epoch <= 3; ++epoch) file.write(contents_at(epoch));
  }
  std::filesystem::rename(path + ".1", path + ".2");
  std::filesystem::create_hard_link(path, path + ".1");
  RunFile file(path, 3);
  file.write(contents_at(4));
  EXPECT_EQ(epoch_of(path), 4);
  EXPECT_EQ(epoch_of(path + ".1"), 3);
  EXPECT_EQ(epoch_of(path + ".2"), 2);
  std::size_t names = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.folder())) {
    EXPECT_FALSE(contains(entry.path().filename().string(), ".tmp-")) << entry.path();
    ++names;
  }
  EXPECT_EQ(names, 4U);  // and the lock
}

TEST(RunFile, ADamagedNewestFallsBackWithANoteAndIsKept) {
  const Scratch scratch;
  const std::string path = scratch.path("run.h5");
  {
    RunFile file(path);
    file.write(contents_at(1));
    file.write(contents_at(2));
  }
  damage(path);
  const std::string bad = test::read_file(path);
  RunFile file(path);
  const auto found = file.read_newest();
  ASSERT_TRUE(found);
  EXPECT_EQ(payload_digest(found->contents), payload_digest(contents_at(1)));
  EXPECT_TRUE(contains(found->note, "run.h5.1"));
  EXPECT_TRUE(contains(found->note, "epoch 1"));
  EXPECT_TRUE(contains(found->note, "run.1.h5"));
  EXPECT_TRUE(test::read_file(scratch.path("run.1.h5")) == bad);
  file.write(contents_at(2));
  EXPECT_EQ(epoch_of(path), 2);
  EXPECT_EQ(epoch_of(path + ".1"), 1) << "the copy that was whole stays until there are two good files";
}

TEST(RunFile, WithoutAWholeCopyTheDamageIsTheError) {
  const Scratch scratch;
  const std::string path = scratch.path("run.h5");
  {
    RunFile file(path, 1);
    file.write(contents_at(1));
  }
  damage(path);
  RunFile file(path);
  EXPECT_TRUE(contains(message_of<InputError>([&] { file.read_newest(); }), "run.h5"));
  EXPECT_TRUE(exists(path));
}

TEST(RunFile, AFileThatIsNotOursIsNeverTouched) {
  const Scratch scratch;
  const std::string path = scratch.write("run.h5", "a,b\n1,2\n");
  RunFile file(path);
  EXPECT_THROW(file.read_newest(), InputError);
  EXPECT_TRUE(contains(message_of<InputError>([&] { file.set_aside(); }), "not moved aside"));
  EXPECT_EQ(test::read_file(path), "a,b\n1,2\n");
  const std::string other = scratch.path("other.h5");
  scratch.write("other.h5.1", "notes");
  EXPECT_TRUE(contains(message_of<InputError>([&] { RunFile(other, 2); }), "other.h5.1"));
  EXPECT_NO_THROW(RunFile(other, 1));
}

TEST(RunFile, ASecondOwnerIsRefusedAndToldWho) {
  const Scratch scratch;
  const std::string path = scratch.path("run.h5");
  {
    RunFile first(path);
    const std::string message = message_of<InputError>([&] { RunFile second(path); });
    EXPECT_TRUE(contains(message, "process " + std::to_string(getpid())));
    EXPECT_TRUE(contains(message, io::host_name()));
    EXPECT_TRUE(contains(message, "since "));
  }
  EXPECT_NO_THROW(RunFile third(path));
  EXPECT_FALSE(exists(path + ".lock"));
}

TEST(RunFile, AFileThatSomebodyElseChangedIsNotWrittenOver) {
  const Scratch scratch;
  const std::string path = scratch.path("run.h5");
  RunFile file(path);
  file.write(contents_at(1));
  write(path, contents_at(7));
  EXPECT_TRUE(contains(message_of<RuntimeError>([&] { file.write(contents_at(2)); }), "somebody else"));
  EXPECT_EQ(epoch_of(path), 7);
}

TEST(RunFile, ALostLockStopsTheRun) {
  const Scratch scratch;
  const std::string path = scratch.path("run.h5");
  RunFile file(path);
  file.write(contents_at(1));
  std::filesystem::remove(path + ".lock");
  EXPECT_TRUE(contains(message_of<RuntimeError>([&] { file.write(contents_at(2)); }), "lock"));
  EXPECT_EQ(epoch_of(path), 1);
}

TEST(RunFile, OnAFullDiskTheCopiesGoFirst) {
  class FullUntilCopiesGo : public io::System {
   public:
    int reserve(int descriptor, off_t size) override {
      if (full) return errno = ENOSPC, -1;
      return System::reserve(descriptor, size);
    }
    int unlink(const std::string& path) override {
      if (path.ends_with("run.h5.1")) full = false;
      return System::unlink(path);
    }
    bool full = false;
  };
  const Scratch scratch;
  const std::string path = scratch.path("run.h5");
  FullUntilCopiesGo system;
  RunFile file(path, 2, system);
  file.write(contents_at(1));
  file.write(contents_at(2));
  system.full = true;
  file.write(contents_at(3));
  EXPECT_EQ(epoch_of(path), 3);
  EXPECT_EQ(epoch_of(path + ".1"), 2);
  std::filesystem::remove(path + ".1");
  system.full = true;
  EXPECT_TRUE(contains(message_of<io::WriteError>([&] { file.write(contents_at(4)); }), "No space left"));
  EXPECT_EQ(epoch_of(path), 3);
}

TEST(RunFile, WithoutHardLinksTheNewestIsStillNeverMissing) {
  class NoLinks : public io::System {
    int link(const std::string&, const std::string&) override { return errno = EPERM, -1; }
  };
  const Scratch scratch;
  const std::string path = scratch.path("run.h5");
  NoLinks system;
  {
    RunFile file(path, 2, system);
    for (int epoch = 1; epoch <= 3; ++epoch) file.write(contents_at(epoch));
    EXPECT_THROW(RunFile(path, 2, system), InputError) << "the lock works without links";
    EXPECT_EQ(epoch_of(path), 3);
    EXPECT_EQ(epoch_of(path + ".1"), 2);
  }
  EXPECT_FALSE(exists(path + ".lock"));
}

TEST(RunFile, ASymbolicLinkStaysAndItsTargetIsReplaced) {
  const Scratch scratch;
  std::filesystem::create_directories(scratch.path("disk"));
  std::filesystem::create_symlink("disk/real.h5", scratch.path("run.h5"));
  RunFile file(scratch.path("run.h5"));
  file.write(contents_at(1));
  file.write(contents_at(2));
  EXPECT_TRUE(std::filesystem::is_symlink(scratch.path("run.h5")));
  EXPECT_EQ(epoch_of(scratch.path("disk/real.h5")), 2);
  EXPECT_EQ(epoch_of(scratch.path("disk/real.h5.1")), 1);
}

TEST(RunFile, NamesThatCannotBeCheckpoints) {
  const Scratch scratch;
  for (const char* name : {"run.keras", "run.weights.h5", "run", "run.csv"}) {
    EXPECT_TRUE(contains(message_of<InputError>([&] { RunFile(scratch.path(name)); }), ".h5")) << name;
  }
  std::filesystem::create_directories(scratch.path("folder.h5"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { RunFile(scratch.path("folder.h5")); }), "a folder"));
  scratch.write("file", "x");
  RunFile below_a_file(scratch.path("file/run.h5"));
  EXPECT_THROW(below_a_file.try_write({"dense"}, 10), InputError);
  RunFile fine(scratch.path("run.h5"));
  EXPECT_NO_THROW(fine.try_write({"dense", "d\xC3\xA9j\xC3\xA0"}, 10));
  for (const char* layer : {"", ".", "..", "a/b", "caf\xE9"}) {
    EXPECT_TRUE(contains(message_of<InputError>([&] {
                           fine.try_write({"dense", layer}, 10);
                         }),
                         "layer name"));
  }
  EXPECT_TRUE(contains(message_of<io::WriteError>([&] { fine.try_write({"dense"}, std::int64_t{1} << 58); }),
                       "bytes free"));
}

TEST(RunFile, AbandonedTemporariesGo) {
  const Scratch scratch;
  const std::string path = scratch.path("run.h5");
  const std::string gone = ".run.h5.tmp-" + io::host_name() + "-4194303";  // beyond the kernel's limit
  scratch.write(gone, "half");
  scratch.write(".run.h5.tmp-another.host-4194303", "half");
  scratch.write(".run.h5.tmp-" + io::host_name() + "-1", "of a process that runs");
  RunFile file(path);
  EXPECT_FALSE(exists(scratch.path(gone)));
  EXPECT_TRUE(exists(scratch.path(".run.h5.tmp-another.host-4194303")));
  EXPECT_TRUE(exists(scratch.path(".run.h5.tmp-" + io::host_name() + "-1")));
}

TEST(RunFile, WhatIsNotFiniteIsNeverWritten) {
  const Scratch scratch;
  const std::string path = scratch.path("run.h5");
  RunFile file(path);
  file.write(contents_at(1));
  const float bad[] = {std::nanf(""), std::numeric_limits<float>::infinity()};
  for (const float value : bad) {
    Contents weights = contents_at(2), slots = contents_at(2), kept = contents_at(2);
    weights.weights[1].values[2] = value;
    slots.slots[0].values[0][5] = value;
    kept.extra_weights = {{"early_stopping", kept.weights}};
    kept.extra_weights[0].second[0].values[0] = value;
    EXPECT_TRUE(contains(message_of<DivergedError>([&] { file.write(weights); }), "dense/bias"));
    EXPECT_TRUE(contains(message_of<DivergedError>([&] { file.write(slots); }), "momentum of dense/kernel"));
    EXPECT_TRUE(contains(message_of<DivergedError>([&] { file.write(kept); }), "early_stopping"));
    EXPECT_TRUE(
        contains(message_of<DivergedError>([&] { write(scratch.path("best.h5"), weights); }), "dense/bias"));
  }
  EXPECT_EQ(epoch_of(path), 1);
  EXPECT_FALSE(exists(scratch.path("best.h5")));
}

TEST(RunFile, NamesOfFilesMayHoldAnyBytes) {
  const Scratch scratch;
  Contents contents = contents_at(1);
  contents.data["fingerprints"] = {{"inputs", {{"source", "caf\xE9.csv"}}}};
  write(scratch.path("\xE9.h5"), contents);
  EXPECT_EQ(read(scratch.path("\xE9.h5")).data["fingerprints"]["inputs"]["source"], "caf\xEF\xBF\xBD.csv");
}

}  // namespace
}  // namespace nntrain::checkpoint

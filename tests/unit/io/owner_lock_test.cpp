#include "io/owner_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>

#include "unit/io/scratch.h"

namespace nntrain::io {
namespace {

using test::contains;
using test::message_of;
using test::Scratch;

/// The text of a lock with some lines replaced.
std::string changed(std::string text, const std::string& key, const std::string& value) {
  const std::size_t at = text.find("\n" + key + " = ") + 1;
  return text.replace(at, text.find('\n', at) - at, key + " = " + value);
}

std::string lock_text(const Scratch& scratch) {
  const OwnerLock lock(scratch.path("sample"));
  return test::read_file(lock.lock_path());
}

TEST(OwnerLock, OneAtATimeAndGoneAfterwards) {
  const Scratch scratch;
  const std::string path = scratch.path("deep/run.h5");
  {
    const OwnerLock lock(path);
    EXPECT_EQ(lock.lock_path(), path + ".lock");
    EXPECT_THROW(OwnerLock second(path), InputError);
    EXPECT_NO_THROW(lock.require_held());
  }
  EXPECT_FALSE(std::filesystem::exists(path + ".lock"));
  EXPECT_NO_THROW(OwnerLock again(path));
}

TEST(OwnerLock, ALockOfAKilledProcessIsTakenOver) {
  const Scratch scratch;
  const std::string path = scratch.path("run.h5");
  const pid_t child = ::fork();
  if (child == 0) {
    const OwnerLock lock(path);
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(std::filesystem::exists(path + ".lock"));
  const OwnerLock lock(path);
  EXPECT_NO_THROW(lock.require_held());
}

TEST(OwnerLock, StaleByNumberByStartByBoot) {
  const Scratch scratch;
  const std::string path = scratch.path("run.h5"), own = lock_text(scratch);
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"pid", "4194303"}, {"process_start", "1"}, {"boot", "another-boot"}}) {
    scratch.write("run.h5.lock", changed(own, key, value));
    EXPECT_NO_THROW(OwnerLock lock(path)) << key;
    EXPECT_FALSE(std::filesystem::exists(path + ".lock"));
  }
}

TEST(OwnerLock, AnotherHostsLockStaysAndTheCureIsNamed) {
  const Scratch scratch;
  const std::string path = scratch.path("run.h5");
  const std::string text = changed(changed(lock_text(scratch), "host", "node7"), "job", "4711");
  scratch.write("run.h5.lock", text);
  const std::string message = message_of<InputError>([&] { OwnerLock lock(path); });
  for (const std::string& part :
       std::vector<std::string>{"node7", "job 4711", "remove \"" + path + ".lock\"", "since 20"})
    EXPECT_TRUE(contains(message, part));
  EXPECT_EQ(test::read_file(path + ".lock"), text);
}

TEST(OwnerLock, AJobThatSlurmStartsAnewTakesItsOwnLockOver) {
  const Scratch scratch;
  const std::string path = scratch.path("run.h5");
  const std::string text = changed(changed(lock_text(scratch), "host", "node7"), "job", "4711");
  scratch.write("run.h5.lock", text);
  ::setenv("SLURM_JOB_ID", "4711", 1);
  EXPECT_THROW(OwnerLock lock(path), InputError) << "the same job, two runs of it at once";
  ::setenv("SLURM_RESTART_COUNT", "1", 1);
  EXPECT_NO_THROW(OwnerLock lock(path));
  ::unsetenv("SLURM_JOB_ID");
  ::unsetenv("SLURM_RESTART_COUNT");
}

TEST(OwnerLock, WhatIsNoLockIsNotRemoved) {
  const Scratch scratch;
  scratch.write("run.h5.lock", "mine");
  EXPECT_TRUE(
      contains(message_of<InputError>([&] { OwnerLock lock(scratch.path("run.h5")); }), "in the way"));
  EXPECT_EQ(test::read_file(scratch.path("run.h5.lock")), "mine");
}

TEST(OwnerLock, ALostLockIsNoticedAndNotRemovedFromItsNewOwner) {
  const Scratch scratch;
  const std::string path = scratch.path("run.h5");
  std::string other;
  {
    const OwnerLock lock(path);
    other = changed(test::read_file(path + ".lock"), "host", "node7");
    scratch.write("run.h5.lock", other);
    EXPECT_TRUE(contains(message_of<RuntimeError>([&] { lock.require_held(); }), "node7"));
  }
  EXPECT_EQ(test::read_file(path + ".lock"), other);
}

}  // namespace
}  // namespace nntrain::io

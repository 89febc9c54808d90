#include "io/owner_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <random>
#include <sstream>
#include <string_view>
#include <thread>

#include "core/error.h"
#include "io/atomic_file.h"

namespace nntrain::io {

namespace {

constexpr const char* kFirstLine = "nntrain-dist lock: this process writes the file beside it";

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

LockHolder myself() {
  LockHolder self;
  self.process = ProcessIdentity::of_this_process();
  self.job = environment("SLURM_JOB_ID");
  self.restarts = environment("SLURM_RESTART_COUNT");
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  char text[32] = "";
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  self.started = text;
  return self;
}

/// No two locks are the same text, not even of one process in one second.
std::string to_text(const LockHolder& holder) {
  std::random_device random;
  return fmt::format(
      "{}\nhost = {}\npid = {}\njob = {}\nrestarts = {}\nsince = {}\nprocess_start = {}\nboot = {}\n"
      "token = {:08x}{:08x}\npid_namespace = {}\n",
      kFirstLine, holder.process.host, holder.process.pid, holder.job, holder.restarts, holder.started,
      holder.process.start, holder.process.boot, random(), random(), holder.process.pid_namespace);
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// False when the text is not a whole lock of ours.
bool parse(const std::string& text, LockHolder& holder) {
  std::istringstream lines(text);
  std::string line;
  if (!std::getline(lines, line) || line != kFirstLine) return false;
  bool whole = false;
  while (std::getline(lines, line)) {
    const std::size_t at = line.find(" = ");
    if (at == std::string::npos) continue;
    const std::string key = line.substr(0, at), value = line.substr(at + 3);
    if (key == "host") holder.process.host = value;
    if (key == "pid") holder.process.pid = std::strtoll(value.c_str(), nullptr, 10);
    if (key == "job") holder.job = value;
    if (key == "restarts") holder.restarts = value;
    if (key == "since") holder.started = value;
    if (key == "process_start") holder.process.start = std::strtoll(value.c_str(), nullptr, 10);
    if (key == "boot") holder.process.boot = value;
    if (key == "pid_namespace") {
      holder.process.pid_namespace = value;
      whole = true;
    }
  }
  return whole;
}

/// Slurm starts a job anew only when its processes are gone, on other nodes too.
bool is_earlier_start_of_this_job(const LockHolder& holder, const LockHolder& self) {
  return !holder.job.empty() && holder.job == self.job &&
         std::strtol(holder.restarts.c_str(), nullptr, 10) < std::strtol(self.restarts.c_str(), nullptr, 10);
}

}  // namespace

std::string LockHolder::describe() const {
  return fmt::format("process {} on {}{}, since {}", process.pid, process.host,
                     job.empty() ? "" : " (job " + job + ")", started);
}

OwnerLock::OwnerLock(const std::string& path, System& system) : system_(system), path_(path) {
  const std::string target = follow_links(path);
  lock_ = target + ".lock";
  const std::size_t slash = target.rfind('/');
  if (slash != std::string::npos && slash > 0) create_directories(target.substr(0, slash));
  remove_abandoned_temporaries(lock_, system_);
  const LockHolder self = myself();
  text_ = to_text(self);
  LockHolder holder;
  Alive alive = Alive::kUnknown;
  // A process that was killed may take a moment to be gone; one that makes the lock by an exclusive open, a
  // moment to say who it is.
  for (int attempt = 0; attempt < 8; ++attempt) {
    if (try_take()) return;
    holder = {};
    const std::string before = read_text(lock_);
    const bool known = parse(before, holder);
    alive = known ? is_alive(holder.process) : Alive::kUnknown;
    if (known && (alive == Alive::kNo || is_earlier_start_of_this_job(holder, self))) {
      // Whoever takes it over moves it away first: of two that try, one finds it gone or changed.
      const std::string away = fmt::format("{}.{}-{}", lock_, self.process.host, self.process.pid);
      if (system_.rename(lock_, away) == 0) {
        if (read_text(away) != before && system_.link(away, lock_) != 0 && errno != EEXIST)
          throw_write_error(lock_, errno);
        system_.unlink(away);
      }
      continue;
    }
    if (known && alive == Alive::kUnknown) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(80));
  }
  if (holder.process.pid == 0) {
    throw InputError(
        fmt::format("\"{}\" is in the way: it is not a lock that nntrain-dist wrote in full; if no "
                    "other run writes \"{}\", remove it",
                    lock_, path_));
  }
  const std::string who = holder.describe();
  if (alive == Alive::kUnknown) {
    throw InputError(fmt::format(
        "\"{}\" belongs to another run: {}, says \"{}\". Whether it still runs cannot be told from {}; if it "
        "does not, remove \"{}\" and start again",
        path_, who, lock_, self.process.host, lock_));
  }
  throw InputError(
      fmt::format("\"{}\" belongs to another run, which is still running: {}. Wait for it, stop it, or give "
                  "another checkpoint.path",
                  path_, who));
}

OwnerLock::~OwnerLock() {
  if (is_held()) system_.unlink(lock_);
}

/// False: the lock is there already.
bool OwnerLock::try_take() {
  const std::string mine = temporary_name(lock_);
  system_.unlink(mine);
  const int descriptor = system_.open(mine, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (descriptor < 0) throw_write_error(lock_, errno);
  int cause = write_all(system_, descriptor, text_.data(), text_.size());
  if (system_.fsync(descriptor) != 0 && errno != EINVAL && cause == 0) cause = errno;
  if (system_.close(descriptor) != 0 && cause == 0) cause = errno;
  if (cause != 0) {
    system_.unlink(mine);
    throw_write_error(lock_, cause);
  }
  const int linked = system_.link(mine, lock_) == 0 ? 0 : errno;
  system_.unlink(mine);
  if (linked == 0 || is_held()) return true;  // over NFS a link may succeed and say that it failed
  if (linked == EEXIST) return false;
  // A file system without links.
  const int exclusive = system_.open(lock_, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (exclusive < 0 && errno == EEXIST) return false;
  if (exclusive < 0) throw_write_error(lock_, errno);
  cause = write_all(system_, exclusive, text_.data(), text_.size());
  if (system_.close(exclusive) != 0 && cause == 0) cause = errno;
  if (cause != 0) {
    system_.unlink(lock_);
    throw_write_error(lock_, cause);
  }
  return true;
}

/// Takes no memory: it is asked when a run ends for want of it.
bool OwnerLock::is_held() const {
  std::array<char, 4096> there{};
  const int descriptor = ::open(lock_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  std::size_t size = 0;
  for (ssize_t got = 1; got > 0 && size < there.size();) {
    got = ::read(descriptor, there.data() + size, there.size() - size);
    if (got > 0) size += static_cast<std::size_t>(got);
  }
  ::close(descriptor);
  return std::string_view(there.data(), size) == text_;
}

void OwnerLock::require_held() const {
  if (is_held()) return;
  LockHolder other;
  const bool known = parse(read_text(lock_), other);
  throw RuntimeError(
      fmt::format("\"{}\" is no longer this run's: its lock \"{}\" {}; nothing is written over it", path_,
                  lock_, known ? "is now held by " + other.describe() : "was removed"));
}

}  // namespace nntrain::io

#pragma once
// A System whose n-th call fails, writes short, or is the last one of the process; and which knows what a
// crash of the machine would leave: data that was not fsynced goes back to what was, directory entries to
// what they were at the last fsync of the folder (as LevelDB's FaultInjectionTestEnv). One folder, small
// files.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "io/system.h"

namespace nntrain::test {

class FaultSystem : public io::System {
 public:
  enum class Kind { kNone, kError, kShortWrite, kDeath };

  /// `scratch`: an empty folder outside of the tested one, for what a crash brings back.
  explicit FaultSystem(std::string scratch) : scratch_(std::move(scratch)) {}

  void fail(int call, Kind kind, int error = EIO) { at_ = call, kind_ = kind, error_ = error; }
  int calls() const { return calls_; }
  bool dead() const { return dead_; }

  /// The machine stops: of the directory changes since the folder's last fsync the first `kept` are on the
  /// disk, the others are not, and no data that was not fsynced is.
  std::size_t pending() const { return undo_.size(); }
  void crash(std::size_t kept) {
    while (undo_.size() > kept) {
      undo_.back()();
      undo_.pop_back();
    }
    for (const auto& [inode, content] : synced_) {
      for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
        if (entry.is_regular_file() && inode_of(entry.path().string()) == inode)
          std::ofstream(entry.path(), std::ios::binary | std::ios::trunc) << content;
      }
    }
  }

  int open(const std::string& path, int flags, mode_t mode) override {
    if (!proceeds()) return -1;
    const bool is_new = (flags & O_CREAT) != 0 && !std::filesystem::exists(path);
    const int descriptor = System::open(path, flags, mode);
    if (descriptor < 0) return descriptor;
    if ((flags & O_DIRECTORY) != 0) folders_.push_back(descriptor);
    if (is_new) {
      folder_ = std::filesystem::path(path).parent_path().string();
      synced_[inode_of(path)] = "";
      undo_.emplace_back([path] { ::unlink(path.c_str()); });
    }
    return descriptor;
  }
  int close(int descriptor) override {
    std::erase(folders_, descriptor);
    const int result = System::close(descriptor);  // even of a dead process, which would have it closed
    return proceeds() ? result : -1;
  }
  ssize_t pwrite(int descriptor, const void* bytes, std::size_t size, off_t at) override {
    if (!proceeds(&size)) return -1;
    before_write(descriptor);
    return System::pwrite(descriptor, bytes, size, at);
  }
  ssize_t write(int descriptor, const void* bytes, std::size_t size) override {
    if (!proceeds(&size)) return -1;
    before_write(descriptor);
    return System::write(descriptor, bytes, size);
  }
  ssize_t pread(int descriptor, void* bytes, std::size_t size, off_t at) override {
    return proceeds(&size) ? System::pread(descriptor, bytes, size, at) : -1;
  }
  int fsync(int descriptor) override {
    if (!proceeds()) return -1;
    if (std::find(folders_.begin(), folders_.end(), descriptor) != folders_.end()) {
      undo_.clear();
    } else {
      struct stat status {};
      if (::fstat(descriptor, &status) == 0) synced_.erase(status.st_ino);
    }
    return 0;
  }
  int ftruncate(int descriptor, off_t size) override {
    return proceeds() ? System::ftruncate(descriptor, size) : -1;
  }
  int reserve(int descriptor, off_t size) override {
    return proceeds() ? System::reserve(descriptor, size) : -1;
  }
  int rename(const std::string& from, const std::string& to) override {
    if (!proceeds()) return -1;
    const std::string kept = keep(to);
    if (System::rename(from, to) != 0) return -1;
    undo_.emplace_back([=] {
      std::filesystem::rename(to, from);
      if (!kept.empty()) std::filesystem::rename(kept, to);
    });
    return 0;
  }
  int link(const std::string& from, const std::string& to) override {
    if (!proceeds()) return -1;
    if (System::link(from, to) != 0) return -1;
    undo_.emplace_back([=] { ::unlink(to.c_str()); });
    return 0;
  }
  int unlink(const std::string& path) override {
    if (!proceeds()) return -1;
    const std::string kept = keep(path);
    if (System::unlink(path) != 0) return -1;
    undo_.emplace_back([=] { std::filesystem::rename(kept, path); });
    return 0;
  }

 private:
  /// False: the call fails with errno set.
  bool proceeds(std::size_t* size = nullptr) {
    const bool now = calls_++ == at_;
    if (now && kind_ == Kind::kDeath) dead_ = true;
    if (dead_) return errno = EIO, false;
    if (!now || kind_ == Kind::kNone) return true;
    if (kind_ == Kind::kShortWrite) {
      if (size != nullptr && *size > 1) *size /= 2;
      return true;
    }
    return errno = error_, false;
  }
  /// The content that is on the disk, kept before the first write after an fsync.
  void before_write(int descriptor) {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode) || synced_.count(status.st_ino) != 0)
      return;
    std::ifstream file("/proc/self/fd/" + std::to_string(descriptor), std::ios::binary);
    synced_[status.st_ino] = {std::istreambuf_iterator<char>(file), {}};
  }
  static ino_t inode_of(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
  }
  /// A second name for a file that is about to lose its own; "" when there is none.
  std::string keep(const std::string& path) {
    const std::string name = scratch_ + "/" + std::to_string(kept_++);
    ::unlink(name.c_str());
    return ::link(path.c_str(), name.c_str()) == 0 ? name : "";
  }

  std::string scratch_, folder_;
  int calls_ = 0, at_ = -1, error_ = EIO, kept_ = 0;
  Kind kind_ = Kind::kNone;
  bool dead_ = false;
  std::vector<int> folders_;
  std::map<ino_t, std::string> synced_;  ///< of files with data that is not on the disk: what a crash leaves
  std::vector<std::function<void()>> undo_;
};

}  // namespace nntrain::test

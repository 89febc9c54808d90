#include "io/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "core/error.h"

namespace nntrain::io {

namespace {

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

/// Some file systems refuse fsync on folders (EINVAL); everything else is an error.
int sync_path(const std::string& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) return errno;
  const int cause = ::fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno;
  ::close(descriptor);
  return cause;
}

/// Gives back blocks that were reserved beyond the end of the file.
int release_reserved_blocks(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return errno;
  return ::truncate(path.c_str(), status.st_size) == 0 ? 0 : errno;
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  const std::filesystem::path name = std::filesystem::path(path_).filename();
  std::error_code ignored;
  if (name.empty() || std::filesystem::is_directory(path_, ignored)) {
    throw RuntimeError(fmt::format("cannot write \"{}\": it is a folder; give the name of a file", path_));
  }
  const std::string folder = folder_of(path_);
  create_directories(folder);
  temporary_ =
      (std::filesystem::path(path_).parent_path() / fmt::format(".{}.tmp-{}", name.string(), ::getpid()))
          .string();
  // A full or read-only folder should be known before the work of writing.
  const int descriptor = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) throw_write_error(path_, std::strerror(errno));
  ::close(descriptor);
}

AtomicFile::~AtomicFile() {
  if (!committed_) ::unlink(temporary_.c_str());
}

void AtomicFile::commit() {
  struct stat status {};
  const std::int64_t bytes = ::stat(temporary_.c_str(), &status) == 0 ? status.st_size : -1;
  if (const int cause = release_reserved_blocks(temporary_))
    throw_write_error(path_, std::strerror(cause), bytes);
  if (const int cause = sync_path(temporary_, O_RDONLY))
    throw_write_error(path_, std::strerror(cause), bytes);
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0)
    throw_write_error(path_, std::strerror(errno), bytes);
  committed_ = true;
  if (const int cause = sync_path(folder_of(path_), O_RDONLY | O_DIRECTORY)) {
    throw_write_error(path_, fmt::format("the folder cannot be synchronised: {}", std::strerror(cause)));
  }
}

void create_directories(const std::string& folder) {
  if (folder.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error && std::filesystem::is_directory(folder, error)) return;
  throw RuntimeError(fmt::format("cannot make the folder \"{}\": {}", folder,
                                 error ? error.message() : "a file of that name is in the way"));
}

std::int64_t free_bytes(const std::string& path) {
  struct statvfs status {};
  std::string folder = folder_of(path);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) folder = path;
  if (::statvfs(folder.c_str(), &status) != 0) return -1;
  return static_cast<std::int64_t>(status.f_bavail) * static_cast<std::int64_t>(status.f_frsize);
}

void require_free_bytes(const std::string& path, std::int64_t bytes) {
  const std::int64_t available = free_bytes(path);
  if (available >= 0 && available < bytes) throw_write_error(path, std::strerror(ENOSPC), bytes);
}

void throw_write_error(const std::string& path, const std::string& cause, std::int64_t bytes) {
  const std::int64_t available = free_bytes(path);
  std::string numbers;
  if (bytes >= 0) numbers = fmt::format("{} bytes needed", bytes);
  if (available >= 0) numbers += fmt::format("{}{} bytes free", numbers.empty() ? "" : ", ", available);
  throw RuntimeError(
      fmt::format("cannot write \"{}\": {}{}", path, cause, numbers.empty() ? "" : " (" + numbers + ")"));
}

}  // namespace nntrain::io

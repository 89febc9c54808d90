#include "data/file_state.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "core/error.h"
#include "data/array_source.h"

namespace nntrain::data {

bool FileState::operator==(const FileState& other) const {
  return bytes == other.bytes && inode == other.inode && written.tv_sec == other.written.tv_sec &&
         written.tv_nsec == other.written.tv_nsec;
}

FileState state_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_size, status.st_ino, status.st_mtim};
}

void check_unchanged(const std::string& path, const FileState& before, const std::string& name) {
  const FileState now = state_of(path);
  if (now == before) return;
  throw InputError(fmt::format(
      "{} has changed while it was read: {}; its rows are no longer those that the run began with", name,
      now.bytes < 0               ? std::string("it is gone")
      : now.bytes != before.bytes ? fmt::format("it had {} bytes, it has {}", before.bytes, now.bytes)
      : now.inode != before.inode ? std::string("another file has its name")
                                  : std::string("it was written to")));
}

std::string identity_of_files(const std::string& source) {
  std::string identity;
  for (const std::string& path : files_of(source)) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return {};
    identity += fmt::format("{} {}.{:09} {}.{:09}\n", status.st_size, status.st_mtim.tv_sec,
                            status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
  }
  return identity;
}

}  // namespace nntrain::data

#pragma once
// Files whose rows are read while a run goes on must stay what they were.

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <string>

namespace nntrain::data {

/// What tells that a file is the one that was opened first.
struct FileState {
  std::int64_t bytes = -1;  ///< -1: there is none
  ino_t inode = 0;
  timespec written{};
  bool operator==(const FileState& other) const;
};
FileState state_of(const std::string& path);

/// InputError, with `name` in it: `path` is not as it was.
void check_unchanged(const std::string& path, const FileState& before, const std::string& name);

/// Sizes, times of writing and times of change of the files that `source` means, for several nodes to
/// compare: of one file on a file system that they share all are equal; copies were made at other times,
/// which no program can set (cp -p keeps that of writing only). Empty: not known.
std::string identity_of_files(const std::string& source);

}  // namespace nntrain::data

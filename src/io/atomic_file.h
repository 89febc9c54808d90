#pragma once
// Files appear by rename only: a reader sees the old file or the new one, never a part. Local; one process
// writes a path at a time. docs/files.md has the rules as a user sees them.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/background_job.h"
#include "core/error.h"
#include "io/system.h"

namespace nntrain::io {

/// A system call of writing failed; `cause` is its errno.
class WriteError : public RuntimeError {
 public:
  WriteError(const std::string& message, int cause) : RuntimeError(message), cause_(cause) {}
  int cause() const noexcept { return cause_; }
  bool no_room() const noexcept;  ///< the disk or the quota is full

 private:
  int cause_;
};

/// Either append() what the file shall hold, or write to temporary_path() by other means and close that; then
/// commit(). Without commit the temporary file is removed and `path` keeps its old content.
class AtomicFile {
 public:
  /// Makes missing folders; the temporary file is ".NAME.tmp-HOST-PID" in the folder of the file. A symbolic
  /// link is followed: its target is what gets replaced. Temporary files of the same name whose process is
  /// gone are removed. Throws InputError when `path` is a folder, a device, a pipe or a socket, WriteError
  /// when the folder cannot be made or written to.
  explicit AtomicFile(std::string path, System& system = System::posix());
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::string& path() const { return path_; }      ///< as given, for messages
  const std::string& target() const { return target_; }  ///< links followed
  const std::string& temporary_path() const { return temporary_; }
  System& system() const { return system_; }

  void append(std::string_view bytes);
  /// Takes `bytes` on the disk now, so that a full one is an error here. Given back by commit().
  void reserve(std::int64_t bytes);
  /// Somebody has written so many bytes more to temporary_path(). Large amounts are brought to the disk by a
  /// thread while the next ones are written, so that synchronise() has little left to wait for; an error of
  /// that thread is one of synchronise().
  void has_written(std::int64_t bytes) noexcept;
  /// Writes what is buffered, compares the size, fsync, rename, fsync of the folder. WriteError: then `path`
  /// is the old file. A replaced file's permissions stay. Verify the temporary file before, if you want to.
  void commit();
  /// The file's bytes on the disk, without commit: for whoever renames it later (checkpoint::RunFile).
  void synchronise();

 private:
  void flush();
  [[noreturn]] void fail(int cause) const;

  System& system_;
  std::string path_;
  std::string target_;
  std::string temporary_;
  std::string buffer_;
  std::int64_t appended_ = 0;
  int descriptor_ = -1;
  bool committed_ = false;
  std::int64_t unsynchronised_ = 0;  ///< bytes written since early_ was started
  int early_error_ = 0;              ///< errno of early_; looked at when it has ended
  BackgroundJob early_;              ///< fsync of a part
};

/// ".NAME.tmp-HOST-PID" in the folder of `path`.
std::string temporary_name(const std::string& path);

/// Where a chain of symbolic links leads, whether something is there or not.
std::string follow_links(const std::string& path);

/// "a folder", "a device", "a pipe", "a socket"; "" for a regular file and where nothing is.
std::string kind_of_special_file(const std::string& path);

/// Would a write of `bytes` to `path` begin? Makes the temporary file, reserves the room and removes it
/// again. InputError for what the user can mend (a name, a right, a folder), WriteError for a full disk.
void try_output(const std::string& path, std::int64_t bytes, System& system = System::posix());

/// Removes ".NAME.tmp-HOST-PID" files of `path` whose process, on this host, is gone. Never throws.
void remove_abandoned_temporaries(const std::string& path, System& system = System::posix());

/// Makes `folder` and its parents; "" is the working directory. WriteError names the folder and the cause.
void create_directories(const std::string& folder);

/// fsync of the folder of `path`, so that a rename in it lasts; 0 or errno. Folders that may not be read, and
/// file systems that refuse fsync on folders, count as done.
int synchronise_folder(const std::string& path, System& system = System::posix());

/// Bytes that this user may still write on the file system of `path` (its folder); -1 when unknown.
std::int64_t free_bytes(const std::string& path);

/// WriteError with both numbers when the file system of `path` has less than `bytes` free.
void require_free_bytes(const std::string& path, std::int64_t bytes);

/// `cannot write "PATH": CAUSE (N bytes needed, M bytes free)`; bytes < 0 leaves the first number out.
[[noreturn]] void throw_write_error(const std::string& path, int cause, std::int64_t bytes = -1);

}  // namespace nntrain::io

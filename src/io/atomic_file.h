#pragma once
// Files appear by rename only: a reader sees the old file or the new one, never a part. Local; one process
// writes a path at a time.

#include <cstdint>
#include <string>

namespace nntrain::io {

/// Write to temporary_path() by any means and close that file, then commit(). Without commit the temporary
/// file is removed and `path` keeps its old content.
class AtomicFile {
 public:
  /// Makes missing folders; the temporary file is ".NAME.tmp-PID" in the same folder. Throws RuntimeError
  /// when the folder cannot be made or `path` is a folder.
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::string& path() const { return path_; }
  const std::string& temporary_path() const { return temporary_; }
  /// fsync of the temporary file, rename, fsync of the folder. RuntimeError: then `path` is the old file.
  /// Verify the temporary file before, if you want to.
  void commit();

 private:
  std::string path_;
  std::string temporary_;
  bool committed_ = false;
};

/// Makes `folder` and its parents; "" is the working directory. RuntimeError names the folder and the cause.
void create_directories(const std::string& folder);

/// Bytes that this user may still write on the file system of `path` (its folder); -1 when unknown.
std::int64_t free_bytes(const std::string& path);

/// RuntimeError with both numbers when the file system of `path` has less than `bytes` free.
void require_free_bytes(const std::string& path, std::int64_t bytes);

/// `cannot write "PATH": CAUSE (N bytes needed, M bytes free)`; bytes < 0 leaves the first number out.
[[noreturn]] void throw_write_error(const std::string& path, const std::string& cause,
                                    std::int64_t bytes = -1);

}  // namespace nntrain::io

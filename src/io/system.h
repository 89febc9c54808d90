#pragma once
// The system calls that files are written and read with. Everything in src/io that writes goes through here,
// so that a test can let the n-th call fail, write short or be the last one of a killed process
// (tests/fault/fault_system.h). Conventions are the kernel's: -1 and errno.

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace nntrain::io {

class System {
 public:
  virtual ~System() = default;
  virtual int open(const std::string& path, int flags, mode_t mode);
  virtual int close(int descriptor);
  virtual ssize_t pwrite(int descriptor, const void* bytes, std::size_t size, off_t at);
  /// At the descriptor's place; for streams and for files opened to append.
  virtual ssize_t write(int descriptor, const void* bytes, std::size_t size);
  virtual ssize_t pread(int descriptor, void* bytes, std::size_t size, off_t at);
  virtual int fsync(int descriptor);
  virtual int ftruncate(int descriptor, off_t size);
  /// Reserves blocks without changing the file's size (FALLOC_FL_KEEP_SIZE).
  virtual int reserve(int descriptor, off_t size);
  /// Written data may begin to move to the disk: a hint, so that a later fsync has less to do.
  virtual void start_writeback(int descriptor, off_t at, off_t size);
  /// Whether the kernel may read more than it is asked for (POSIX_FADV_NORMAL or _RANDOM); a hint.
  virtual void read_ahead(int descriptor, bool may);
  virtual int rename(const std::string& from, const std::string& to);
  virtual int link(const std::string& from, const std::string& to);
  virtual int unlink(const std::string& path);

  /// The kernel's. Stateless, lives as long as the process.
  static System& posix();
};

/// Write everything, through short writes and interruptions; 0 or errno.
int write_all(System& system, int descriptor, const void* bytes, std::size_t size);
int pwrite_all(System& system, int descriptor, const void* bytes, std::size_t size, std::int64_t at);

}  // namespace nntrain::io

#include "io/system.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace nntrain::io {

namespace {

/// Linux moves at most 2^31 - 4096 bytes a call.
constexpr std::size_t kMostBytes = std::size_t{1} << 30;

template <class Write>
int repeat(const void* bytes, std::size_t size, Write&& write) {
  const char* next = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t done = write(next, std::min(size, kMostBytes));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return errno;
    if (done == 0) return ENOSPC;  // POSIX leaves it open; never the way of a regular file with room
    next += done;
    size -= static_cast<std::size_t>(done);
  }
  return 0;
}

}  // namespace

int System::open(const std::string& path, int flags, mode_t mode) {
  return ::open(path.c_str(), flags, mode);
}
int System::close(int descriptor) { return ::close(descriptor); }
ssize_t System::pwrite(int descriptor, const void* bytes, std::size_t size, off_t at) {
  return ::pwrite(descriptor, bytes, size, at);
}
ssize_t System::write(int descriptor, const void* bytes, std::size_t size) {
  return ::write(descriptor, bytes, size);
}
ssize_t System::pread(int descriptor, void* bytes, std::size_t size, off_t at) {
  return ::pread(descriptor, bytes, size, at);
}
int System::fsync(int descriptor) { return ::fsync(descriptor); }
int System::ftruncate(int descriptor, off_t size) { return ::ftruncate(descriptor, size); }
int System::reserve(int descriptor, off_t size) {
  return ::fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, size);
}
void System::start_writeback(int descriptor, off_t at, off_t size) {
  ::sync_file_range(descriptor, at, size, SYNC_FILE_RANGE_WRITE);
}
void System::read_ahead(int descriptor, bool may) {
  ::posix_fadvise(descriptor, 0, 0, may ? POSIX_FADV_NORMAL : POSIX_FADV_RANDOM);
}
int System::rename(const std::string& from, const std::string& to) {
  return std::rename(from.c_str(), to.c_str());
}
int System::link(const std::string& from, const std::string& to) { return ::link(from.c_str(), to.c_str()); }
int System::unlink(const std::string& path) { return ::unlink(path.c_str()); }

System& System::posix() {
  static System system;
  return system;
}

int write_all(System& system, int descriptor, const void* bytes, std::size_t size) {
  return repeat(bytes, size,
                [&](const char* next, std::size_t piece) { return system.write(descriptor, next, piece); });
}

int pwrite_all(System& system, int descriptor, const void* bytes, std::size_t size, std::int64_t at) {
  return repeat(bytes, size, [&](const char* next, std::size_t piece) {
    return system.pwrite(descriptor, next, piece, at + (next - static_cast<const char*>(bytes)));
  });
}

}  // namespace nntrain::io

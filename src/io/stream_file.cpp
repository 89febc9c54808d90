#include "io/stream_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "io/atomic_file.h"

namespace nntrain::io {

namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

/// The descriptor that `path` names, -1 when it names none.
int own_descriptor(const std::string& path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  for (const std::string folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(folder)) continue;
    const std::string number = path.substr(folder.size());
    if (!number.empty() && number.size() < 6 && number.find_first_not_of("0123456789") == std::string::npos)
      return std::stoi(number);
  }
  return -1;
}

}  // namespace

void append_to_file(const std::string& path, std::string_view text, System& system) {
  if (const std::string kind = kind_of_special_file(path); !kind.empty())
    throw InputError(fmt::format("cannot write \"{}\": it is {}; give the name of a file", path, kind));
  const int descriptor = system.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) throw_write_error(path, errno);
  struct stat status {};
  int cause = ::fstat(descriptor, &status) == 0 ? 0 : errno;
  if (cause == 0) {
    cause = write_all(system, descriptor, text.data(), text.size());
    if (cause == 0 && system.fsync(descriptor) != 0 && errno != EINVAL) cause = errno;
    if (cause != 0 && system.ftruncate(descriptor, status.st_size) != 0) errno = 0;  // no half of a line
  }
  if (system.close(descriptor) != 0 && cause == 0 && errno != EINTR) cause = errno;
  if (cause != 0) throw_write_error(path, cause, status.st_size + static_cast<std::int64_t>(text.size()));
}

bool is_stream(const std::string& path) {
  struct stat status {};
  return own_descriptor(path) >= 0 ||
         (::stat(path.c_str(), &status) == 0 && (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode)));
}

bool is_standard_output(const std::string& path) { return own_descriptor(path) == STDOUT_FILENO; }

StreamFile::StreamFile(std::string path, System& system) : system_(system), path_(std::move(path)) {
  const int own = own_descriptor(path_);
  descriptor_ =
      own >= 0 ? ::fcntl(own, F_DUPFD_CLOEXEC, 3) : system_.open(path_, O_WRONLY | O_CLOEXEC | O_NOCTTY, 0);
  if (descriptor_ < 0) throw_write_error(path_, errno);
}

StreamFile::~StreamFile() {
  if (descriptor_ >= 0) system_.close(descriptor_);
}

void StreamFile::append(std::string_view bytes) {
  buffer_ += bytes;
  if (buffer_.size() >= kBufferBytes) flush();
}

void StreamFile::flush() {
  const int cause = write_all(system_, descriptor_, buffer_.data(), buffer_.size());
  if (cause != 0) throw_write_error(path_, cause);
  buffer_.clear();
}

void StreamFile::close() {
  flush();
  const int descriptor = descriptor_;
  descriptor_ = -1;
  if (system_.close(descriptor) != 0 && errno != EINTR) throw_write_error(path_, errno);
}

}  // namespace nntrain::io

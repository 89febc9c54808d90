#include "io/hdf5_raw.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace nntrain::io {

RawFile::RawFile(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}

RawFile::~RawFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::size_t RawFile::read(std::uint64_t at, char* memory, std::size_t size) const {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(descriptor_, memory + done, size - done, static_cast<off_t>(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::uint64_t RawFile::base_address() const {
  constexpr std::string_view kSignature("\x89HDF\r\n\x1a\n", 8);
  char bytes[kSignature.size()];
  // At 0, 512, 1024, 2048, ...
  for (std::uint64_t at = 0; read(at, bytes, sizeof bytes) == sizeof bytes; at = at == 0 ? 512 : at * 2) {
    if (std::string_view(bytes, sizeof bytes) == kSignature) return at;
  }
  return 0;
}

std::uint64_t little_endian(const char* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace nntrain::io

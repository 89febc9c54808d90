#pragma once
// Private to src/io: an HDF5 file's bytes, for what is checked before libhdf5 reads it.

#include <cstddef>
#include <cstdint>
#include <string>

namespace nntrain::io {

/// Positioned reads of one file; short at its end.
class RawFile {
 public:
  explicit RawFile(const std::string& path);
  ~RawFile();
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  std::size_t read(std::uint64_t at, char* memory, std::size_t size) const;
  /// Where addresses count from: a block of the user's own may come before the superblock.
  std::uint64_t base_address() const;

 private:
  int descriptor_;
};

/// `count` up to 8.
std::uint64_t little_endian(const char* bytes, std::size_t count);

}  // namespace nntrain::io

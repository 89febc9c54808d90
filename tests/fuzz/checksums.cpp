#include "fuzz/checksums.h"

#include <zlib.h>

#include <cstdint>
#include <string_view>

/// libhdf5's own; <hdf5.h> is for src/io alone, and does not have it.
extern "C" std::uint32_t H5_checksum_metadata(const void* bytes, std::size_t size, std::uint32_t initial);

namespace nntrain::fuzz {

namespace {

std::uint64_t little_endian(const std::string& bytes, std::size_t at, std::size_t count) {
  if (at + count > bytes.size()) return 0;
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

void put(std::string& bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}

/// The four bytes behind [at, at + size), where they are in the file.
void sign(std::string& file, std::size_t at, std::uint64_t size) {
  if (at > file.size() || size > file.size() - at || file.size() - at - size < 4) return;
  put(file, at + size, H5_checksum_metadata(file.data() + at, size, 0));
}

template <class Visit>
void each(const std::string& bytes, std::string_view word, Visit visit) {
  for (std::size_t at = bytes.find(word); at != std::string::npos; at = bytes.find(word, at + 1)) visit(at);
}

/// Header and messages of an object header, without the checksum. File format 3.0, IV.A.1.b.
std::uint64_t header_bytes(const std::string& file, std::size_t at) {
  const std::uint64_t flags = little_endian(file, at + 5, 1);
  const std::size_t before = 6 + ((flags & 0x20U) != 0 ? 16 : 0) + ((flags & 0x10U) != 0 ? 4 : 0);
  const std::size_t width = std::size_t{1} << (flags & 3U);
  return before + width + little_endian(file, at + before, width);
}

/// A continuation's length stands where its address does.
std::uint64_t continuation_bytes(const std::string& file, std::size_t at) {
  std::string address;
  for (std::size_t i = 0; i < 8; ++i) address += static_cast<char>(std::uint64_t{at} >> (8 * i));
  const std::size_t found = file.find(address);
  return found == std::string::npos ? 0 : little_endian(file, found + 8, 8) - 4;
}

}  // namespace

std::string with_hdf5_checksums(std::string file) {
  constexpr std::size_t kSuperblockBytes = 44;
  if (little_endian(file, 8, 1) >= 2) sign(file, 0, kSuperblockBytes);
  each(file, "OHDR\2", [&](std::size_t at) { sign(file, at, header_bytes(file, at)); });
  each(file, "OCHK", [&](std::size_t at) { sign(file, at, continuation_bytes(file, at)); });
  return file;
}

std::string with_zip_checksums(std::string archive) {
  each(archive, std::string_view("PK\1\2", 4), [&](std::size_t entry) {
    const std::uint64_t size = little_endian(archive, entry + 24, 4);
    const std::size_t local = little_endian(archive, entry + 42, 4);
    const std::size_t data =
        local + 30 + little_endian(archive, local + 26, 2) + little_endian(archive, local + 28, 2);
    const bool stored = little_endian(archive, entry + 10, 2) == 0;
    if (!stored || entry + 46 > archive.size() || data > archive.size() || size > archive.size() - data)
      return;
    const auto checksum = static_cast<std::uint32_t>(
        ::crc32(0, reinterpret_cast<const Bytef*>(archive.data()) + data, static_cast<uInt>(size)));
    put(archive, entry + 16, checksum);
    put(archive, local + 14, checksum);
  });
  return archive;
}

}  // namespace nntrain::fuzz

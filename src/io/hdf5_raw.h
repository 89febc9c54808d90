#pragma once
// Private to src/io: an HDF5 file's bytes, for what is checked before libhdf5 reads it.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace nntrain::io {

using RawBytes = std::span<const char>;

/// Positioned reads of one file; short at its end.
class RawFile {
 public:
  explicit RawFile(const std::string& path);
  /// One that libhdf5 has open; it stays open.
  explicit RawFile(int descriptor) : descriptor_(descriptor) {}
  ~RawFile();
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  std::size_t read(std::uint64_t at, char* memory, std::size_t size) const;
  /// Where addresses count from: a block of the user's own may come before the superblock.
  std::uint64_t base_address() const;

 private:
  int descriptor_;
  bool owned_ = false;
};

/// `count` up to 8.
std::uint64_t little_endian(const char* bytes, std::size_t count);
/// Of any width: 0 where the bytes are not there, 2^64 - 1 for what passes 64 bits.
std::uint64_t number(RawBytes bytes, std::size_t at, std::size_t count);

/// An HDF5 file's structures by their addresses. None of them shares bytes with another, so that all that are
/// read are no longer than the file: a damaged one that makes a few bytes many structures costs no more.
class RawStructures {
 public:
  RawStructures(const RawFile& file, std::uint64_t file_bytes);

  std::size_t address_bytes() const { return address_bytes_; }
  std::size_t length_bytes() const { return length_bytes_; }
  bool holds(std::uint64_t address, std::uint64_t size) const {
    return address <= file_bytes_ && size <= file_bytes_ - address;
  }
  /// `size` bytes at `address`, fewer at the file's end. False: together with what was read before they are
  /// more than the file has.
  bool read(std::uint64_t address, std::uint64_t size, std::vector<char>& bytes);

  struct Message {
    unsigned type = 0;
    bool shared = false;  ///< it says where it is
    RawBytes bytes;
  };
  struct Superblock {
    std::uint64_t end_of_file = 0;
    std::vector<std::uint64_t> objects;  ///< where headers are: the root group's, that of its own extension
  };
  /// What it says; nothing of a file without one.
  Superblock superblock() const;
  /// Gives `visit` all messages of the object header at `address`. What is no header or message is left to
  /// libhdf5, which refuses it. False: its pieces are more than the file has, or one is too short for its
  /// own checksum, which libhdf5 1.10 then takes over all that lies behind it in memory.
  bool each_message(std::uint64_t address, const std::function<void(const Message&)>& visit);

 private:
  const RawFile& file_;
  std::uint64_t file_bytes_, base_, left_;
  std::size_t address_bytes_ = 8, length_bytes_ = 8;
};

}  // namespace nntrain::io

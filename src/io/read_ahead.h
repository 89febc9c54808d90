#pragma once
// Private to src/io: keeps the kernel from reading what nobody wants. Local.

#include <cstdint>

#include "io/system.h"

namespace nntrain::io {

/// A read in the middle of a file lets the kernel read on behind it, by up to the device's read-ahead (128
/// KiB as a rule, megabytes on some disks). Blocks of rows in a mixed order then cost several times their
/// bytes: of 20 GB of compressed blocks of 570 KB, with 8 MiB ahead, 57 GB were read. So after a jump nothing
/// is read ahead, until some megabytes were read one after the other.
class ReadAhead {
 public:
  static constexpr std::int64_t kInARow = std::int64_t{8}
                                          << 20;  ///< bytes that make a reader one that goes on

  /// Of one open file: `bytes` bytes at `at` are read next.
  void before_read(System& system, int descriptor, std::int64_t at, std::int64_t bytes);

 private:
  std::int64_t next_ = 0;  ///< behind what was read last
  std::int64_t in_a_row_ = 0;
  bool may_ = true;
};

}  // namespace nntrain::io

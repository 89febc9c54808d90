#include "io/npy_header.h"

#include <cstdint>

namespace nntrain::io {

std::string npy_header(const Shape& shape) {
  constexpr std::size_t kPrefix = 10;  // magic, version, length
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape.to_string() + ", }";
  header.resize((header.size() + 1 + kPrefix + 63) / 64 * 64 - kPrefix - 1, ' ');
  header += '\n';
  const auto length = static_cast<std::uint16_t>(header.size());
  std::string prefix("\x93NUMPY\x01\x00", 8);
  prefix += static_cast<char>(length & 255U);
  prefix += static_cast<char>(length >> 8U);
  return prefix + header;
}

}  // namespace nntrain::io

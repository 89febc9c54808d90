#pragma once
// Private to src/data: numbers as IDX and NPY files store them, turned into uint8 or float32.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "data/array_source.h"
#include "io/input_file.h"

namespace nntrain::data {

enum class RawKind { kUnsigned, kSigned, kFloat };

struct RawType {
  RawKind kind = RawKind::kUnsigned;
  std::size_t bytes = 1;
  std::endian order = std::endian::native;
  /// uint8 stays, everything else becomes float32.
  Element element() const {
    return kind == RawKind::kUnsigned && bytes == 1 ? Element::kUint8 : Element::kFloat32;
  }
};

/// Reads as many numbers as `memory` takes elements. InputError when the stream ends before.
void read_numbers(io::InputFile& file, const RawType& type, std::span<std::byte> memory);

/// "16777217 becomes 16777216": the first whole number in `raw` that float32 does not hold; empty: none.
std::string first_rounded(const RawType& type, std::span<const std::byte> raw);

}  // namespace nntrain::data

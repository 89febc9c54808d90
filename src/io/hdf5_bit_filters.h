#pragma once
// Private to src/io: filters that pack elements into as many bits as they need, nbit and scale-offset. How
// many bytes of a chunk libhdf5 reads to unpack it follows from the filter's values in the dataset's header
// and from the chunk's first bytes; version 1.10 believes both.

#include <cstdint>
#include <optional>
#include <span>

namespace nntrain::io::detail {

/// Their numbers in HDF5.
constexpr int kNbit = 5, kScaleOffset = 6;
constexpr bool packs_bits(int filter) { return filter == kNbit || filter == kScaleOffset; }

/// Bytes that unpacking reads of `packed`, a chunk as the filter left it, and no more than there are when the
/// chunk is whole. `values`: the filter's, from the dataset. `bytes`: of a chunk's elements. Nothing when
/// what is said there would not give these, or cannot be. HDF5 1.10, H5Znbit.c and H5Zscaleoffset.c. Local.
std::optional<std::uint64_t> bytes_of_bits(int filter, std::span<const unsigned> values,
                                           std::span<const unsigned char> packed, std::uint64_t bytes);

}  // namespace nntrain::io::detail

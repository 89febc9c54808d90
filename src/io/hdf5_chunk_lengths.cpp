#include "io/hdf5_chunk_lengths.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include <memory>
#include <new>

#include "io/hdf5_call.h"

namespace nntrain::io::detail {

namespace {

constexpr hsize_t kFletcherBytes = 4;

std::string rows_of(hsize_t first, hsize_t rows) {
  return fmt::format("the chunk of rows {} to {}", first, first + rows);
}

bool inflates_to(std::span<const unsigned char> stored, hsize_t bytes) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> decompressor(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (!decompressor) throw std::bad_alloc();
  std::vector<unsigned char> plain(bytes);
  return libdeflate_zlib_decompress(decompressor.get(), stored.data(), stored.size(), plain.data(), bytes,
                                    nullptr) == LIBDEFLATE_SUCCESS;
}

/// szip's own word for how long its output is.
bool unpacks_to(std::span<const unsigned char> stored, hsize_t bytes) {
  if (stored.size() < 4) return false;
  hsize_t said = 0;
  for (int i = 3; i >= 0; --i) said = said << 8 | stored[static_cast<std::size_t>(i)];
  return said == bytes;
}

}  // namespace

ChunkLengths::ChunkLengths(hid_t dataset, hid_t creation, const Shape& shape, std::int64_t file_bytes)
    : shape_(shape.extents().begin(), shape.extents().end()),
      extents_(shape_.size()),
      file_bytes_(static_cast<hsize_t>(file_bytes)) {
  const Hdf5Handle type(H5Dget_type(dataset));
  bytes_ = H5Tget_size(type.id());
  H5Pget_chunk(creation, static_cast<int>(extents_.size()), extents_.data());
  for (const hsize_t extent : extents_) bytes_ *= extent;
  unsigned options = 0;
  plain_edges_ =
      H5Pget_chunk_opts(creation, &options) >= 0 && (options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) != 0;
  for (int i = 0; i < H5Pget_nfilters(creation); ++i) {
    unsigned flags = 0, configuration = 0;
    std::size_t values = 0;
    filters_.push_back(H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, nullptr, 0,
                                      nullptr, &configuration));
  }
}

std::string ChunkLengths::complaint(hid_t dataset, std::int64_t first, std::int64_t end) {
  std::vector<hsize_t> place(extents_.size());
  place[0] = static_cast<hsize_t>(first) / extents_[0] * extents_[0];
  while (place[0] < static_cast<hsize_t>(end)) {
    std::uint64_t number = 0;
    for (std::size_t axis = 0; axis < place.size(); ++axis)
      number = number * (shape_[axis] / extents_[axis] + 1) + place[axis] / extents_[axis];
    Stored chunk{place};
    haddr_t address = HADDR_UNDEF;
    // One that is not there has no address; what cannot be looked up is an error of reading, too.
    if (!seen_.contains(number) &&
        H5Dget_chunk_info_by_coord(dataset, place.data(), &chunk.left_out, &address, &chunk.bytes) >= 0 &&
        address != HADDR_UNDEF) {
      if (std::string wrong = complaint(dataset, chunk); !wrong.empty()) return wrong;
      seen_.insert(number);
    }
    std::size_t axis = place.size() - 1;  // the next one: the last axis is the quickest
    for (place[axis] += extents_[axis]; axis > 0 && place[axis] >= shape_[axis];
         place[axis] += extents_[axis])
      place[axis--] = 0;
  }
  return "";
}

bool ChunkLengths::is_cut_and_plain(std::span<const hsize_t> place) const {
  if (!plain_edges_) return false;
  for (std::size_t axis = 0; axis < place.size(); ++axis)
    if (place[axis] + extents_[axis] > shape_[axis]) return true;
  return false;
}

std::string ChunkLengths::complaint(hid_t dataset, const Stored& chunk) const {
  H5Z_filter_t packed = H5Z_FILTER_NONE;
  hsize_t length = bytes_;  // before packing
  hsize_t behind = 0;       // added after it
  for (std::size_t i = 0; i < filters_.size() && !is_cut_and_plain(chunk.place); ++i) {
    if ((chunk.left_out >> i & 1U) != 0 || filters_[i] == H5Z_FILTER_SHUFFLE) continue;
    if (filters_[i] == H5Z_FILTER_FLETCHER32) {
      (packed == H5Z_FILTER_NONE ? length : behind) += kFletcherBytes;
    } else if (packed == H5Z_FILTER_NONE &&
               (filters_[i] == H5Z_FILTER_DEFLATE || filters_[i] == H5Z_FILTER_SZIP)) {
      packed = filters_[i];
    } else {
      return "";  // its output's length follows from the dataset, or is not known
    }
  }
  if (packed != H5Z_FILTER_NONE) return complaint_packed(dataset, chunk, packed, length, behind);
  if (chunk.bytes == length) return "";
  return fmt::format("{} has {} bytes, not {}", rows_of(chunk.place[0], extents_[0]), chunk.bytes, length);
}

std::string ChunkLengths::complaint_packed(hid_t dataset, const Stored& chunk, H5Z_filter_t filter,
                                           hsize_t unpacked, hsize_t behind) const {
  const bool possible = chunk.bytes > behind && chunk.bytes <= file_bytes_;
  std::vector<unsigned char> stored(possible ? chunk.bytes : 0);
  std::uint32_t left_out = 0;
  const bool there =
      possible && H5Dread_chunk(dataset, H5P_DEFAULT, chunk.place.data(), &left_out, stored.data()) >= 0;
  const auto packed = std::span<const unsigned char>(stored).first(there ? chunk.bytes - behind : 0);
  const bool whole =
      filter == H5Z_FILTER_DEFLATE ? inflates_to(packed, unpacked) : unpacks_to(packed, unpacked);
  if (whole) return "";
  return fmt::format("{} does not inflate to its {} bytes", rows_of(chunk.place[0], extents_[0]), unpacked);
}

}  // namespace nntrain::io::detail

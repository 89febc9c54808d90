#include "io/hdf5_chunk_lengths.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include <memory>
#include <new>

#include "io/hdf5_bit_filters.h"
#include "io/hdf5_call.h"

namespace nntrain::io::detail {

namespace {

constexpr hsize_t kFletcherBytes = 4;

std::string rows_of(hsize_t first, hsize_t rows) {
  return fmt::format("the chunk of rows {} to {}", first, first + rows);
}

/// Inflates to at most plain.size() bytes, or where `length` is null to as many. False: not so.
bool inflate(std::span<const unsigned char> stored, std::span<unsigned char> plain, std::size_t* length) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> decompressor(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (!decompressor) throw std::bad_alloc();
  return libdeflate_zlib_decompress(decompressor.get(), stored.data(), stored.size(), plain.data(),
                                    plain.size(), length) == LIBDEFLATE_SUCCESS;
}

bool inflates_to(std::span<const unsigned char> stored, hsize_t bytes) {
  std::vector<unsigned char> plain(bytes);
  return inflate(stored, plain, nullptr);
}

/// Bytes of elements of `size` together again: shuffled, all first bytes come first, then all second ones ..
/// A rest that is no whole element stays at the end.
std::vector<unsigned char> unshuffled(std::vector<unsigned char> bytes, std::size_t size) {
  if (size < 2) return bytes;
  const std::size_t elements = bytes.size() / size;
  std::vector<unsigned char> whole = bytes;
  for (std::size_t byte = 0; byte < size && elements > 0; ++byte)
    for (std::size_t i = 0; i < elements; ++i) whole[i * size + byte] = bytes[byte * elements + i];
  return whole;
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
    values_.emplace_back(values);
    H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, values_.back().data(), 0, nullptr,
                   &configuration);
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
  const bool filtered = !is_cut_and_plain(chunk.place);
  if (filtered && !filters_.empty() && packs_bits(filters_[0]) && is_used(0, chunk))
    return complaint_bits(dataset, chunk);
  for (std::size_t i = 0; i < filters_.size() && filtered; ++i) {
    if (!is_used(i, chunk) || filters_[i] == H5Z_FILTER_SHUFFLE) continue;
    if (filters_[i] == H5Z_FILTER_FLETCHER32) {
      (packed == H5Z_FILTER_NONE ? length : behind) += kFletcherBytes;
    } else if (packed == H5Z_FILTER_NONE &&
               (filters_[i] == H5Z_FILTER_DEFLATE || filters_[i] == H5Z_FILTER_SZIP)) {
      packed = filters_[i];
    } else if (packs_bits(filters_[i])) {
      return fmt::format("{} is packed by filters in an order that is not read; h5repack writes another",
                         rows_of(chunk.place[0], extents_[0]));
    } else {
      return "";  // a plugin's: nothing is known of its output
    }
  }
  if (packed != H5Z_FILTER_NONE) return complaint_packed(dataset, chunk, packed, length, behind);
  if (chunk.bytes == length) return "";
  return fmt::format("{} has {} bytes, not {}", rows_of(chunk.place[0], extents_[0]), chunk.bytes, length);
}

/// As it lies in the file; nothing when it cannot be read.
std::vector<unsigned char> ChunkLengths::read(hid_t dataset, const Stored& chunk) const {
  std::vector<unsigned char> stored(chunk.bytes <= file_bytes_ ? chunk.bytes : 0);
  std::uint32_t left_out = 0;
  if (stored.empty() || H5Dread_chunk(dataset, H5P_DEFAULT, chunk.place.data(), &left_out, stored.data()) < 0)
    stored.clear();
  return stored;
}

std::string ChunkLengths::complaint_packed(hid_t dataset, const Stored& chunk, H5Z_filter_t filter,
                                           hsize_t unpacked, hsize_t behind) const {
  const std::vector<unsigned char> stored = read(dataset, chunk);
  const auto packed = std::span(stored).first(stored.size() > behind ? stored.size() - behind : 0);
  const bool whole =
      filter == H5Z_FILTER_DEFLATE ? inflates_to(packed, unpacked) : unpacks_to(packed, unpacked);
  if (whole) return "";
  return fmt::format("{} does not inflate to its {} bytes", rows_of(chunk.place[0], extents_[0]), unpacked);
}

/// Of a chunk whose bits are packed, and then maybe shuffled, deflated and summed.
std::string ChunkLengths::complaint_bits(hid_t dataset, const Stored& chunk) const {
  constexpr hsize_t kMoreThanElements = 64;  // packing adds its own header, and a byte
  const std::string rows = rows_of(chunk.place[0], extents_[0]);
  std::vector<unsigned char> packed = read(dataset, chunk);
  for (std::size_t i = filters_.size(); i-- > 1;) {  // as reading undoes them
    if (!is_used(i, chunk)) continue;
    if (filters_[i] == H5Z_FILTER_FLETCHER32) {
      packed.resize(packed.size() > kFletcherBytes ? packed.size() - kFletcherBytes : 0);
    } else if (filters_[i] == H5Z_FILTER_DEFLATE) {
      std::vector<unsigned char> plain(bytes_ + kMoreThanElements);
      std::size_t length = 0;
      if (!inflate(packed, plain, &length)) return fmt::format("{} does not inflate", rows);
      plain.resize(length);
      packed = std::move(plain);
    } else if (filters_[i] == H5Z_FILTER_SHUFFLE && !values_[i].empty()) {
      packed = unshuffled(std::move(packed), values_[i][0]);
    } else if (filters_[i] == H5Z_FILTER_SZIP || filters_[i] == H5Z_FILTER_SHUFFLE ||
               packs_bits(filters_[i])) {
      return fmt::format("{} is packed by filters in an order that is not read; h5repack writes another",
                         rows);
    } else {
      return "";  // a plugin's
    }
  }
  const std::optional<std::uint64_t> needed = bytes_of_bits(filters_[0], values_[0], packed, bytes_);
  if (!needed) return fmt::format("{} is not packed from its {} bytes", rows, bytes_);
  if (packed.size() >= *needed) return "";
  return fmt::format("{} has {} packed bytes, not {}", rows, packed.size(), *needed);
}

}  // namespace nntrain::io::detail

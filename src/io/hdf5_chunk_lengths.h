#pragma once
// Private to src/io: the lengths of chunks that libhdf5 reads. Version 1.10 takes it on trust that a chunk,
// read from the file and freed of its filters, has as many bytes as a chunk of its dataset: of one that has
// fewer it copies what lies behind it in memory, without an error.

#include <hdf5.h>

#include <cstdint>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/shape.h"

namespace nntrain::io::detail {

/// The chunks of one dataset, which is only read. Remembers which ones were looked at. All of it under the
/// lock of libhdf5.
class ChunkLengths {
 public:
  /// Of a dataset that is stored in chunks.
  ChunkLengths(hid_t dataset, hid_t creation, const Shape& shape, std::int64_t file_bytes);

  /// What is wrong with a chunk that holds elements of rows [first, end), "" when nothing is. Inflates a gzip
  /// chunk that was not looked at before. Known are gzip, szip, shuffle, Fletcher 32, and nbit and
  /// scale-offset as the first one; of chunks with others, which libhdf5 loads as plugins, nothing is said.
  /// Throws std::bad_alloc.
  std::string complaint(hid_t dataset, std::int64_t first, std::int64_t end);

 private:
  /// A chunk as it lies in the file.
  struct Stored {
    std::span<const hsize_t> place;  ///< its first element, along each axis
    unsigned left_out = 0;           ///< bit i: filter i was not used
    hsize_t bytes = 0;
  };
  std::string complaint(hid_t dataset, const Stored& chunk) const;
  std::string complaint_packed(hid_t dataset, const Stored& chunk, H5Z_filter_t filter, hsize_t unpacked,
                               hsize_t behind) const;
  std::string complaint_bits(hid_t dataset, const Stored& chunk) const;
  std::vector<unsigned char> read(hid_t dataset, const Stored& chunk) const;
  bool is_used(std::size_t filter, const Stored& chunk) const { return (chunk.left_out >> filter & 1U) == 0; }
  bool is_cut_and_plain(std::span<const hsize_t> place) const;

  std::vector<hsize_t> shape_, extents_;  ///< of the dataset and of a chunk, along each axis
  hsize_t bytes_ = 1;                     ///< of a chunk's elements
  hsize_t file_bytes_;
  std::vector<H5Z_filter_t> filters_;          ///< in the order of writing
  std::vector<std::vector<unsigned>> values_;  ///< of each filter
  bool plain_edges_ = false;  ///< chunks that pass the array's end are stored without filters
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace nntrain::io::detail

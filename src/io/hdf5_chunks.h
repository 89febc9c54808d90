#pragma once
// Private to src/io: rows out of gzip-compressed chunks, inflated by libdeflate, which takes half the time of
// zlib in libhdf5 (docs/decisions.md), and without libhdf5's lock. Only the plain case: whole chunks of whole
// rows, deflated after at most a shuffle of their bytes, of elements that need no conversion. All else is
// left to libhdf5.

#include <hdf5.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/shape.h"

namespace nntrain::io::detail {

/// How a dataset's chunks lie in its file.
struct PlainChunks {
  std::int64_t rows = 0;   ///< of a chunk
  std::int64_t bytes = 0;  ///< of a chunk when it is inflated
  std::size_t element_bytes = 0;
  bool shuffled = false;  ///< first bytes of all its elements, then second ones ..
};

/// Nothing when a chunk is not plain. To be called with the lock of libhdf5 held, as all of it.
std::optional<PlainChunks> plain_chunks(hid_t dataset, hid_t creation, const Shape& shape);

/// Inflates the chunks of one dataset; local to a thread.
class ChunkInflater {
 public:
  ChunkInflater(hid_t dataset, const PlainChunks& chunks, std::int64_t file_bytes);
  ~ChunkInflater();
  ChunkInflater(const ChunkInflater&) = delete;
  ChunkInflater& operator=(const ChunkInflater&) = delete;

  /// Reads the stored bytes of the chunk whose first row is `row`. False: it is libhdf5's affair. Under the
  /// lock.
  bool read(std::int64_t row);
  /// Inflates what was read into the first `rows` rows of `memory` (all of the chunk's, or fewer at the
  /// array's end). False: damaged, also when it inflates to another length, of which libhdf5 1.10 takes no
  /// notice; `memory` holds nothing of use then. Needs no lock.
  bool inflate(std::int64_t rows, std::byte* memory);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nntrain::io::detail

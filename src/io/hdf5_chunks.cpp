#include "io/hdf5_chunks.h"

#include <libdeflate.h>

#include <bit>
#include <cstring>
#include <new>
#include <vector>

#include "io/hdf5_call.h"

namespace nntrain::io::detail {

namespace {

/// Its elements are as memory has them: float32, or bytes.
bool needs_no_conversion(hid_t dataset) {
  const Hdf5Handle type(H5Dget_type(dataset));
  return type.id() >= 0 &&
         (H5Tequal(type.id(), H5T_NATIVE_FLOAT) > 0 || H5Tequal(type.id(), H5T_NATIVE_UINT8) > 0);
}

/// [shuffle,] deflate, also for the last, partial chunk.
bool has_plain_filters(hid_t creation, bool& shuffled) {
  unsigned options = 0;
  if (H5Pget_chunk_opts(creation, &options) < 0 || options != 0) return false;
  const int filters = H5Pget_nfilters(creation);
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0, configuration = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, nullptr,
                                               0, nullptr, &configuration);
    if (i == filters - 1) return filter == H5Z_FILTER_DEFLATE;
    if (i > 0 || filter != H5Z_FILTER_SHUFFLE) return false;
    shuffled = true;
  }
  return false;
}

/// The bytes of float32 numbers, in planes: first bytes of all, then second ones ..
void unshuffle(const unsigned char* planes, std::size_t plane, std::size_t count, std::byte* memory) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t bits = std::uint32_t{planes[i]} | std::uint32_t{planes[plane + i]} << 8 |
                               std::uint32_t{planes[2 * plane + i]} << 16 |
                               std::uint32_t{planes[3 * plane + i]} << 24;
    std::memcpy(memory + 4 * i, &bits, sizeof bits);
  }
}

}  // namespace

std::optional<PlainChunks> plain_chunks(hid_t dataset, hid_t creation, const Shape& shape) {
  PlainChunks chunks;
  hsize_t extents[H5S_MAX_RANK] = {};
  if (std::endian::native != std::endian::little || H5Pget_layout(creation) != H5D_CHUNKED) return {};
  const int axes = H5Pget_chunk(creation, H5S_MAX_RANK, extents);
  if (axes < 1 || static_cast<std::size_t>(axes) != shape.extents().size()) return {};
  if (!needs_no_conversion(dataset) || !has_plain_filters(creation, chunks.shuffled)) return {};
  const Hdf5Handle type(H5Dget_type(dataset));
  chunks.element_bytes = H5Tget_size(type.id());
  chunks.shuffled = chunks.shuffled && chunks.element_bytes > 1;
  chunks.rows = static_cast<std::int64_t>(extents[0]);
  chunks.bytes = static_cast<std::int64_t>(chunks.element_bytes);
  for (std::size_t axis = 0; axis < shape.extents().size(); ++axis) {
    if (axis > 0 && static_cast<std::int64_t>(extents[axis]) != shape.extents()[axis]) return {};
    if (__builtin_mul_overflow(chunks.bytes, static_cast<std::int64_t>(extents[axis]), &chunks.bytes))
      return {};
  }
  if (chunks.bytes <= 0) return {};
  return chunks;
}

struct ChunkInflater::State {
  hid_t dataset;
  PlainChunks chunks;
  std::int64_t file_bytes;
  libdeflate_decompressor* decompressor;
  std::vector<unsigned char> stored, plain;
};

ChunkInflater::ChunkInflater(hid_t dataset, const PlainChunks& chunks, std::int64_t file_bytes)
    : state_(std::make_unique<State>(
          State{dataset, chunks, file_bytes, libdeflate_alloc_decompressor(), {}, {}})) {
  if (state_->decompressor == nullptr) throw std::bad_alloc();
}

ChunkInflater::~ChunkInflater() { libdeflate_free_decompressor(state_->decompressor); }

bool ChunkInflater::read(std::int64_t row) {
  State& now = *state_;
  hsize_t place[H5S_MAX_RANK] = {static_cast<hsize_t>(row)};
  hsize_t bytes = 0;  // an address that was never given fails, or gives 0
  if (H5Dget_chunk_storage_size(now.dataset, place, &bytes) < 0 || bytes == 0) return false;
  if (bytes > static_cast<hsize_t>(now.file_bytes)) return false;
  now.stored.resize(bytes);
  std::uint32_t left_out = 0;  // filters that this chunk was written without
  return H5Dread_chunk(now.dataset, H5P_DEFAULT, place, &left_out, now.stored.data()) >= 0 && left_out == 0;
}

bool ChunkInflater::inflate(std::int64_t rows, std::byte* memory) {
  State& now = *state_;
  const auto all = static_cast<std::size_t>(now.chunks.bytes);
  const std::size_t wanted = all / static_cast<std::size_t>(now.chunks.rows) * static_cast<std::size_t>(rows);
  const bool directly = !now.chunks.shuffled && rows == now.chunks.rows;
  if (!directly) now.plain.resize(all);
  void* target = directly ? static_cast<void*>(memory) : now.plain.data();
  // Without a place for the length: anything but exactly `all` bytes is an error, and so is another checksum.
  if (libdeflate_zlib_decompress(now.decompressor, now.stored.data(), now.stored.size(), target, all,
                                 nullptr) != LIBDEFLATE_SUCCESS) {
    return false;
  }
  if (now.chunks.shuffled) {
    const std::size_t element = now.chunks.element_bytes;
    unshuffle(now.plain.data(), all / element, wanted / element, memory);
  } else if (!directly) {
    std::memcpy(memory, now.plain.data(), wanted);
  }
  return true;
}

}  // namespace nntrain::io::detail

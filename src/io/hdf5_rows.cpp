// Datasets that are written some rows at a time.

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "io/hdf5_call.h"

namespace nntrain::io {

using detail::Hdf5Context;
using detail::Hdf5Handle;

namespace {

Hdf5Handle creation_properties(const Shape& shape, const Hdf5Layout& layout, const Hdf5Context& context,
                               const std::string& what) {
  Hdf5Handle creation = checked(H5Pcreate(H5P_DATASET_CREATE), context, what);
  check(H5Pset_obj_track_times(creation.id(), false), context, what);
  if (layout.chunk_rows == 0) {
    check(H5Pset_fill_time(creation.id(), H5D_FILL_TIME_NEVER), context, what);
    return creation;
  }
  std::vector<hsize_t> chunk(shape.extents().begin(), shape.extents().end());
  const auto rows = static_cast<hsize_t>(layout.chunk_rows);
  chunk[0] = layout.grows ? rows : std::min(chunk[0], rows);
  check(H5Pset_chunk(creation.id(), static_cast<int>(chunk.size()), chunk.data()), context, what);
  if (layout.gzip > 0) {
    check(H5Pset_shuffle(creation.id()), context, what);
    check(H5Pset_deflate(creation.id(), static_cast<unsigned>(layout.gzip)), context, what);
  }
  if (layout.checksum) check(H5Pset_fletcher32(creation.id()), context, what);
  return creation;
}

/// Any number of rows.
hid_t make_growing_space(const Shape& shape) {
  const std::vector<hsize_t> now(shape.extents().begin(), shape.extents().end());
  std::vector<hsize_t> most = now;
  most[0] = H5S_UNLIMITED;
  return H5Screate_simple(static_cast<int>(now.size()), now.data(), most.data());
}

}  // namespace

Hdf5Rows Hdf5Group::create_dataset(std::string_view path, const Shape& shape, std::int64_t file_type,
                                   const Hdf5Layout& layout) {
  Hdf5Lock lock;
  create_parent(path);
  const std::string full = name_of(path);
  const std::string what =
      fmt::format("cannot write the dataset {} of shape {}", object_name(*context_, full), shape.to_string());
  if (shape.rank() == 0) throw RuntimeError("internal: " + what + ": it has no rows");
  const Hdf5Handle link = checked(H5Pcreate(H5P_LINK_CREATE), *context_, what);
  check(H5Pset_char_encoding(link.id(), H5T_CSET_UTF8), *context_, what);
  const Hdf5Handle creation = creation_properties(shape, layout, *context_, what);
  const Hdf5Handle space =
      checked(layout.grows ? make_growing_space(shape) : make_space(shape), *context_, what);
  Hdf5Handle dataset = checked(
      H5Dcreate2(handle_.id(), full.c_str(), file_type, space.id(), link.id(), creation.id(), H5P_DEFAULT),
      *context_, what);
  return {context_, std::move(dataset), shape, what, layout.grows};
}

void Hdf5Rows::grow(std::int64_t rows) {
  std::vector<std::int64_t> extents = shape_.extents();
  extents[0] = rows;
  const std::vector<hsize_t> size(extents.begin(), extents.end());
  Hdf5Lock lock;
  check(H5Dset_extent(handle_.id(), size.data()), *context_, what_);
  shape_ = Shape(extents);
}

void Hdf5Rows::write_memory(std::int64_t first, std::int64_t given, std::int64_t memory_type,
                            const void* values) {
  std::int64_t rows = shape_.extents()[0];
  const std::int64_t row = shape_.size() / std::max<std::int64_t>(1, rows);
  const std::int64_t count = given / std::max<std::int64_t>(1, row);
  if (grows_ && first + count > rows) grow(rows = first + count);
  if (given % std::max<std::int64_t>(1, row) != 0 || first < 0 || first > rows - count)
    throw RuntimeError(fmt::format("internal: {}: {} values at row {}", what_, given, first));
  if (count == 0) return;
  Hdf5Lock lock;
  const RowSelection piece(handle_.id(), shape_, first, count, *context_, what_);
  check(H5Dwrite(handle_.id(), memory_type, piece.memory.id(), piece.file.id(), H5P_DEFAULT, values),
        *context_, what_);
}

void Hdf5Rows::close() {
  Hdf5Lock lock;
  close_written(handle_, *context_, what_);
}

template <Hdf5Element T>
void Hdf5Rows::write(std::int64_t first, std::span<const T> values) {
  write_memory(first, static_cast<std::int64_t>(values.size()), memory_type<T>(), values.data());
}

template <Hdf5Element T>
Hdf5Rows Hdf5Group::create_rows(std::string_view path, const Shape& shape, const Hdf5Layout& layout) {
  return create_dataset(path, shape, file_type<T>(), layout);
}

#define NNTRAIN_ROWS(T)                                               \
  template void Hdf5Rows::write<T>(std::int64_t, std::span<const T>); \
  template Hdf5Rows Hdf5Group::create_rows<T>(std::string_view, const Shape&, const Hdf5Layout&);
NNTRAIN_ROWS(float)
NNTRAIN_ROWS(double)
NNTRAIN_ROWS(std::int64_t)
NNTRAIN_ROWS(std::int32_t)
NNTRAIN_ROWS(std::uint8_t)
#undef NNTRAIN_ROWS

}  // namespace nntrain::io

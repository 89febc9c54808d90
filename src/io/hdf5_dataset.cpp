#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "io/hdf5_call.h"
#include "io/hdf5_chunk_lengths.h"
#include "io/hdf5_chunks.h"

namespace nntrain::io {

namespace {

using detail::Hdf5Context;
using detail::Hdf5Handle;

/// Deflate's limit; a file that claims more than this is damaged or a bomb.
constexpr std::int64_t kMostCompression = 1032;
constexpr std::int64_t kAlwaysAllowedBytes = std::int64_t{1} << 20;

std::string filter_name(hid_t creation, unsigned index, H5Z_filter_t& filter) {
  unsigned flags = 0;
  unsigned configuration = 0;
  std::size_t values = 0;
  char name[64] = "";
  filter = H5Pget_filter2(creation, index, &flags, &values, nullptr, sizeof name, name, &configuration);
  return name;
}

void check_filters(hid_t creation, const Hdf5Context& context, const std::string& object) {
  const int filters = H5Pget_nfilters(creation);
  for (int i = 0; i < filters; ++i) {
    H5Z_filter_t filter = H5Z_FILTER_ERROR;
    const std::string name = filter_name(creation, static_cast<unsigned>(i), filter);
    if (filter < 0 || H5Zfilter_avail(filter) <= 0) {
      fail(context,
           fmt::format("{} is compressed with filter {}{}{}, which this libhdf5 does not have; repack it "
                       "with h5repack -f GZIP=4",
                       object, static_cast<int>(filter), name.empty() ? "" : " ", name));
    }
  }
}

/// Bytes of one chunk, 0 for other layouts; `rows` becomes its extent along the first axis.
std::int64_t chunk_bytes(hid_t creation, std::size_t element_bytes, std::int64_t& rows) {
  if (H5Pget_layout(creation) != H5D_CHUNKED) return 0;
  hsize_t extents[H5S_MAX_RANK] = {};
  const int rank = H5Pget_chunk(creation, H5S_MAX_RANK, extents);
  if (rank > 0) rows = static_cast<std::int64_t>(extents[0]);
  std::int64_t bytes = static_cast<std::int64_t>(element_bytes);
  for (int axis = 0; axis < rank; ++axis) {
    if (__builtin_mul_overflow(bytes, static_cast<std::int64_t>(extents[axis]), &bytes)) return INT64_MAX;
  }
  return bytes;
}

}  // namespace

Hdf5Dataset::Hdf5Dataset(std::shared_ptr<const Hdf5Context> context, Hdf5Handle handle, std::string name)
    : context_(std::move(context)), handle_(std::move(handle)), name_(std::move(name)) {
  const Hdf5Handle type =
      checked(H5Dget_type(handle_.id()), *context_, name_ + " has no readable element type");
  info_ = describe_type(type.id());
  const Hdf5Handle space = checked(H5Dget_space(handle_.id()), *context_, name_ + " has no readable shape");
  info_.shape = extents_of(space.id(), *context_, name_);
  check_storage();
}

void Hdf5Dataset::check_storage() {
  const Hdf5Handle creation =
      checked(H5Dget_create_plist(handle_.id()), *context_, name_ + " has no readable layout");
  if (H5Pget_external_count(creation.id()) > 0) {
    fail(
        *context_,
        name_ + " keeps its data in other files (external storage), which is refused; copy it with h5repack");
  }
  const H5D_layout_t layout = H5Pget_layout(creation.id());
  contiguous_ = layout == H5D_CONTIGUOUS;
  if (layout == H5D_VIRTUAL) {
    fail(*context_, name_ + " is a virtual dataset, which is refused; copy it with h5repack");
  }
  check_filters(creation.id(), *context_, name_);
  std::int64_t bytes = 0;
  std::int64_t elements = 0;
  try {
    elements = info_.shape.size();
  } catch (const InputError&) {
    fail(*context_,
         fmt::format("{} claims the shape {}, more than any file holds", name_, info_.shape.to_string()));
  }
  if (__builtin_mul_overflow(elements, static_cast<std::int64_t>(info_.element_bytes), &bytes))
    bytes = INT64_MAX;
  if (!context_->reading) return;
  const auto stored = static_cast<std::int64_t>(H5Dget_storage_size(handle_.id()));
  stored_bytes_ = std::max(stored, bytes / kMostCompression);
  if (stored < 0 || stored > context_->file_bytes) {
    fail(*context_, fmt::format("{} claims {} bytes, but the file has only {}; it is truncated or damaged",
                                name_, stored, context_->file_bytes));
  }
  // libhdf5 1.10 copies from a buffer that it has not made when an array's rows pass its end. One that was
  // never written has no bytes, unless they lie in its header.
  if (layout != H5D_CHUNKED && (stored > 0 || layout == H5D_COMPACT) && stored < bytes) {
    fail(*context_, fmt::format("{} claims the shape {} ({} bytes), but {} bytes are stored; it is damaged",
                                name_, info_.shape.to_string(), bytes, stored));
  }
  const std::int64_t largest =
      std::max(bytes, chunk_bytes(creation.id(), info_.element_bytes, info_.chunk_rows));
  const std::int64_t most = layout == H5D_CHUNKED ? std::max(kAlwaysAllowedBytes, stored * kMostCompression)
                                                  : std::max(kAlwaysAllowedBytes, stored);
  if (largest > most) {
    fail(*context_,
         fmt::format("{} claims the shape {} ({} bytes), but only {} bytes are stored; it was never "
                     "written in full or is damaged",
                     name_, info_.shape.to_string(), largest, stored));
  }
  if (layout != H5D_CHUNKED) return;
  lengths_ =
      std::make_shared<detail::ChunkLengths>(handle_.id(), creation.id(), info_.shape, context_->file_bytes);
  if (const auto chunks = detail::plain_chunks(handle_.id(), creation.id(), info_.shape))
    chunks_ = std::make_shared<const detail::PlainChunks>(*chunks);
}

void Hdf5Dataset::take() const {
  const Hdf5Lock lock;
  if (!context_->reading || taken_) return;
  taken_ = true;
  context_->taken_bytes += stored_bytes_;
  if (context_->taken_bytes > context_->file_bytes) {
    fail(*context_,
         fmt::format("{} and what was read before it are {} bytes, more than the file's {}: one array "
                     "stands there under several names",
                     name_, context_->taken_bytes, context_->file_bytes));
  }
}

void Hdf5Dataset::check_numeric(std::int64_t elements, std::int64_t given) const {
  if (info_.type == Hdf5Type::kString || info_.type == Hdf5Type::kOther) {
    fail(*context_, fmt::format("{} holds {} elements; numbers are needed", name_, info_.type_name()));
  }
  if (elements != given) {
    throw RuntimeError(
        fmt::format("internal: {} has {} elements to read, memory is for {}", name_, elements, given));
  }
}

void Hdf5Dataset::read_memory(std::int64_t memory_type, std::int64_t first, std::int64_t count,
                              void* values) const {
  if (info_.shape.size() == 0 || count == 0) return;
  if (!is_inflated_here(memory_type)) return read_elements(memory_type, first, count, values);
  const std::int64_t rows = info_.shape.extents()[0];
  const std::int64_t end = count < 0 ? rows : first + count;
  const std::int64_t row_bytes =
      info_.shape.size() / rows * static_cast<std::int64_t>(chunks_->element_bytes);
  auto* bytes = static_cast<std::byte*>(values);
  detail::ChunkInflater inflater(handle_.id(), *chunks_, context_->file_bytes);
  for (std::int64_t begin = first; begin < end;) {
    const std::int64_t of_chunk = begin % chunks_->rows;
    const std::int64_t chunk_end = std::min(begin - of_chunk + chunks_->rows, rows);
    const std::int64_t now = std::min(chunk_end, end) - begin;
    bool there = of_chunk == 0 && begin + now == chunk_end;  // of a part, libhdf5 keeps the rest for later
    if (there) {
      const Hdf5Lock lock;
      there = inflater.read(begin);
    }
    if (!there) {
      read_elements(memory_type, begin, now, bytes);
    } else if (!inflater.inflate(now, bytes)) {
      fail(*context_,
           fmt::format("cannot read {}; the file is truncated or damaged: the chunk of rows {} to {} does "
                       "not inflate to its {} bytes",
                       name_, begin, chunk_end, chunks_->bytes));
    }
    bytes += now * row_bytes;
    begin += now;
  }
}

bool Hdf5Dataset::is_inflated_here(std::int64_t memory_type) const {
  if (!chunks_ || !context_->reading) return false;
  const Hdf5Lock lock;
  return H5Tequal(memory_type, chunks_->element_bytes == 1 ? H5T_NATIVE_UINT8 : H5T_NATIVE_FLOAT) > 0;
}

void Hdf5Dataset::read_elements(std::int64_t memory_type, std::int64_t first, std::int64_t count,
                                void* values) const {
  Hdf5Lock lock;
  const std::string what = fmt::format("cannot read {}; the file is truncated or damaged", name_);
  if (lengths_) {
    const std::int64_t end = count < 0 ? info_.shape.extents()[0] : first + count;
    if (const std::string wrong = lengths_->complaint(handle_.id(), first, end); !wrong.empty())
      fail(*context_, what + ": " + wrong);
  }
  const auto element_bytes = static_cast<std::int64_t>(H5Tget_size(memory_type));
  const std::int64_t rows = contiguous_ ? rows_of_a_piece(info_.shape, element_bytes) : 0;
  if (count < 0 && rows == 0) {  // all
    check(H5Dread(handle_.id(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), *context_, what);
    return;
  }
  const std::int64_t end = count < 0 ? info_.shape.extents()[0] : first + count;
  const std::int64_t row_bytes = info_.shape.size() / info_.shape.extents()[0] * element_bytes;
  auto* bytes = static_cast<char*>(values);
  for (std::int64_t begin = first; begin < end;) {
    const std::int64_t now = rows == 0 ? end - begin : std::min(rows, end - begin);
    const RowSelection piece(handle_.id(), info_.shape, begin, now, *context_, what);
    check(H5Dread(handle_.id(), memory_type, piece.memory.id(), piece.file.id(), H5P_DEFAULT, bytes),
          *context_, what);
    bytes += now * row_bytes;
    begin += now;
    lock.give_way();
  }
}

template <Hdf5Element T>
void Hdf5Dataset::read(std::span<T> values) const {
  check_numeric(info_.shape.size(), static_cast<std::int64_t>(values.size()));
  read_memory(memory_type<T>(), 0, -1, values.data());
}

template <Hdf5Element T>
void Hdf5Dataset::read_rows(std::int64_t first, std::int64_t count, std::span<T> values) const {
  const std::vector<std::int64_t>& extents = info_.shape.extents();
  if (extents.empty() || first < 0 || count < 0 || first > extents[0] - count) {
    throw RuntimeError(fmt::format("internal: rows {} to {} of {} with shape {}", first, first + count, name_,
                                   info_.shape.to_string()));
  }
  const std::int64_t row = Shape(std::vector<std::int64_t>(extents.begin() + 1, extents.end())).size();
  check_numeric(count * row, static_cast<std::int64_t>(values.size()));
  read_memory(memory_type<T>(), first, count, values.data());
}

#define NNTRAIN_READ(T)                                   \
  template void Hdf5Dataset::read<T>(std::span<T>) const; \
  template void Hdf5Dataset::read_rows<T>(std::int64_t, std::int64_t, std::span<T>) const;
NNTRAIN_READ(float)
NNTRAIN_READ(double)
NNTRAIN_READ(std::int64_t)
NNTRAIN_READ(std::int32_t)
NNTRAIN_READ(std::uint8_t)
#undef NNTRAIN_READ

}  // namespace nntrain::io

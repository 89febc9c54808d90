#include "io/hdf5_driver.h"

#include <H5FDpublic.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "io/read_ahead.h"
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

namespace nntrain::io::detail {

namespace {

constexpr haddr_t kMostAddress = (haddr_t{1} << 62U) - 1;
constexpr std::size_t kMostBytes = std::size_t{1} << 30;
/// libhdf5 reads the beginning of metadata before it knows how long they are, at most some hundred bytes.
constexpr std::size_t kMostBehindTheEnd = std::size_t{1} << 16;
/// A checkpoint's arrays move to the disk while the next ones are written; small writes wait for one another.
constexpr std::size_t kWritebackBytes = std::size_t{1} << 20;

/// libhdf5 gives its part back to every function; it must come first.
struct OpenFile {
  H5FD_t base{};
  Hdf5Io* io = nullptr;
  int descriptor = -1;
  haddr_t end_of_allocation = 0;
  haddr_t end_of_file = 0;
  ReadAhead ahead;
};

OpenFile& file_of(H5FD_t* base) { return *reinterpret_cast<OpenFile*>(base); }
const OpenFile& file_of(const H5FD_t* base) { return *reinterpret_cast<const OpenFile*>(base); }

void keep_error(Hdf5Io& io, int error) {
  if (io.error == 0) io.error = error;
}

// libhdf5 is C: nothing may be thrown through it.
extern "C" H5FD_t* open_file(const char* name, unsigned flags, hid_t access, haddr_t /*most*/) try {
  Hdf5Io* const io = *static_cast<Hdf5Io* const*>(H5Pget_driver_info(access));
  int how = (flags & H5F_ACC_RDWR) != 0 ? O_RDWR : O_RDONLY;
  if ((flags & H5F_ACC_TRUNC) != 0) how |= O_TRUNC;
  if ((flags & H5F_ACC_CREAT) != 0) how |= O_CREAT;
  if ((flags & H5F_ACC_EXCL) != 0) how |= O_EXCL;
  const int descriptor = io->system->open(name, how | O_CLOEXEC, 0666);
  struct stat status {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0) {
    io->error = errno;
    if (descriptor >= 0) io->system->close(descriptor);
    return nullptr;
  }
  io->error = 0;  // libhdf5 may have tried other flags before
  auto* file = new (std::nothrow) OpenFile;
  if (file == nullptr) {
    io->error = ENOMEM;
    io->system->close(descriptor);
    return nullptr;
  }
  file->io = io;
  file->descriptor = io->descriptor = descriptor;
  file->end_of_file = static_cast<haddr_t>(status.st_size);
  return &file->base;
} catch (const std::bad_alloc&) {
  (*static_cast<Hdf5Io* const*>(H5Pget_driver_info(access)))->error = ENOMEM;
  return nullptr;
}

extern "C" herr_t close_file(H5FD_t* base) {
  OpenFile* const file = &file_of(base);
  file->io->bytes = static_cast<std::int64_t>(file->end_of_file);
  file->io->descriptor = -1;
  if (file->io->system->close(file->descriptor) != 0 && errno != EINTR) keep_error(*file->io, errno);
  delete file;
  return 0;
}

/// Files that are read have no accumulator of metadata: that of libhdf5 1.10 adds sizes to a damaged file's
/// addresses without looking for overflow and copies from outside of its memory (H5Faccum.c,
/// H5F__accum_read).
extern "C" herr_t query(const H5FD_t* base, unsigned long* flags) {  // NOLINT: libhdf5's type
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA;
  if (base == nullptr || !file_of(base).io->reading) *flags |= H5FD_FEAT_ACCUMULATE_METADATA;
  return 0;
}

extern "C" haddr_t end_of_allocation(const H5FD_t* base, H5FD_mem_t /*type*/) {
  return file_of(base).end_of_allocation;
}
extern "C" herr_t set_end_of_allocation(H5FD_t* base, H5FD_mem_t /*type*/, haddr_t address) {
  file_of(base).end_of_allocation = address;
  return 0;
}
extern "C" haddr_t end_of_file(const H5FD_t* base, H5FD_mem_t /*type*/) { return file_of(base).end_of_file; }

extern "C" herr_t read_bytes(H5FD_t* base, H5FD_mem_t type, hid_t /*transfer*/, haddr_t at, std::size_t size,
                             void* bytes) {
  OpenFile& file = file_of(base);
  if (at > kMostAddress || size > kMostAddress - at) return -1;  // a damaged address, no failing disk
  if (type == H5FD_MEM_DRAW)  // metadata lie between chunks that follow one another
    file.ahead.before_read(*file.io->system, file.descriptor, static_cast<std::int64_t>(at),
                           static_cast<std::int64_t>(size));
  char* next = static_cast<char*>(bytes);
  while (size > 0) {
    const ssize_t got =
        file.io->system->pread(file.descriptor, next, std::min(size, kMostBytes), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      keep_error(*file.io, errno);
      return -1;
    }
    if (got == 0) {  // beyond the end: zeros, as libhdf5's own driver; but no metadata is that long
      if (file.io->reading && type != H5FD_MEM_DRAW && size > kMostBehindTheEnd) return -1;
      std::memset(next, 0, size);
      return 0;
    }
    next += got;
    size -= static_cast<std::size_t>(got);
    at += static_cast<haddr_t>(got);
  }
  return 0;
}

extern "C" herr_t write_bytes(H5FD_t* base, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t at,
                              std::size_t size, const void* bytes) {
  OpenFile& file = file_of(base);
  if (file.io->error == 0) {
    const int cause =
        pwrite_all(*file.io->system, file.descriptor, bytes, size, static_cast<std::int64_t>(at));
    if (cause != 0) keep_error(*file.io, cause);
    if (cause == 0 && size >= kWritebackBytes)
      file.io->system->start_writeback(file.descriptor, static_cast<off_t>(at), static_cast<off_t>(size));
    if (cause == 0 && file.io->file != nullptr) file.io->file->has_written(static_cast<std::int64_t>(size));
  }
  file.end_of_file = std::max(file.end_of_file, at + size);
  return 0;
}

extern "C" herr_t truncate_file(H5FD_t* base, hid_t /*transfer*/, hbool_t /*closing*/) {
  OpenFile& file = file_of(base);
  if (file.end_of_allocation == file.end_of_file) return 0;
  if (file.io->error == 0 &&
      file.io->system->ftruncate(file.descriptor, static_cast<off_t>(file.end_of_allocation)) != 0) {
    keep_error(*file.io, errno);
  }
  file.end_of_file = file.end_of_allocation;
  return 0;
}

hid_t register_driver() {
  H5FD_class_t driver{};
#if H5_VERSION_GE(1, 13, 0)
  driver.version = H5FD_CLASS_VERSION;
  driver.value = static_cast<H5FD_class_value_t>(513);  // above 512: not libhdf5's own
#endif
  driver.name = "nntrain";
  driver.maxaddr = kMostAddress;
  driver.fc_degree = H5F_CLOSE_STRONG;
  driver.fapl_size = sizeof(Hdf5Io*);
  driver.open = open_file;
  driver.close = close_file;
  driver.query = query;
  driver.get_eoa = end_of_allocation;
  driver.set_eoa = set_end_of_allocation;
  driver.get_eof = end_of_file;
  driver.read = read_bytes;
  driver.write = write_bytes;
  driver.truncate = truncate_file;
  constexpr H5FD_mem_t kMap[] = H5FD_FLMAP_DICHOTOMY;
  std::copy(std::begin(kMap), std::end(kMap), std::begin(driver.fl_map));
  return H5FDregister(&driver);
}

}  // namespace

herr_t set_driver(hid_t access, Hdf5Io& io) {
  static const hid_t driver = register_driver();
  Hdf5Io* const pointer = &io;
  return driver < 0 ? -1 : H5Pset_driver(access, driver, static_cast<const void*>(&pointer));
}

}  // namespace nntrain::io::detail

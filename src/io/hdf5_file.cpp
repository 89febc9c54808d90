#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/hdf5_call.h"
#include "io/input_file.h"

namespace nntrain::io {

namespace {

using detail::Hdf5Context;
using detail::Hdf5Handle;

/// Small files are checked when they are opened, large ones before a variable-length text is read.
constexpr std::int64_t kAlwaysCheckedBytes = std::int64_t{64} << 20;

Hdf5Handle access_properties(const Hdf5Context& context) {
  const std::string what = fmt::format("\"{}\": cannot set HDF5's access properties", context.file);
  Hdf5Handle access = checked(H5Pcreate(H5P_FILE_ACCESS), context, what);
  check(H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG), context, what);
  if (!context.reading) {
    // 1.8's format: h5py and every HDF5 since 2008 read it, and attributes may pass 64 KiB.
    check(H5Pset_libver_bounds(access.id(), H5F_LIBVER_V18, H5F_LIBVER_V18), context, what);
  }
#if H5_VERSION_GE(1, 10, 7)
  // Files appear by rename only, so locks protect nothing; on network file systems they fail.
  check(H5Pset_file_locking(access.id(), false, true), context, what);
#endif
  check(detail::set_driver(access.id(), *context.io), context, what);
  return access;
}

std::shared_ptr<Hdf5Context> make_context(const std::string& path, bool reading, System& system) {
  auto context = std::make_shared<Hdf5Context>();
  context->file = path;
  context->reading = reading;
  context->io = std::make_shared<detail::Hdf5Io>();
  context->io->system = &system;
  context->io->reading = reading;
  return context;
}

}  // namespace

Hdf5File::Hdf5File(std::shared_ptr<const Hdf5Context> context, Hdf5Handle handle)
    : context_(std::move(context)), handle_(std::move(handle)) {}

Hdf5File Hdf5File::open(const std::string& path, const std::string& shown, System& system) {
  const Hdf5Lock lock;
  use_hdf5();
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    throw InputError(fmt::format("cannot open \"{}\": {}", path, std::strerror(errno)));
  }
  require_regular_file(path, "\"" + path + "\"");
  auto context = make_context(path, true, system);
  if (!shown.empty()) context->file = shown;
  context->path = path;
  context->file_bytes = status.st_size;
  const Hdf5Handle access = access_properties(*context);
  if (::access(path.c_str(), R_OK) != 0) {
    throw InputError(fmt::format("cannot open \"{}\": {}", path, std::strerror(errno)));
  }
  if (context->file_bytes <= kAlwaysCheckedBytes) check_global_heaps(*context);
  check_superblock(*context);
  Hdf5Handle handle = checked(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), *context,
                              fmt::format("\"{}\" is not an HDF5 file, or it is damaged", path));
  return {std::move(context), std::move(handle)};
}

Hdf5File Hdf5File::create(const std::string& path, System& system) { return create(path, path, system); }

Hdf5File Hdf5File::create(AtomicFile& file, std::int64_t expected_bytes) {
  Hdf5File hdf5 = create(file.temporary_path(), file.path(), file.system());
  hdf5.context_->io->file = &file;
  file.reserve(expected_bytes);  // libhdf5 has emptied the file when it opened it
  return hdf5;
}

Hdf5File Hdf5File::create(const std::string& path, const std::string& shown, System& system) {
  const Hdf5Lock lock;
  use_hdf5();
  auto context = make_context(shown, false, system);
  const Hdf5Handle access = access_properties(*context);
  const std::string what = fmt::format("cannot write \"{}\"", shown);
  const Hdf5Handle creation = checked(H5Pcreate(H5P_FILE_CREATE), *context, what);
  check(H5Pset_obj_track_times(creation.id(), false), *context, what);  // equal content, equal bytes
  Hdf5Handle handle =
      checked(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.id(), access.id()), *context, what);
  return {std::move(context), std::move(handle)};
}

bool Hdf5File::is_hdf5(const std::string& path) {
  constexpr std::array<char, 8> kSignature = {'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
  std::ifstream file(path, std::ios::binary);
  std::array<char, 8> bytes{};
  // The superblock may begin at 0, 512, 1024, 2048, ... (a user block before it).
  for (std::streamoff at = 0; file && at < (std::streamoff{1} << 40); at = at == 0 ? 512 : at * 2) {
    file.seekg(at);
    if (file.read(bytes.data(), bytes.size()) && bytes == kSignature) return true;
  }
  return false;
}

Hdf5Group Hdf5File::root() const {
  const Hdf5Lock lock;
  Hdf5Group root(context_,
                 checked(H5Gopen2(handle_.id(), "/", H5P_DEFAULT), *context_,
                         fmt::format("\"{}\" has no readable root group", context_->file)),
                 "/");
  if (context_->reading) check_object(*context_, root.address(), root.name());
  return root;
}

void Hdf5File::close() {
  const Hdf5Lock lock;
  if (handle_.id() < 0) return;
  const hid_t id = handle_.id();
  handle_.forget();
  const bool closed = H5Fclose(id) >= 0;
  const int error = context_->io->error;
  if (closed && (error == 0 || context_->reading)) return;
  if (context_->reading)
    throw InputError(fmt::format("cannot close \"{}\" ({})", context_->file, last_hdf5_error()));
  if (error != 0) throw_write_error(context_->file, error, context_->io->bytes);
  throw WriteError(fmt::format("cannot write \"{}\": {}", context_->file, last_hdf5_error()), 0);
}

}  // namespace nntrain::io

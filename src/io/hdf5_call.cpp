#include "io/hdf5_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"
#include "io/atomic_file.h"

namespace nntrain::io {

namespace {

extern "C" herr_t keep_first_message(unsigned /*level*/, const H5E_error2_t* error, void* text) try {
  auto& message = *static_cast<std::string*>(text);
  if (message.empty() && error->desc != nullptr) message = error->desc;
  return 0;
} catch (const std::bad_alloc&) {  // nothing may be thrown through C
  return -1;
}

}  // namespace

namespace {

/// A ticket for each thread that wants in, so that one which asks again and again cannot keep others out, as
/// it could with std::recursive_mutex.
class Door {
 public:
  void enter() {
    std::unique_lock<std::mutex> hold(mutex_);
    if (owner_ != std::this_thread::get_id()) {
      const std::uint64_t ticket = next_ticket_++;
      turn_.wait(hold, [&] { return ticket == serving_; });
      owner_ = std::this_thread::get_id();
    }
    ++depth_;
  }
  void leave() {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (--depth_ > 0) return;
    owner_ = {};
    ++serving_;
    turn_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable turn_;
  std::thread::id owner_;
  int depth_ = 0;
  std::uint64_t next_ticket_ = 0, serving_ = 0;
};

Door& door() {
  static Door* const forever = new Door;  // handles may be released while the process ends
  return *forever;
}

}  // namespace

Hdf5Lock::Hdf5Lock() { door().enter(); }
Hdf5Lock::~Hdf5Lock() { door().leave(); }
void Hdf5Lock::give_way() {
  door().leave();
  door().enter();
}

std::int64_t rows_of_a_piece(const Shape& shape, std::int64_t element_bytes) {
  constexpr std::int64_t kPieceBytes = std::int64_t{4} << 20;
  if (shape.rank() == 0 || shape.extents()[0] < 2 || shape.size() * element_bytes <= kPieceBytes) return 0;
  const std::int64_t row_bytes = shape.size() / shape.extents()[0] * element_bytes;
  return std::max<std::int64_t>(1, kPieceBytes / row_bytes);
}

RowSelection::RowSelection(hid_t dataset, const Shape& shape, std::int64_t first, std::int64_t count,
                           const detail::Hdf5Context& context, const std::string& what) {
  std::vector<hsize_t> start(static_cast<std::size_t>(shape.rank()), 0);
  std::vector<hsize_t> extents(shape.extents().begin(), shape.extents().end());
  start[0] = static_cast<hsize_t>(first);
  extents[0] = static_cast<hsize_t>(count);
  file = checked(H5Dget_space(dataset), context, what);
  check(H5Sselect_hyperslab(file.id(), H5S_SELECT_SET, start.data(), nullptr, extents.data(), nullptr),
        context, what);
  memory =
      checked(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr), context, what);
}

herr_t NamesFromHdf5::add(const char* name) noexcept {
  try {
    names.emplace_back(name);
    return 0;
  } catch (const std::bad_alloc&) {
    no_memory = true;
    return -1;
  }
}

std::vector<std::string> NamesFromHdf5::sorted() {
  if (no_memory) throw std::bad_alloc();
  std::sort(names.begin(), names.end());
  return std::move(names);
}

namespace {

/// From the place of a variable-length text, as it is stored, to opaque bytes of that width: as it is.
extern "C" herr_t keep_as_stored(hid_t from, hid_t to, H5T_cdata_t* path, std::size_t /*count*/,
                                 std::size_t /*stride*/, std::size_t /*background_stride*/, void* /*values*/,
                                 void* /*background*/, hid_t /*transfer*/) {
  if (path->command == H5T_CONV_INIT) path->need_bkg = H5T_BKG_NO;
  if (path->command != H5T_CONV_CONV) return 0;
  return H5Tget_size(from) == H5Tget_size(to) ? 0 : -1;
}

void register_stored_texts() {
  const detail::Hdf5Handle text(H5Tcopy(H5T_C_S1)), bytes(H5Tcreate(H5T_OPAQUE, 1));
  H5Tset_size(text.id(), H5T_VARIABLE);
  const herr_t done =
      H5Tregister(H5T_PERS_SOFT, "nntrain_stored_texts", text.id(), bytes.id(), keep_as_stored);
  if (done < 0) throw std::bad_alloc();  // nothing else can go wrong; the next file tries again
}

}  // namespace

void use_hdf5() {
  static const bool ready = [] {
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLset_loading_state(0);
    // External links are refused; their class, asked for the length of one that is damaged, reads address 0
    // (1.10's H5Lexternal.c, H5L__extern_query).
    H5Lunregister(H5L_TYPE_EXTERNAL);
    register_stored_texts();
    return true;
  }();
  static_cast<void>(ready);
}

std::string last_hdf5_error() {
  std::string message;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first_message, &message);
  if (message.empty()) return "no cause given by libhdf5";
  // "file write failed: time = ...\n, ..., errno = 28, error message = 'No space left on device', ..."
  constexpr std::string_view kSystem = "error message = '";
  if (const std::size_t at = message.find(kSystem); at != std::string::npos) {
    const std::string words = message.substr(at + kSystem.size());
    return words.substr(0, words.find('\''));
  }
  message.erase(std::min(message.find('\n'), message.size()));
  // "bad version number for layout message", "bad superblock version number"
  if (message.find("version number") != std::string::npos)
    message += fmt::format(
        "; HDF5 {} reads what h5py writes with libver=('earliest', 'v110'), or h5repack with --high=2",
        hdf5_version());
  return message;
}

namespace {

/// The system's words where a call of it failed, libhdf5's otherwise.
std::string cause_of(const detail::Hdf5Context& context) {
  return context.io->error != 0 ? std::strerror(context.io->error) : last_hdf5_error();
}

bool write_failed(const detail::Hdf5Context& context) { return !context.reading && context.io->error != 0; }

}  // namespace

void fail(const detail::Hdf5Context& context, const std::string& message) {
  const int error = context.io->error;
  if (context.reading && error == 0) throw InputError(message);
  if (context.reading)
    throw RuntimeError(fmt::format("cannot read \"{}\": {}", context.file, std::strerror(error)));
  const std::int64_t available = free_bytes(context.file);
  throw WriteError(available < 0 ? message : fmt::format("{}; {} bytes are free there", message, available),
                   error);
}

std::string object_name(const detail::Hdf5Context& context, const std::string& path) {
  return fmt::format("\"{}\" {}", context.file, path);
}

detail::Hdf5Handle checked(hid_t id, const detail::Hdf5Context& context, const std::string& what) {
  detail::Hdf5Handle handle(id);
  if (id < 0 || write_failed(context)) fail(context, fmt::format("{} ({})", what, cause_of(context)));
  return handle;
}

void check(herr_t status, const detail::Hdf5Context& context, const std::string& what) {
  if (status < 0 || write_failed(context)) fail(context, fmt::format("{} ({})", what, cause_of(context)));
}

void close_written(detail::Hdf5Handle& handle, const detail::Hdf5Context& context, const std::string& what) {
  const hid_t id = handle.id();
  handle.forget();
  check(H5Idec_ref(id), context, what);
}

template <>
hid_t memory_type<float>() {
  return H5T_NATIVE_FLOAT;
}
template <>
hid_t memory_type<double>() {
  return H5T_NATIVE_DOUBLE;
}
template <>
hid_t memory_type<std::int64_t>() {
  return H5T_NATIVE_INT64;
}
template <>
hid_t memory_type<std::int32_t>() {
  return H5T_NATIVE_INT32;
}
template <>
hid_t memory_type<std::uint8_t>() {
  return H5T_NATIVE_UINT8;
}

template <>
hid_t file_type<float>() {
  return H5T_IEEE_F32LE;
}
template <>
hid_t file_type<double>() {
  return H5T_IEEE_F64LE;
}
template <>
hid_t file_type<std::int64_t>() {
  return H5T_STD_I64LE;
}
template <>
hid_t file_type<std::int32_t>() {
  return H5T_STD_I32LE;
}
template <>
hid_t file_type<std::uint8_t>() {
  return H5T_STD_U8LE;
}

namespace {

/// Whether the bits of a number, and the parts of a floating-point one, lie inside its bytes: libhdf5 1.10
/// converts those of a damaged type from outside of them (H5Tconv.c, H5T__conv_i_f).
bool bits_fit(hid_t type) {
  const std::size_t bits = 8 * H5Tget_size(type), precision = H5Tget_precision(type);
  const int offset = H5Tget_offset(type);
  if (offset < 0 || precision == 0 || precision > bits || static_cast<std::size_t>(offset) > bits - precision)
    return false;
  if (H5Tget_class(type) != H5T_FLOAT) return true;
  std::size_t sign = 0, exponent = 0, exponent_bits = 0, mantissa = 0, mantissa_bits = 0;
  if (H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) < 0) return false;
  const auto inside = [&](std::size_t at, std::size_t count) {
    return count > 0 && count <= precision && at <= precision - count;
  };
  return inside(sign, 1) && inside(exponent, exponent_bits) && inside(mantissa, mantissa_bits);
}

}  // namespace

Hdf5DatasetInfo describe_type(hid_t type) {
  Hdf5DatasetInfo info;
  info.element_bytes = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      info.type = Hdf5Type::kInteger;
      info.is_signed = H5Tget_sign(type) == H5T_SGN_2;
      break;
    case H5T_FLOAT:
      info.type = Hdf5Type::kFloat;
      break;
    case H5T_STRING:
      info.type = Hdf5Type::kString;
      break;
    case H5T_ENUM:
      // h5py's bool has two members; other enums carry meanings that numbers would lose.
      info.type =
          H5Tget_nmembers(type) == 2 && info.element_bytes == 1 ? Hdf5Type::kBoolean : Hdf5Type::kOther;
      break;
    default:
      info.type = Hdf5Type::kOther;
  }
  const bool is_number = info.type == Hdf5Type::kInteger || info.type == Hdf5Type::kFloat;
  if (is_number && !bits_fit(type)) info.type = Hdf5Type::kOther;
  return info;
}

Shape extents_of(hid_t space, const detail::Hdf5Context& context, const std::string& what) {
  const int kind = H5Sget_simple_extent_type(space);  // of a damaged file: any number
  if (kind == H5S_SCALAR) return {};
  if (kind == H5S_NULL) fail(context, what + " is empty (a null dataspace)");
  if (kind != H5S_SIMPLE) fail(context, fmt::format("{} has a shape of no known kind ({})", what, kind));
  std::array<hsize_t, H5S_MAX_RANK> extents{};
  const int rank = H5Sget_simple_extent_dims(space, extents.data(), nullptr);
  if (rank < 0) fail(context, fmt::format("{} has no readable shape ({})", what, last_hdf5_error()));
  std::vector<std::int64_t> shape;
  for (int axis = 0; axis < rank; ++axis) {
    const hsize_t extent = extents[static_cast<std::size_t>(axis)];
    if (extent > static_cast<hsize_t>(INT64_MAX)) fail(context, what + " has an extent beyond 63 bits");
    shape.push_back(static_cast<std::int64_t>(extent));
  }
  return Shape(std::move(shape));
}

hid_t make_space(const Shape& shape) {
  if (shape.rank() == 0) return H5Screate(H5S_SCALAR);
  std::vector<hsize_t> extents;
  for (const std::int64_t extent : shape.extents()) extents.push_back(static_cast<hsize_t>(extent));
  return H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr);
}

std::string Hdf5DatasetInfo::type_name() const {
  switch (type) {
    case Hdf5Type::kInteger:
      return fmt::format("{}int{}", is_signed ? "" : "u", element_bytes * 8);
    case Hdf5Type::kFloat:
      return fmt::format("float{}", element_bytes * 8);
    case Hdf5Type::kBoolean:
      return "bool";
    case Hdf5Type::kString:
      return "string";
    case Hdf5Type::kOther:
      break;
  }
  return "compound or other";
}

std::string hdf5_version() {
  const Hdf5Lock lock;
  use_hdf5();
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

namespace detail {

Hdf5Handle& Hdf5Handle::operator=(Hdf5Handle&& other) noexcept {
  if (this != &other) {
    release();
    id_ = other.id_;
    other.id_ = -1;
  }
  return *this;
}

void Hdf5Handle::release() noexcept {
  if (id_ < 0) return;
  const Hdf5Lock lock;
  // A closed file has taken its objects' identifiers with it (strong close).
  if (H5Iis_valid(id_) > 0) H5Idec_ref(id_);
  id_ = -1;
}

}  // namespace detail

}  // namespace nntrain::io

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "io/hdf5_call.h"

namespace nntrain::io {

namespace {

using detail::Hdf5Context;
using detail::Hdf5Handle;

/// Keras' HDF5_OBJECT_HEADER_LIMIT (keras/src/legacy/saving/legacy_h5_format.py).
constexpr std::size_t kPieceBytes = 64512;

extern "C" herr_t add_attribute_name(hid_t /*object*/, const char* name, const H5A_info_t* /*info*/,
                                     void* names) {
  return static_cast<NamesFromHdf5*>(names)->add(name);
}

std::string without_padding(const char* bytes, std::size_t width, H5T_str_t padding) {
  std::size_t length = strnlen(bytes, width);
  if (padding == H5T_STR_SPACEPAD) {
    while (length > 0 && bytes[length - 1] == ' ') --length;
  }
  return {bytes, length};
}

std::vector<std::string> read_fixed(hid_t attribute, hid_t type, std::size_t count,
                                    const Hdf5Context& context, const std::string& what) {
  const std::size_t width = H5Tget_size(type);
  std::vector<char> bytes(count * width);
  check(H5Aread(attribute, type, bytes.data()), context, what);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    texts.push_back(without_padding(bytes.data() + i * width, width, H5Tget_strpad(type)));
  }
  return texts;
}

/// Before memory is taken for texts of any length: where they are, and whether that many bytes are there.
void check_stored_texts(hid_t attribute, hid_t type, std::size_t count, const Hdf5Context& context,
                        const std::string& what) {
  check_global_heaps(context);
  const Hdf5Handle letter = checked(H5Tget_super(type), context, what);
  if (H5Tget_size(letter.id()) != 1)  // libhdf5 takes memory for as many of them as the text has bytes
    fail(context, fmt::format("{} (a text of letters of {} bytes)", what, H5Tget_size(letter.id())));
  const auto bytes = static_cast<std::size_t>(H5Aget_storage_size(attribute));
  const std::size_t width = bytes / count;
  constexpr std::size_t kLeast = 10, kMost = 40;  // an address has 2 to 32 bytes, what stands beside it 8
  if (width < kLeast || width > kMost || width * count != bytes)
    fail(context, fmt::format("{} ({} bytes for {} texts)", what, bytes, count));
  const Hdf5Handle as_stored = checked(H5Tcreate(H5T_OPAQUE, width), context, what);
  std::vector<char> references(bytes);
  check(H5Aread(attribute, as_stored.id(), references.data()), context, what);
  check_texts(context, references, width, what);
}

std::vector<std::string> read_variable(hid_t attribute, hid_t type, hid_t space, std::size_t count,
                                       const Hdf5Context& context, const std::string& what) {
  if (context.reading) check_stored_texts(attribute, type, count, context, what);
  std::vector<char*> pointers(count, nullptr);
  check(H5Aread(attribute, type, pointers.data()), context, what);
  struct Reclaim {
    hid_t type, space;
    char** texts;
    ~Reclaim() { H5Dvlen_reclaim(type, space, H5P_DEFAULT, static_cast<void*>(texts)); }
  } const reclaim{type, space, pointers.data()};
  std::vector<std::string> texts;
  for (const char* pointer : pointers) texts.emplace_back(pointer == nullptr ? "" : pointer);
  return texts;
}

Hdf5Handle string_type(std::size_t width, const Hdf5Context& context, const std::string& what) {
  Hdf5Handle type = checked(H5Tcopy(H5T_C_S1), context, what);
  check(H5Tset_size(type.id(), width), context, what);
  check(H5Tset_cset(type.id(), H5T_CSET_UTF8), context, what);
  if (width != H5T_VARIABLE) check(H5Tset_strpad(type.id(), H5T_STR_NULLPAD), context, what);
  return type;
}

/// A new attribute in place of an old one; `values` null: nothing to write.
void write(hid_t group, const std::string& attribute, hid_t type, hid_t memory, hid_t space,
           const void* values, const Hdf5Context& context, const std::string& what) {
  if (H5Aexists(group, attribute.c_str()) > 0) check(H5Adelete(group, attribute.c_str()), context, what);
  Hdf5Handle handle =
      checked(H5Acreate2(group, attribute.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), context, what);
  if (values != nullptr) check(H5Awrite(handle.id(), memory, values), context, what);
  close_written(handle, context, what);
}

std::string writing(const std::string& group, const std::string& attribute) {
  return fmt::format("cannot write the attribute \"{}\" of {}", attribute, group);
}

}  // namespace

void Hdf5Group::check_header() const {
  if (context_->reading && !header_checked_) check_attributes(*context_, address(), name_);
  header_checked_ = true;
}

bool Hdf5Group::has_attribute(const std::string& attribute) const {
  const Hdf5Lock lock;
  check_header();
  return H5Aexists(handle_.id(), attribute.c_str()) > 0;
}

std::vector<std::string> Hdf5Group::attributes() const {
  const Hdf5Lock lock;
  check_header();
  NamesFromHdf5 names;
  hsize_t position = 0;
  const std::string what = "the attributes of " + name_ + " cannot be listed; the file is damaged";
  const herr_t listed =
      H5Aiterate2(handle_.id(), H5_INDEX_NAME, H5_ITER_NATIVE, &position, add_attribute_name, &names);
  if (!names.no_memory) check(listed, *context_, what);
  return names.sorted();
}

Hdf5Handle Hdf5Group::open_attribute(const std::string& attribute) const {
  const Hdf5Lock lock;
  if (!has_attribute(attribute)) fail(*context_, fmt::format("{} has no attribute \"{}\"", name_, attribute));
  return checked(H5Aopen(handle_.id(), attribute.c_str(), H5P_DEFAULT), *context_,
                 fmt::format("the attribute \"{}\" of {} is damaged", attribute, name_));
}

std::vector<std::string> Hdf5Group::read_strings(const std::string& attribute) const {
  const Hdf5Lock lock;
  const std::string what = fmt::format("the attribute \"{}\" of {}", attribute, name_);
  const Hdf5Handle handle = open_attribute(attribute);
  const Hdf5Handle type = checked(H5Aget_type(handle.id()), *context_, what + " has no readable type");
  const Hdf5Handle space = checked(H5Aget_space(handle.id()), *context_, what + " has no readable shape");
  if (H5Tget_class(type.id()) != H5T_STRING) {
    // numpy writes an empty list of names as float64 of shape (0,), and Keras does for layers without
    // weights.
    if (H5Sget_simple_extent_npoints(space.id()) == 0) return {};
    fail(*context_, what + " is not a text");
  }
  const std::int64_t count = extents_of(space.id(), *context_, what).size();
  const auto width = static_cast<std::int64_t>(H5Tget_size(type.id()));
  std::int64_t bytes = 0;
  if (width <= 0 || __builtin_mul_overflow(count, width, &bytes) ||
      (context_->reading && bytes > context_->file_bytes)) {
    fail(*context_, fmt::format("{} claims {} texts of {} bytes, but the file has only {} bytes", what, count,
                                width, context_->file_bytes));
  }
  if (count == 0) return {};
  const auto items = static_cast<std::size_t>(count);
  return H5Tis_variable_str(type.id()) > 0
             ? read_variable(handle.id(), type.id(), space.id(), items, *context_, what + " is damaged")
             : read_fixed(handle.id(), type.id(), items, *context_, what + " is damaged");
}

std::string Hdf5Group::read_text(const std::string& attribute) const {
  std::vector<std::string> texts = read_strings(attribute);
  if (texts.size() != 1) {
    fail(*context_,
         fmt::format("the attribute \"{}\" of {} holds {} texts, not one", attribute, name_, texts.size()));
  }
  return std::move(texts.front());
}

std::vector<std::string> Hdf5Group::read_texts(const std::string& attribute) const {
  if (has_attribute(attribute) || !has_attribute(attribute + "0")) return read_strings(attribute);
  std::vector<std::string> texts;
  for (int piece = 0; has_attribute(attribute + std::to_string(piece)); ++piece) {
    std::vector<std::string> more = read_strings(attribute + std::to_string(piece));
    std::move(more.begin(), more.end(), std::back_inserter(texts));
  }
  return texts;
}

void Hdf5Group::read_scalar(const std::string& attribute, std::int64_t memory_type, void* value) const {
  const Hdf5Lock lock;
  const std::string what = fmt::format("the attribute \"{}\" of {}", attribute, name_);
  const Hdf5Handle handle = open_attribute(attribute);
  const Hdf5Handle type = checked(H5Aget_type(handle.id()), *context_, what + " has no readable type");
  const Hdf5Handle space = checked(H5Aget_space(handle.id()), *context_, what + " has no readable shape");
  const H5T_class_t kind = H5Tget_class(type.id());
  const bool number = kind == H5T_INTEGER || kind == H5T_FLOAT || kind == H5T_ENUM;
  if (!number || extents_of(space.id(), *context_, what).size() != 1)
    fail(*context_, what + " is not one number");
  check(H5Aread(handle.id(), memory_type, value), *context_, what + " is damaged");
}

std::int64_t Hdf5Group::read_integer(const std::string& attribute) const {
  const Hdf5Lock lock;
  const Hdf5Handle handle = open_attribute(attribute);
  const Hdf5Handle type = checked(H5Aget_type(handle.id()), *context_, name_ + " has a damaged attribute");
  if (H5Tget_class(type.id()) == H5T_FLOAT) {
    const double number = read_number(attribute);
    if (number != std::floor(number) || std::abs(number) > 0x1.0p53) {
      fail(*context_,
           fmt::format("the attribute \"{}\" of {} is {}, not an integer", attribute, name_, number));
    }
    return static_cast<std::int64_t>(number);
  }
  std::int64_t value = 0;
  read_scalar(attribute, H5T_NATIVE_INT64, &value);
  return value;
}

double Hdf5Group::read_number(const std::string& attribute) const {
  double value = 0;
  read_scalar(attribute, H5T_NATIVE_DOUBLE, &value);
  return value;
}

void Hdf5Group::write_attribute(const std::string& attribute, std::string_view text) {
  const Hdf5Lock lock;
  const std::string what = writing(name_, attribute);
  const Hdf5Handle type = string_type(H5T_VARIABLE, *context_, what);
  const Hdf5Handle space = checked(H5Screate(H5S_SCALAR), *context_, what);
  const std::string terminated(text);
  const char* pointer = terminated.c_str();
  write(handle_.id(), attribute, type.id(), type.id(), space.id(), static_cast<const void*>(&pointer),
        *context_, what);
}

void Hdf5Group::write_attribute(const std::string& attribute, const std::vector<std::string>& texts) {
  const Hdf5Lock lock;
  std::size_t width = 1;
  for (const std::string& text : texts) width = std::max(width, text.size());
  if (width * texts.size() <= kPieceBytes) {
    write_strings(attribute, texts, width);
    return;
  }
  const std::size_t per_piece = std::max<std::size_t>(1, kPieceBytes / width);
  for (std::size_t begin = 0, piece = 0; begin < texts.size(); begin += per_piece, ++piece) {
    const std::size_t count = std::min(per_piece, texts.size() - begin);
    write_strings(attribute + std::to_string(piece), std::span(texts).subspan(begin, count), width);
  }
}

void Hdf5Group::write_strings(const std::string& attribute, std::span<const std::string> texts,
                              std::size_t width) {
  const Hdf5Lock lock;
  const std::string what = writing(name_, attribute);
  const Hdf5Handle type = string_type(width, *context_, what);
  const Hdf5Handle space =
      checked(make_space(Shape{static_cast<std::int64_t>(texts.size())}), *context_, what);
  std::vector<char> bytes(width * texts.size(), '\0');
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::copy(texts[i].begin(), texts[i].end(), bytes.begin() + static_cast<std::ptrdiff_t>(i * width));
  }
  write(handle_.id(), attribute, type.id(), type.id(), space.id(), texts.empty() ? nullptr : bytes.data(),
        *context_, what);
}

void Hdf5Group::write_boolean(const std::string& attribute, bool value) {
  const Hdf5Lock lock;
  const std::string what = writing(name_, attribute);
  const Hdf5Handle type = checked(H5Tenum_create(H5T_STD_I8LE), *context_, what);
  const std::int8_t no = 0;
  const std::int8_t yes = 1;
  check(H5Tenum_insert(type.id(), "FALSE", &no), *context_, what);
  check(H5Tenum_insert(type.id(), "TRUE", &yes), *context_, what);
  const Hdf5Handle space = checked(H5Screate(H5S_SCALAR), *context_, what);
  write(handle_.id(), attribute, type.id(), type.id(), space.id(), value ? &yes : &no, *context_, what);
}

void Hdf5Group::write_integer(const std::string& attribute, std::int64_t value) {
  const Hdf5Lock lock;
  const std::string what = writing(name_, attribute);
  const Hdf5Handle space = checked(H5Screate(H5S_SCALAR), *context_, what);
  write(handle_.id(), attribute, H5T_STD_I64LE, H5T_NATIVE_INT64, space.id(), &value, *context_, what);
}

void Hdf5Group::write_number(const std::string& attribute, double value) {
  const Hdf5Lock lock;
  const std::string what = writing(name_, attribute);
  const Hdf5Handle space = checked(H5Screate(H5S_SCALAR), *context_, what);
  write(handle_.id(), attribute, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, space.id(), &value, *context_, what);
}

}  // namespace nntrain::io

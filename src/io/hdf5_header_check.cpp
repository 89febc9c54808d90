// An object header holds the attributes of a group: name, type, shape and value, one behind the other, the
// first three with lengths of their own. libhdf5 1.10 adds these lengths up without looking whether the
// message that holds them is over, and compares the value's length with that of the whole message (H5Oattr.c,
// H5O__attr_decode): a damaged one is read from behind the header's memory. So messages are added up here
// first. HDF5 File Format Specification 3.0, IV.A.1 "Object Header", IV.A.2.m "The Attribute Message".

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "io/hdf5_call.h"
#include "io/hdf5_raw.h"

namespace nntrain::io {

namespace {

using Bytes = std::span<const char>;

std::uint64_t number(Bytes bytes, std::size_t at, std::size_t count) {
  return at + count <= bytes.size() ? little_endian(bytes.data() + at, count) : 0;
}

/// What a type takes of `type`, and an element of it in a file; 0: it is cut off, or no number, text or
/// bytes.
struct TypeBytes {
  std::size_t own = 0;
  std::uint64_t element = 0;
};

TypeBytes type_bytes(Bytes type, std::size_t address_bytes, int depth = 0) {
  enum Class : unsigned {
    kInteger,
    kFloat,
    kTime,
    kText,
    kBits,
    kOpaque,
    kCompound,
    kReference,
    kEnum,
    kVariable
  };
  constexpr std::size_t kHeader = 8;
  constexpr int kDeepest = 4;
  const std::uint64_t kind = number(type, 0, 1) & 0xFU, version = number(type, 0, 1) >> 4U;
  const std::uint64_t low = number(type, 1, 1), count = number(type, 1, 2), size = number(type, 4, 4);
  if (type.size() < kHeader || depth > kDeepest) return {};
  const auto with = [&](std::size_t properties, std::uint64_t element) -> TypeBytes {
    return kHeader + properties <= type.size() ? TypeBytes{kHeader + properties, element} : TypeBytes{};
  };
  if (kind == kInteger || kind == kBits) return with(4, size);
  if (kind == kFloat) return with(12, size);
  if (kind == kText) return with(0, size);
  if (kind == kOpaque) return with(low, size);
  if (kind == kReference) return with(0, std::max<std::uint64_t>(size, address_bytes));
  if (kind != kEnum && kind != kVariable) return {};
  const TypeBytes base = type_bytes(type.subspan(kHeader), address_bytes, depth + 1);
  if (base.own == 0) return {};
  if (kind == kVariable) return with(base.own, 8 + address_bytes);
  std::size_t at = kHeader + base.own;
  for (std::uint64_t name = 0; name < count; ++name) {
    const auto end =
        std::find(type.begin() + static_cast<std::ptrdiff_t>(std::min(at, type.size())), type.end(), '\0');
    if (end == type.end()) return {};
    const std::size_t length = static_cast<std::size_t>(end - type.begin()) + 1 - at;
    at += version < 3 ? (length + 7) / 8 * 8 : length;
  }
  const std::uint64_t values = count * std::min<std::uint64_t>(base.element, type.size() + 1);
  return values <= type.size() ? with(at - kHeader + values, size) : TypeBytes{};
}

/// Elements of a shape; -1: it is cut off, or their number passes 63 bits.
std::int64_t elements(Bytes shape, std::size_t length_bytes) {
  const std::uint64_t version = number(shape, 0, 1), rank = number(shape, 1, 1);
  const std::size_t begin = version == 1 ? 8 : 4;
  if (shape.size() < begin + rank * length_bytes) return -1;
  if (version != 1 && number(shape, 3, 1) == 2) return 0;  // a null dataspace
  std::int64_t count = 1;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const std::uint64_t extent =
        number(shape, begin + axis * length_bytes, std::min<std::size_t>(length_bytes, 8));
    if (__builtin_mul_overflow(count, extent, &count)) return -1;
  }
  return count;
}

/// A file's widths of addresses and lengths, where they are and what was visited.
class HeaderWalk {
 public:
  HeaderWalk(const detail::Hdf5Context& context)
      : file_(context.path),
        file_bytes_(static_cast<std::uint64_t>(context.file_bytes)),
        base_(file_.base_address()) {
    char superblock[16] = {};
    file_.read(base_, superblock, sizeof superblock);
    const std::size_t widths = superblock[8] < 2 ? 13 : 9;
    address_bytes_ = static_cast<unsigned char>(superblock[widths]);
    length_bytes_ = static_cast<unsigned char>(superblock[widths + 1]);
  }

  /// Whether all attributes of the header at `address` end inside their messages.
  bool fits(std::uint64_t address) {
    constexpr std::size_t kMostBytes = 8;
    if (address_bytes_ > kMostBytes || length_bytes_ > kMostBytes) return true;  // nobody writes that
    char prefix[64] = {};
    if (address > file_bytes_ || file_.read(base_ + address, prefix, sizeof prefix) < 16) return true;
    if (std::string_view(prefix, 4) != "OHDR") return chunk(address + 16, little_endian(prefix + 8, 4), 0);
    const unsigned flags = static_cast<unsigned char>(prefix[5]);
    const std::size_t width = std::size_t{1} << (flags & 3U);
    const std::size_t size_at = 6 + ((flags & 0x20U) != 0 ? 16 : 0) + ((flags & 0x10U) != 0 ? 4 : 0);
    return chunk(address + size_at + width, little_endian(prefix + size_at, width),
                 (flags & 4U) != 0 ? 6 : 4);
  }

 private:
  static constexpr unsigned kAttribute = 0xC, kContinuation = 0x10, kShared = 2;

  /// Messages in [begin, begin + size); `header`: bytes before each, 0: 8 of version 1. What is no message at
  /// all is left to libhdf5, which refuses it.
  bool chunk(std::uint64_t begin, std::uint64_t size, std::size_t header) {
    if (begin > file_bytes_ || size > file_bytes_ || !seen_.insert(begin).second) return true;
    std::vector<char> bytes(static_cast<std::size_t>(size));
    bytes.resize(file_.read(base_ + begin, bytes.data(), bytes.size()));
    const bool old = header == 0;
    const std::size_t before = old ? 8 : header;
    for (std::size_t at = 0; at + before <= bytes.size();) {
      const std::uint64_t type = number(bytes, at, old ? 2 : 1),
                          length = number(bytes, at + (old ? 2 : 1), 2);
      const std::uint64_t flags = number(bytes, at + (old ? 4 : 3), 1);
      at += before;
      if (length > bytes.size() - at) return true;
      const Bytes message(bytes.data() + at, static_cast<std::size_t>(length));
      if (type == kAttribute && (flags & kShared) == 0 && !attribute_fits(message)) return false;
      if (type == kContinuation && !continuation(message, header)) return false;
      at += static_cast<std::size_t>(length);
    }
    return true;
  }

  bool continuation(Bytes message, std::size_t header) {
    constexpr std::uint64_t kSignature = 4, kChecksum = 4;  // of version 2
    const std::uint64_t address = number(message, 0, address_bytes_);
    const std::uint64_t size = number(message, address_bytes_, length_bytes_);
    if (header == 0) return chunk(address, size, header);
    return size < kSignature + kChecksum ||
           chunk(address + kSignature, size - kSignature - kChecksum, header);
  }

  bool attribute_fits(Bytes message) const {
    const std::uint64_t version = number(message, 0, 1);
    if (version < 1 || version > 3) return true;
    const auto padded = [&](std::uint64_t size) { return version == 1 ? (size + 7) / 8 * 8 : size; };
    const std::uint64_t name = number(message, 2, 2), type = number(message, 4, 2),
                        shape = number(message, 6, 2);
    const std::size_t name_at = version == 3 ? 9 : 8, type_at = name_at + padded(name);
    const std::size_t shape_at = type_at + padded(type), value_at = shape_at + padded(shape);
    if (name == 0 || value_at > message.size()) return false;
    const Bytes text = message.subspan(name_at, name);
    if (std::find(text.begin(), text.end(), '\0') == text.end()) return false;
    const unsigned shared = version == 1 ? 0 : static_cast<unsigned char>(message[1]);
    if (shared != 0) return true;  // a type of its own in the file: decoded elsewhere
    const std::uint64_t element = type_bytes(message.subspan(type_at, type), address_bytes_).element;
    const std::int64_t count = elements(message.subspan(shape_at, shape), length_bytes_);
    std::uint64_t value = 0;
    return element > 0 && count >= 0 && !__builtin_mul_overflow(element, count, &value) &&
           value <= message.size() - value_at;
  }

  const RawFile file_;
  std::uint64_t file_bytes_, base_;
  std::size_t address_bytes_ = 8, length_bytes_ = 8;
  std::set<std::uint64_t> seen_;
};

}  // namespace

void check_attributes(const detail::Hdf5Context& context, std::uint64_t address, const std::string& object) {
  if (!context.reading) return;
  if (!HeaderWalk(context).fits(address))
    fail(context, fmt::format("{} has a damaged attribute, which is longer than its place in the file, or "
                              "one that is no number and no text",
                              object));
}

}  // namespace nntrain::io

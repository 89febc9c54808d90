// An object header holds the attributes of a group: name, type, shape and value, one behind the other, the
// first three with lengths of their own. libhdf5 1.10 adds these lengths up without looking whether the
// message that holds them is over, and compares the value's length with that of the whole message (H5Oattr.c,
// H5O_attr_decode): a damaged one is read from behind the header's memory. So messages are added up here
// first. HDF5 File Format Specification 3.0, IV.A.2.d "The Datatype Message", IV.A.2.m "The Attribute
// Message".

#include <algorithm>

#include "io/hdf5_check.h"

namespace nntrain::io {

namespace {

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
  kVariable,
  kArray
};
constexpr std::size_t kHeader = 8;  ///< class, version and size of every type

/// What a type takes of the bytes that begin with it, and an element of it in a file; `own` 0: it is cut off,
/// or of no known kind.
struct TypeBytes {
  std::size_t own = 0;
  std::uint64_t element = 0;
  std::uint64_t said = 0;  ///< what the type says of its element: in the places of variable length it may lie
};

/// The types that a type is made of.
class TypeWalk {
 public:
  explicit TypeWalk(std::size_t address_bytes) : address_bytes_(address_bytes) {}

  TypeBytes bytes(RawBytes type, int depth = 0) const {
    constexpr int kDeepest = 16;
    if (type.size() < kHeader || depth > kDeepest) return {};
    const std::uint64_t size = number(type, 4, 4);
    switch (number(type, 0, 1) & 0xFU) {
      case kInteger:
      case kBits:
        return whole(type, kHeader + 4, size);
      case kFloat:
        return whole(type, kHeader + 12, size);
      case kTime:
        return whole(type, kHeader + 2, size);
      case kText:
        return whole(type, kHeader, size);
      case kOpaque:
        return whole(type, kHeader + number(type, 1, 1), size);
      case kReference:
        return whole(type, kHeader, std::max<std::uint64_t>(size, address_bytes_));
      case kCompound:
        return compound(type, depth);
      case kEnum:
        return enumeration(type, depth);
      case kVariable: {
        const std::size_t base = bytes(type.subspan(kHeader), depth + 1).own;
        const std::size_t place = 8 + address_bytes_;  // what libhdf5 takes an element for, whatever is said
        return base == 0 || size != place ? TypeBytes{} : whole(type, kHeader + base, place);
      }
      case kArray:
        return array(type, depth);
      default:
        return {};
    }
  }

 private:
  static std::uint64_t version(RawBytes type) { return number(type, 0, 1) >> 4U; }

  static TypeBytes whole(RawBytes type, std::size_t own, std::uint64_t element) {
    return own <= type.size() ? TypeBytes{own, element, number(type, 4, 4)} : TypeBytes{};
  }

  /// Behind the name at `at`; 0: it has no end. Before version 3 names fill pieces of 8 bytes.
  static std::size_t behind_name(RawBytes type, std::size_t at) {
    const RawBytes rest = type.subspan(std::min(at, type.size()));
    const auto end = std::find(rest.begin(), rest.end(), '\0');
    if (end == rest.end()) return 0;
    const auto length = static_cast<std::size_t>(end - rest.begin()) + 1;
    return at + (version(type) < 3 ? (length + 7) / 8 * 8 : length);
  }

  /// How much longer `count` elements are in a file than they say; false: too long for any.
  static bool add_difference(const TypeBytes& member, std::uint64_t count, std::uint64_t& element) {
    std::uint64_t more = 0;
    return member.element <= member.said ||
           (!__builtin_mul_overflow(member.element - member.said, count, &more) &&
            !__builtin_add_overflow(element, more, &element));
  }

  TypeBytes enumeration(RawBytes type, int depth) const {
    const TypeBytes base = bytes(type.subspan(kHeader), depth + 1);
    if (base.own == 0) return {};
    std::size_t at = kHeader + base.own;
    const std::uint64_t count = number(type, 1, 2);
    for (std::uint64_t name = 0; name < count; ++name) {
      at = behind_name(type, at);
      if (at == 0) return {};
    }
    const std::uint64_t values = count * std::min<std::uint64_t>(base.element, type.size() + 1);
    return values <= type.size() ? whole(type, at + values, number(type, 4, 4)) : TypeBytes{};
  }

  /// Bytes that say where a member lies in an element of `size` bytes.
  static std::size_t place_bytes(RawBytes type, std::uint64_t size) {
    if (version(type) < 3) return 4;
    std::size_t count = 1;
    while ((size >>= 8U) > 0) ++count;
    return count;
  }

  /// Members: name, place in the element, in version 1 four extents, type.
  TypeBytes compound(RawBytes type, int depth) const {
    constexpr std::size_t kExtentsAt = 12, kExtents = 4;
    const std::uint64_t size = number(type, 4, 4);
    const std::size_t width = place_bytes(type, size);
    std::uint64_t element = size;
    std::size_t at = kHeader;
    for (std::uint64_t left = number(type, 1, 2); left > 0; --left) {
      at = behind_name(type, at);
      if (at == 0) return {};
      const std::uint64_t place = number(type, at, width);
      at += width;
      std::uint64_t count = 1, bytes_inside = 0;
      if (version(type) == 1) {
        for (std::size_t axis = 0; axis < std::min<std::uint64_t>(number(type, at, 1), kExtents); ++axis) {
          if (__builtin_mul_overflow(count, number(type, at + kExtentsAt + 4 * axis, 4), &count)) return {};
        }
        at += kExtentsAt + 4 * kExtents;
      }
      const TypeBytes member = bytes(type.subspan(std::min(at, type.size())), depth + 1);
      if (member.own == 0 || place > size || __builtin_mul_overflow(member.said, count, &bytes_inside) ||
          bytes_inside > size - place || !add_difference(member, count, element))
        return {};
      at += member.own;
    }
    return whole(type, at, element);
  }

  /// Extents, before version 3 with their order, and what they are of.
  TypeBytes array(RawBytes type, int depth) const {
    const std::size_t rank = number(type, kHeader, 1), first = kHeader + (version(type) < 3 ? 4 : 1);
    const std::size_t base_at = first + rank * (version(type) < 3 ? 8 : 4);
    std::uint64_t count = 1, element = number(type, 4, 4);
    for (std::size_t axis = 0; axis < rank; ++axis) {
      if (__builtin_mul_overflow(count, number(type, first + 4 * axis, 4), &count)) return {};
    }
    const TypeBytes base = bytes(type.subspan(std::min(base_at, type.size())), depth + 1);
    return base.own > 0 && add_difference(base, count, element) ? whole(type, base_at + base.own, element)
                                                                : TypeBytes{};
  }

  std::size_t address_bytes_;
};

/// Elements of a shape; -1: it is cut off, or their number passes 63 bits.
std::int64_t elements(RawBytes shape, std::size_t length_bytes) {
  const std::uint64_t version = number(shape, 0, 1), rank = number(shape, 1, 1);
  const std::size_t begin = version == 1 ? 8 : 4;
  if (shape.size() < begin + rank * length_bytes) return -1;
  if (version != 1 && number(shape, 3, 1) == 2) return 0;  // a null dataspace
  std::int64_t count = 1;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const std::uint64_t extent = number(shape, begin + axis * length_bytes, length_bytes);
    if (__builtin_mul_overflow(count, extent, &count)) return -1;
  }
  return count;
}

}  // namespace

bool type_fits(RawBytes type, std::size_t address_bytes) {
  return TypeWalk(address_bytes).bytes(type).own > 0;
}

bool attribute_fits(RawBytes message, const RawStructures& file) {
  const std::uint64_t version = number(message, 0, 1);
  if (version < 1 || version > 3) return true;
  const auto padded = [&](std::uint64_t size) { return version == 1 ? (size + 7) / 8 * 8 : size; };
  const std::uint64_t name = number(message, 2, 2), type = number(message, 4, 2),
                      shape = number(message, 6, 2);
  const std::size_t name_at = version == 3 ? 9 : 8, type_at = name_at + padded(name);
  const std::size_t shape_at = type_at + padded(type), value_at = shape_at + padded(shape);
  if (name == 0 || value_at > message.size()) return false;
  const RawBytes text = message.subspan(name_at, name);
  if (std::find(text.begin(), text.end(), '\0') == text.end()) return false;
  const unsigned shared = version == 1 ? 0 : static_cast<unsigned char>(message[1]);
  if (shared != 0) return true;  // a type of its own in the file: decoded elsewhere
  const std::uint64_t element = TypeWalk(file.address_bytes()).bytes(message.subspan(type_at, type)).element;
  const std::int64_t count = elements(message.subspan(shape_at, shape), file.length_bytes());
  std::uint64_t value = 0;
  return element > 0 && count >= 0 && !__builtin_mul_overflow(element, count, &value) &&
         value <= message.size() - value_at;
}

}  // namespace nntrain::io

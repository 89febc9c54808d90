// The messages of an object header: shape, type, layout, filters, links .. libhdf5 1.10 decodes them without
// looking where they end, and so reads, or copies, from behind the header's memory when a damaged one says
// that more follows (H5Olayout.c, H5O_layout_decode: the values of an array that lies in its header). So each
// is added up here first. HDF5 File Format Specification 3.0, IV.A.2.

#include <array>

#include "io/hdf5_check.h"

namespace nntrain::io {

namespace {

/// The fields of a message one behind the other. What lies behind its end is 0, and it does not fit.
class Fields {
 public:
  Fields(RawBytes bytes, const RawStructures& file)
      : bytes_(bytes), address_bytes_(file.address_bytes()), length_bytes_(file.length_bytes()) {}

  std::uint64_t next(std::size_t count) {
    const std::uint64_t value = fits() && count <= bytes_.size() - at_ ? number(bytes_, at_, count) : 0;
    skip(count);
    return value;
  }
  void skip(std::uint64_t count, std::uint64_t times = 1) {
    std::uint64_t all = 0;
    if (__builtin_mul_overflow(count, times, &all) || __builtin_add_overflow(at_, all, &at_))
      at_ = UINT64_MAX;
  }
  void skip_addresses(std::uint64_t count = 1) { skip(address_bytes_, count); }
  void skip_lengths(std::uint64_t count = 1) { skip(length_bytes_, count); }
  bool fits() const { return at_ <= bytes_.size(); }
  RawBytes bytes() const { return bytes_; }
  std::size_t address_bytes() const { return address_bytes_; }

 private:
  RawBytes bytes_;
  std::size_t address_bytes_, length_bytes_;
  std::uint64_t at_ = 0;
};

/// IV.A.2.b
void dataspace(Fields& fields) {
  const std::uint64_t version = fields.next(1), rank = fields.next(1), flags = fields.next(1);
  fields.skip(version == 1 ? 5 : 1);
  fields.skip_lengths(rank);
  if ((flags & 1U) != 0) fields.skip_lengths(rank);  // how far it may grow
}

/// IV.A.2.c
void link_info(Fields& fields) {
  fields.skip(1);
  const std::uint64_t flags = fields.next(1);
  if ((flags & 1U) != 0) fields.skip(8);
  fields.skip_addresses((flags & 2U) != 0 ? 3 : 2);
}

/// IV.A.2.d
void datatype(Fields& fields) {
  if (!type_fits(fields.bytes(), fields.address_bytes())) fields.skip(UINT64_MAX);
}

/// IV.A.2.e, and the end of IV.A.2.f. Lengths are signed: none below 0.
void fill_value(Fields& fields) {
  const std::uint64_t size = fields.next(4);
  if (size <= INT32_MAX) fields.skip(size);
}

/// IV.A.2.f
void new_fill_value(Fields& fields) {
  constexpr std::uint64_t kHasValue = 0x20;
  if (fields.next(1) >= 3) {
    if ((fields.next(1) & kHasValue) != 0) fill_value(fields);
    return;
  }
  fields.skip(2);
  if (fields.next(1) != 0) fill_value(fields);
}

/// IV.A.2.g
void link(Fields& fields) {
  constexpr std::uint64_t kHard = 0, kSoft = 1, kFirstOfUsers = 64;
  fields.skip(1);
  const std::uint64_t flags = fields.next(1), type = (flags & 8U) != 0 ? fields.next(1) : kHard;
  if ((flags & 4U) != 0) fields.skip(8);
  if ((flags & 0x10U) != 0) fields.skip(1);
  fields.skip(fields.next(std::size_t{1} << (flags & 3U)));
  if (type == kHard) fields.skip_addresses();
  if (type == kSoft || type >= kFirstOfUsers) fields.skip(fields.next(2));
}

/// IV.A.2.i, versions 1 and 2
void old_layout(Fields& fields) {
  const std::uint64_t rank = fields.next(1), layout = fields.next(1);
  fields.skip(5);
  if (layout != 0) fields.skip_addresses();
  fields.skip(4, rank);
  if (layout == 0) fields.skip(fields.next(4));
}

void chunks(Fields& fields) {
  const std::uint64_t rank = fields.next(1);
  fields.skip_addresses();
  fields.skip(4, rank);
}

/// Chunks of version 4: their extents, and what their index wants to know.
void indexed_chunks(Fields& fields) {
  enum Index : std::uint64_t { kSingle = 1, kImplicit, kFixedArray, kExtensibleArray, kTree };
  const std::uint64_t flags = fields.next(1), rank = fields.next(1), width = fields.next(1);
  fields.skip(width, rank);
  const std::uint64_t index = fields.next(1);
  if (index == kSingle && (flags & 2U) != 0) {  // its size and filters
    fields.skip_lengths();
    fields.skip(4);
  }
  if (index == kFixedArray) fields.skip(1);
  if (index == kExtensibleArray) fields.skip(5);
  if (index == kTree) fields.skip(6);
  fields.skip_addresses();
}

/// IV.A.2.i
void layout(Fields& fields) {
  enum Class : std::uint64_t { kCompact, kContiguous, kChunked, kVirtual };
  const std::uint64_t version = fields.next(1);
  if (version > 4) return;  // refused by libhdf5 1.10, in its words
  if (version < 3) return old_layout(fields);
  switch (fields.next(1)) {
    case kCompact:
      return fields.skip(fields.next(2));
    case kContiguous:
      fields.skip_addresses();
      return fields.skip_lengths();
    case kChunked:
      return version > 3 ? indexed_chunks(fields) : chunks(fields);
    case kVirtual:
      fields.skip_addresses();
      return fields.skip(4);
    default:  // refused by libhdf5
      return;
  }
}

/// IV.A.2.k
void group_info(Fields& fields) {
  fields.skip(1);
  const std::uint64_t flags = fields.next(1);
  if ((flags & 1U) != 0) fields.skip(4);
  if ((flags & 2U) != 0) fields.skip(4);
}

/// IV.A.2.l
void filters(Fields& fields) {
  constexpr std::uint64_t kFirstOfOthers = 256;
  const std::uint64_t version = fields.next(1);
  std::uint64_t left = fields.next(1);
  if (version == 1) fields.skip(6);
  for (; left > 0 && fields.fits(); --left) {
    const std::uint64_t filter = fields.next(2);
    const std::uint64_t name = version == 1 || filter >= kFirstOfOthers ? fields.next(2) : 0;
    fields.skip(2);
    const std::uint64_t values = fields.next(2);
    fields.skip(name);
    fields.skip(4, version == 1 ? values + values % 2 : values);
  }
}

/// IV.A.2.v
void attribute_info(Fields& fields) {
  fields.skip(1);
  const std::uint64_t flags = fields.next(1);
  if ((flags & 1U) != 0) fields.skip(2);
  fields.skip_addresses((flags & 2U) != 0 ? 3 : 2);
}

struct Kind {
  unsigned type;
  const char* name;
  void (*add_up)(Fields&);
};
constexpr std::array<Kind, 10> kKinds = {{{0x1, "shape", dataspace},
                                          {0x2, "links", link_info},
                                          {0x3, "element type", datatype},
                                          {0x4, "fill value", fill_value},
                                          {0x5, "fill value", new_fill_value},
                                          {0x6, "link", link},
                                          {0x8, "layout", layout},
                                          {0xA, "group", group_info},
                                          {0xB, "filters", filters},
                                          {0x15, "attributes", attribute_info}}};

}  // namespace

std::string message_damage(unsigned type, RawBytes message, const RawStructures& file) {
  for (const Kind& kind : kKinds) {
    if (kind.type != type) continue;
    Fields fields(message, file);
    kind.add_up(fields);
    if (!fields.fits())
      return std::string("what its header says of its ") + kind.name + " is longer than its place there";
  }
  return "";
}

}  // namespace nntrain::io

#pragma once
// Private to src/io: the one place where libhdf5's conventions (negative means failure, an error stack)
// become exceptions.

#include <hdf5.h>

#include <span>
#include <string>
#include <vector>

#include "io/hdf5.h"
#include "io/hdf5_driver.h"

namespace nntrain::io {

static_assert(sizeof(hid_t) == sizeof(std::int64_t) && H5_VERSION_GE(1, 10, 5), "libhdf5 1.10.5 or newer");

/// While one lives, no other thread is inside libhdf5, whose state is the process's: every function of hdf5.h
/// that calls it holds one from its first call until the cause of a failure has been read. May be nested.
/// Held for a call and for a few MiB, not for a file: a checkpoint that is written by one thread does not
/// keep another from reading data.
class Hdf5Lock {
 public:
  Hdf5Lock();
  ~Hdf5Lock();
  Hdf5Lock(const Hdf5Lock&) = delete;
  Hdf5Lock& operator=(const Hdf5Lock&) = delete;
  /// Between two pieces of a dataset, when it is not nested: whoever waits comes first.
  void give_way();
};

/// How many rows of an array are moved at a time; 0: all of it at once, because it is small or has one row.
std::int64_t rows_of_a_piece(const Shape& shape, std::int64_t element_bytes);

/// Rows [first, first + count) of a dataset of `shape`: where they are in the file, and memory for them
/// alone.
struct RowSelection {
  RowSelection(hid_t dataset, const Shape& shape, std::int64_t first, std::int64_t count,
               const detail::Hdf5Context& context, const std::string& what);
  detail::Hdf5Handle file, memory;
};

/// Once a process: error printing off, plug-in filters and external links off, no clean-up at exit (files are
/// closed by hand; after a failed write libhdf5 would try again at exit, and hang or crash). The places of
/// variable-length texts can be read as bytes (H5T_OPAQUE), which libhdf5 cannot by itself.
void use_hdf5();

/// Names that libhdf5 hands to a callback. It is C: nothing may be thrown through it, so that want of memory
/// is kept for afterwards.
struct NamesFromHdf5 {
  std::vector<std::string> names;
  bool no_memory = false;
  herr_t add(const char* name) noexcept;
  /// Sorted; std::bad_alloc when one could not be kept.
  std::vector<std::string> sorted();
};

/// The innermost message of libhdf5's error stack in one line; call it right after the failed call. An error
/// of the system is given in the system's words alone.
std::string last_hdf5_error();

/// Throws InputError when the file is being read, RuntimeError when it is being written, or when the disk
/// failed.
[[noreturn]] void fail(const detail::Hdf5Context& context, const std::string& message);

/// `"run.h5" /a/b`
std::string object_name(const detail::Hdf5Context& context, const std::string& path);

/// A handle of `id`, or fail with `what` and the cause. Of a file that is being written, every failed write
/// since it was made is an error here, too.
detail::Hdf5Handle checked(hid_t id, const detail::Hdf5Context& context, const std::string& what);
/// Fails with `what` and the cause when `status` is negative; of a file being written as above.
void check(herr_t status, const detail::Hdf5Context& context, const std::string& what);
/// Closes what was written, with its return code checked; the handle is empty afterwards.
void close_written(detail::Hdf5Handle& handle, const detail::Hdf5Context& context, const std::string& what);

/// Native type in memory and little-endian type in the file.
template <class T>
hid_t memory_type();
template <class T>
hid_t file_type();

/// Class, size and signedness of a file's type, without the shape.
Hdf5DatasetInfo describe_type(hid_t type);

/// Once a file: throws InputError when a global heap is damaged in a way that libhdf5 1.10 never returns
/// from.
void check_global_heaps(const detail::Hdf5Context& context);

/// The places of variable-length texts, each `width` bytes as they are stored (length, heap, object): throws
/// InputError where another length is claimed than the heap has, or all of them more than the file.
void check_texts(const detail::Hdf5Context& context, std::span<const char> references, std::size_t width,
                 const std::string& what);

/// Before libhdf5 opens the file: throws InputError when what its superblock leads to is damaged as below.
void check_superblock(const detail::Hdf5Context& context);

/// Before the object whose header is at `address` is opened: throws InputError when the names of a group, or
/// of files that hold a dataset, are damaged in a way that leads libhdf5 1.10 out of its memory or for ever
/// round.
void check_object(const detail::Hdf5Context& context, std::uint64_t address, const std::string& object);

/// Throws InputError when an attribute of the object whose header is at `address` is longer than its message,
/// from behind which libhdf5 1.10 would read.
void check_attributes(const detail::Hdf5Context& context, std::uint64_t address, const std::string& object);

/// The extents of a dataspace; fails for null spaces.
Shape extents_of(hid_t space, const detail::Hdf5Context& context, const std::string& what);

/// A dataspace of `shape`, a scalar for rank 0.
hid_t make_space(const Shape& shape);

}  // namespace nntrain::io

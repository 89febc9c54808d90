#pragma once
// Private to src/io: the one place where libhdf5's conventions (negative means failure, an error stack)
// become exceptions.

#include <hdf5.h>

#include <string>

#include "io/hdf5.h"
#include "io/hdf5_driver.h"

namespace nntrain::io {

static_assert(sizeof(hid_t) == sizeof(std::int64_t), "libhdf5 1.10 or newer");

/// Once a process: error printing off, plug-in filters off, no clean-up at exit (files are closed by hand;
/// after a failed write libhdf5 would try again at exit, and hang or crash).
void use_hdf5();

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

/// The extents of a dataspace; fails for null spaces.
Shape extents_of(hid_t space, const detail::Hdf5Context& context, const std::string& what);

/// A dataspace of `shape`, a scalar for rank 0.
hid_t make_space(const Shape& shape);

}  // namespace nntrain::io

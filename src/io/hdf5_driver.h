#pragma once
// Private to src/io: the way of libhdf5 to the disk (a virtual file driver), so that every byte goes through
// io::System and no error of the system is lost. libhdf5 1.10 writes small datasets and metadata when handles
// are released, where nobody looks at the result, and a failed flush can make it hang later; so a failed
// write is kept here, everything after it is dropped, and whoever writes asks failed() after each call.

#include <hdf5.h>

#include <cstdint>
#include <memory>

#include "io/atomic_file.h"
#include "io/system.h"

namespace nntrain::io::detail {

class CheckedObjects;  ///< hdf5_object_check.cpp

/// The state of one file, shared by its context and the driver.
struct Hdf5Io {
  System* system = nullptr;
  AtomicFile* file = nullptr;  ///< told of what is written to it; may be none
  bool reading = true;
  int error = 0;                            ///< errno of the first call that failed; 0: none
  std::int64_t bytes = 0;                   ///< written: the file's length when it was closed
  int descriptor = -1;                      ///< of the file while libhdf5 has it open
  std::shared_ptr<CheckedObjects> checked;  ///< of a file that is read, before libhdf5 opens them
};

/// Registers the driver once and sets it in file access properties; `io` must outlive the file.
herr_t set_driver(hid_t access, Hdf5Io& io);

}  // namespace nntrain::io::detail

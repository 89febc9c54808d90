#pragma once
// Memory shared by the ranks of a communicator of one machine.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "comm/session/mpi_call.h"

namespace nntrain::comm {

/// Where the shared memory of this machine is backed (statvfs tells how much is left): /dev/shm, unless
/// Open MPI is told otherwise (osc_sm_backing_directory).
std::string backing_directory();
/// Bytes that may still be taken there; at most NNTRAIN_SHARED_BYTES where that is set. 0 when unknown.
std::int64_t shared_bytes_free();

/// One zero-filled array, page aligned. Several ranks: an MPI-3 shared window. One rank: plain memory.
class SharedWindow {
 public:
  /// Collective over `ranks` (all on one machine). Null on all of them when there is no room: the room is
  /// checked first and every page is touched here through madvise, because a page that does not fit would
  /// otherwise kill the process with SIGBUS at its first use. Throws RuntimeError on failing MPI calls and
  /// when plain memory runs out.
  static std::shared_ptr<SharedWindow> create(MPI_Comm ranks, std::int64_t bytes);
  SharedWindow(const SharedWindow&) = delete;
  SharedWindow& operator=(const SharedWindow&) = delete;
  ~SharedWindow();  ///< plain memory only; windows of several ranks live until free()

  std::byte* data() const { return data_; }
  std::int64_t size_bytes() const { return bytes_; }
  /// Collective over the ranks of create(). Idempotent.
  void free();

 private:
  SharedWindow() = default;
  bool take_pages(MPI_Comm ranks);

  MPI_Win window_ = MPI_WIN_NULL;
  std::byte* data_ = nullptr;
  std::int64_t bytes_ = 0;
  std::int64_t mapped_bytes_ = 0;  ///< plain memory: length of the mapping
};

}  // namespace nntrain::comm

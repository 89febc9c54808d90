#include "comm/session/shared_window.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/error.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14; older kernels answer EINVAL
#endif

namespace nntrain::comm {

namespace {

constexpr std::int64_t kPage = 4096;
constexpr std::int64_t kHugePage = std::int64_t{2} << 20;
/// Open MPI's own block at the front of a window, and what others may take between our look and our use.
constexpr std::int64_t kReserveBytes = std::int64_t{1} << 20;

std::int64_t round_up(std::int64_t value, std::int64_t unit) { return (value + unit - 1) / unit * unit; }

int smallest(MPI_Comm ranks, int value) {
  int result = 0;
  check(MPI_Allreduce(&value, &result, 1, MPI_INT, MPI_MIN, ranks), "MPI_Allreduce");
  return result;
}

}  // namespace

std::string backing_directory() {
  const char* told = std::getenv("OMPI_MCA_osc_sm_backing_directory");
  if (told != nullptr && *told != '\0') return told;
  return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

std::int64_t shared_bytes_free() {
  struct statvfs room {};
  if (statvfs(backing_directory().c_str(), &room) != 0) return 0;
  const auto free_bytes = static_cast<std::int64_t>(room.f_bavail) * static_cast<std::int64_t>(room.f_frsize);
  const char* limit = std::getenv("NNTRAIN_SHARED_BYTES");
  if (limit == nullptr || *limit == '\0') return free_bytes;
  return std::min(free_bytes, static_cast<std::int64_t>(std::strtoll(limit, nullptr, 10)));
}

std::shared_ptr<SharedWindow> SharedWindow::create(MPI_Comm ranks, std::int64_t bytes) {
  int size = 1;
  int rank = 0;
  check(MPI_Comm_size(ranks, &size), "MPI_Comm_size");
  check(MPI_Comm_rank(ranks, &rank), "MPI_Comm_rank");
  std::shared_ptr<SharedWindow> window(new SharedWindow);
  window->bytes_ = bytes;

  if (size == 1) {
    const std::int64_t mapped =
        round_up(std::max<std::int64_t>(bytes, 1), bytes >= kHugePage ? kHugePage : kPage);
    void* memory = mmap(nullptr, static_cast<std::size_t>(mapped), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      throw RuntimeError(fmt::format("no memory for {} bytes: {}", bytes, std::strerror(errno)));
    madvise(memory, static_cast<std::size_t>(mapped), MADV_HUGEPAGE);  // a hint; refusal costs speed only
    window->data_ = static_cast<std::byte*>(memory);
    window->mapped_bytes_ = mapped;
    return window;
  }

  const std::int64_t asked = round_up(std::max<std::int64_t>(bytes, 1), kPage) + kPage;
  if (smallest(ranks, shared_bytes_free() >= asked + kReserveBytes ? 1 : 0) == 0) return nullptr;
  void* mine = nullptr;
  const int code = MPI_Win_allocate_shared(rank == 0 ? static_cast<MPI_Aint>(asked) : 0, 1, MPI_INFO_NULL,
                                           ranks, static_cast<void*>(&mine), &window->window_);
  if (code != MPI_SUCCESS) window->window_ = MPI_WIN_NULL;
  if (smallest(ranks, code == MPI_SUCCESS ? 1 : 0) == 0) return nullptr;
  check(MPI_Win_set_errhandler(window->window_, MPI_ERRORS_RETURN), "MPI_Win_set_errhandler");
  MPI_Aint length = 0;
  int unit = 0;
  void* base = nullptr;
  check(MPI_Win_shared_query(window->window_, 0, &length, &unit, static_cast<void*>(&base)),
        "MPI_Win_shared_query");
  // Open MPI puts its own block in front: the same offset on every rank, as mappings are page aligned.
  const auto address = reinterpret_cast<std::uintptr_t>(base);
  window->data_ = static_cast<std::byte*>(base) +
                  (round_up(static_cast<std::int64_t>(address), kPage) - static_cast<std::int64_t>(address));
  check(MPI_Win_lock_all(MPI_MODE_NOCHECK, window->window_), "MPI_Win_lock_all");
  if (!window->take_pages(ranks)) {
    window->free();
    return nullptr;
  }
  return window;
}

/// Each rank touches its part, which also spreads the array over the memory of all sockets.
bool SharedWindow::take_pages(MPI_Comm ranks) {
  int size = 1;
  int rank = 0;
  check(MPI_Comm_size(ranks, &size), "MPI_Comm_size");
  check(MPI_Comm_rank(ranks, &rank), "MPI_Comm_rank");
  const std::int64_t pages = round_up(bytes_, kPage) / kPage;
  const std::int64_t begin = pages * rank / size;
  const std::int64_t end = pages * (rank + 1) / size;
  bool taken = true;
  if (end > begin) {
    const int code =
        madvise(data_ + begin * kPage, static_cast<std::size_t>((end - begin) * kPage), MADV_POPULATE_WRITE);
    taken = code == 0 || errno == EINVAL;  // EINVAL: an old kernel; the look at the free space must do
  }
  return smallest(ranks, taken ? 1 : 0) == 1;
}

void SharedWindow::free() {
  if (window_ != MPI_WIN_NULL) {
    check(MPI_Win_unlock_all(window_), "MPI_Win_unlock_all");
    check(MPI_Win_free(&window_), "MPI_Win_free");
    window_ = MPI_WIN_NULL;
  }
  if (mapped_bytes_ > 0) munmap(data_, static_cast<std::size_t>(mapped_bytes_));
  mapped_bytes_ = 0;
  data_ = nullptr;
  bytes_ = 0;
}

SharedWindow::~SharedWindow() {
  if (mapped_bytes_ > 0) munmap(data_, static_cast<std::size_t>(mapped_bytes_));
}

}  // namespace nntrain::comm

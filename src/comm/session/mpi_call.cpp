#include "comm/session/mpi_call.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "core/error.h"

namespace nntrain::comm {

void check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  if (MPI_Error_string(code, text.data(), &length) != MPI_SUCCESS) length = 0;
  throw RuntimeError(fmt::format("{} failed: {} (MPI error code {})", call,
                                 std::string_view(text.data(), static_cast<std::size_t>(length)), code));
}

}  // namespace nntrain::comm

#pragma once
// The only place that includes <mpi.h>. Every MPI call's return code becomes a RuntimeError (communicators
// are set to MPI_ERRORS_RETURN).

// Without the C++ bindings of old: they would need a library that is not linked.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <cstdint>

namespace nntrain::comm {

/// Longest piece of one message: MPI counts are `int`.
constexpr std::int64_t kPieceBytes = std::int64_t{1} << 30;

/// Throws RuntimeError "<call> failed: <MPI's text>" unless `code` is MPI_SUCCESS. Local.
void check(int code, const char* call);

}  // namespace nntrain::comm

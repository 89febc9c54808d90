#pragma once
// MPI's collectives and messages, waited for by the session's rule instead of inside MPI, where nobody would
// notice a rank that never comes. Each call is MPI's with `I` before its name.

#include <utility>

#include "comm/session/session_implementation.h"

namespace nntrain::comm {

/// start(request) begins it; returns when it has ended.
template <class Start>
void await(Waiter& waiter, const char* call, const Start& start) {
  MPI_Request request = MPI_REQUEST_NULL;
  check(start(&request), call);
  waiter.until([&] {
    int ended = 0;
    check(MPI_Test(&request, &ended, MPI_STATUS_IGNORE), call);
    return ended != 0;
  });
}

}  // namespace nntrain::comm

#pragma once
// Persistent MPI requests: planned once, started at each step.

#include <cstdint>
#include <vector>

#include "comm/session/mpi_call.h"
#include "comm/session/waiter.h"

namespace nntrain::comm {

/// Requests that start and end together. Between two ranks messages of one tag keep their order, so what is
/// longer than one message needs no tags of its own.
class Messages {
 public:
  Messages() = default;
  Messages(Messages&&) = default;
  Messages& operator=(Messages&&) = default;
  ~Messages();  ///< local: gives the requests back

  void plan_send(const void* from, std::int64_t count, MPI_Datatype type, int to, int tag, MPI_Comm ranks);
  void plan_receive(void* into, std::int64_t count, MPI_Datatype type, int from, int tag, MPI_Comm ranks);

  void start(Waiter& waiter);  ///< ends what was started before
  bool have_ended();           ///< local look, which also moves data; true when nothing was started
  void wait(Waiter& waiter);

 private:
  std::vector<MPI_Request> requests_;
  bool under_way_ = false;
};

}  // namespace nntrain::comm

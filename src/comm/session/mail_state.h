#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "comm/session/mpi_call.h"
#include "comm/session/session.h"
#include "comm/session/waiter.h"

namespace nntrain::comm {

/// A mail's messages that are under way; the session keeps it until they have ended.
class MailState {
 public:
  using Ended = std::function<void(std::int64_t ticket, std::int64_t bytes)>;

  MailState(MPI_Comm ranks, int size);  ///< collective over `ranks`
  void send(int rank, std::span<const std::byte> bytes, std::int64_t ticket);
  void receive(int rank, std::span<std::byte> bytes, std::int64_t ticket);
  void look(const Ended& ended);
  void settle(Waiter& waiter);                   ///< collective
  void close(Session::Implementation& session);  ///< settles; nothing may follow. Collective

 private:
  struct Message {
    std::int64_t ticket = 0, bytes = 0;
    bool arrives = false;
  };
  /// With one rank, since all was settled.
  struct Traffic {
    std::int64_t sent = 0, asked = 0, longest = 0;
  };
  void take_excess(Waiter& waiter, int rank, const Traffic& theirs);

  MPI_Comm ranks_ = MPI_COMM_NULL;
  std::vector<MPI_Request> requests_;
  std::vector<Message> messages_;  ///< one a request
  std::vector<Traffic> traffic_;   ///< by rank
  std::vector<int> places_;        // scratch of look()
  std::vector<MPI_Status> statuses_;
  std::vector<Message> ended_;
};

}  // namespace nntrain::comm

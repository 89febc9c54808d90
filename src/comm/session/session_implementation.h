#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "comm/session/mail_state.h"
#include "comm/session/mpi_call.h"
#include "comm/session/mpi_watch.h"
#include "comm/session/session.h"
#include "comm/session/shared_window.h"
#include "comm/session/stall_watch.h"
#include "comm/session/waiter.h"

namespace nntrain::comm {

struct Session::Implementation {
  MPI_Comm world = MPI_COMM_NULL;       ///< all ranks, node by node
  MPI_Comm node_ranks = MPI_COMM_NULL;  ///< the ranks of my node, in the same order
  int rank = 0;
  int size = 1;
  int node = 0;
  int local_rank = 0;
  int local_size = 1;
  std::vector<int> node_sizes;
  std::string host;
  int available_cores = 1;
  Crowding crowding = Crowding::kOneCoreEach;
  StallWatch watch;
  std::function<void()> errand;  ///< what every wait for other ranks does meanwhile (Mail); empty: nothing
  Waiter waiter;                 ///< for everything but the exchange's steps
  bool ends_mpi = true;          ///< false when the embedding program had called MPI_Init itself
  int exceptions_at_start = 0;
  bool closed = false;
  std::string leaf;               ///< what collectively() runs at the moment; empty: nothing
  std::vector<MPI_Comm> retired;  ///< communicators whose users are gone, to be freed when all ranks meet
  /// Mails that are gone or still in use: their messages end when all ranks meet.
  std::vector<std::shared_ptr<MailState>> mails;
  /// Windows whose arrays are gone or still in use: freed before MPI_Finalize, in the order of creation,
  /// which is the same on every rank of the node.
  std::vector<std::shared_ptr<SharedWindow>> windows;

  /// A clock beside calls that wait inside MPI for every rank, while it lives: windows and communicators are
  /// made and freed there. None for one rank, or where the embedding program had called MPI_Init itself.
  std::unique_ptr<MpiWatch> watch_inside_mpi(const std::string& phase) const {
    if (size == 1 || !ends_mpi) return nullptr;
    return std::make_unique<MpiWatch>(
        phase, [patience = Patience{watch.timeout(), watch.timeout_text()}] { return patience; });
  }
};

}  // namespace nntrain::comm

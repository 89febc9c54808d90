#pragma once
// Which ranks share a machine, in which order, and on how many cores.

#include "comm/session/session_implementation.h"

namespace nntrain::comm {

/// Collective over `parent`, which stays as it is. Fills every member of `session` that describes ranks and
/// nodes. Throws InputError for a bad NNTRAIN_RANKS_PER_NODE.
void discover_nodes(Session::Implementation& session, MPI_Comm parent);

}  // namespace nntrain::comm

#pragma once
// How much memory this process's node has left for data.

#include <cstdint>

namespace nntrain::train {

/// Bytes that may still be taken: the least of what the kernel calls available, of what the control group
/// (Slurm, containers) leaves, and of what `ulimit -v` leaves this process. The environment variable
/// NNTRAIN_FREE_BYTES says it instead. Local.
std::int64_t free_memory_bytes();

}  // namespace nntrain::train

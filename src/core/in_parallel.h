#pragma once
// Work in pieces on the cores that this process may use: for the hashes of a checkpoint, never in a step.

#include <functional>
#include <vector>

namespace nntrain {

/// Does all tasks, each once, in any order and up to four at a time; returns when all have ended. Throws what
/// one of them threw. They must not depend on one another.
void in_parallel(const std::vector<std::function<void()>>& tasks);

}  // namespace nntrain

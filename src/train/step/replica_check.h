#pragma once
// Are the copies of the weights equal? One a node, or one a rank where there is no shared memory.

#include "comm/session/session.h"
#include "nn/model/sequential.h"
#include "train/step/engine.h"

namespace nntrain::train {

/// Collective. Compares a 64-bit hash of every copy, which its ranks make together; cheap, and nothing at all
/// when there is one copy. When one differs from rank 0's: throws SharedError (kRuntime) that names rank,
/// host, variable, element and both values.
void require_equal_copies(comm::Session& session, Engine& engine, const nn::Sequential& model);

}  // namespace nntrain::train

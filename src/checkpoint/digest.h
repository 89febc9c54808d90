#pragma once

#include <string>

#include "checkpoint/checkpoint.h"

namespace nntrain::checkpoint {

/// SHA-256 over everything in `contents` that decides how a run goes on (docs/checkpoint-format.md,
/// "Digests").
std::string payload_digest(const Contents& contents);

}  // namespace nntrain::checkpoint

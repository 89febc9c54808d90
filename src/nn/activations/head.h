#pragma once
// The output activation that a loss may take over from the last layer.

#include <cstdint>

#include "core/json.h"

namespace nntrain::nn {

/// The output activation, when the loss computes from logits and applies it itself.
enum class Head { kNone, kSigmoid, kSoftmax };

/// Of an activation's canonical spec.
Head head_of(const Json& activation);

/// predictions (positions, classes) = head(logits). Local.
void apply_head(Head head, std::int64_t positions, std::int64_t classes, const float* logits,
                float* predictions);

}  // namespace nntrain::nn

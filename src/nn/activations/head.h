#pragma once
// The output activation that a loss may take over from the last layer.

#include <cstdint>

namespace nntrain::nn {

/// The output activation, when the loss computes from logits and applies it itself.
enum class Head { kNone, kSigmoid, kSoftmax };

/// predictions (positions, classes) = head(logits). Local.
void apply_head(Head head, std::int64_t positions, std::int64_t classes, const float* logits,
                float* predictions);

}  // namespace nntrain::nn

#pragma once
// The room `report`: what people read of a run. Plain data first, lines and pictures from them; nothing here
// decides.

#include "train/run/run.h"

namespace nntrain::train {

/// Collective, before the first step: versions, ranks, data, every setting and where it came from, the model.
/// Rank 0 prints.
void print_header(const Run& run);

}  // namespace nntrain::train

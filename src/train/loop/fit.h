#pragma once
// The room `loop`: epochs and steps, when to save, how to end. It calls what lives in the rooms below, and
// nothing below knows of it.

#include "core/error.h"
#include "train/run/run.h"

namespace nntrain::train {

/// Trains `run` to its last epoch. Collective. Returns kDone, kDiverged or kResumable; throws InputError, all
/// ranks alike, when a callback asks for results that there will not be. Writes checkpoints and prints on
/// rank 0.
ExitCode fit(Run& run);

}  // namespace nntrain::train

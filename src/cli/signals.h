#pragma once
// Signals of the program: the only place that handles them. The library sees a StopToken.

#include "core/stop_token.h"

namespace nntrain::cli {

/// What the handlers write to.
StopToken& stop_token();

/// SIGUSR1, SIGTERM and SIGINT stop a run in order, from the first instruction on; SIGUSR2 saves and goes on.
/// A second SIGINT ends the process at once. Broken pipes and file size limits become errors of the write.
void take_signals();

/// For commands that have nothing to save: the signals end the process again, one that has arrived at once.
void give_back_signals();

}  // namespace nntrain::cli

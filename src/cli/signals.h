#pragma once
// Signals of the program: the only place that handles them. The library sees a StopToken.

#include "core/stop_token.h"

namespace nntrain::cli {

/// What the handlers write to.
StopToken& stop_token();

/// SIGUSR1, SIGTERM and SIGINT stop a run in order, from the first instruction on; SIGUSR2 saves and goes on.
/// Until leave_signals_to_steps() a run that has not ended in order two seconds later, because a file is
/// being read or waited for, is ended as it is, with the same exit code (75): nothing was changed yet. A
/// second SIGINT ends the process at once. Broken pipes and file size limits become errors of the write.
void take_signals();

/// From here on each step looks at the token: a stop takes as long as its checkpoint does.
void leave_signals_to_steps();

/// For commands that have nothing to save: the signals end the process again, one that has arrived at once.
void give_back_signals();

}  // namespace nntrain::cli

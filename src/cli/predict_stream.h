#pragma once
// predict --data.inputs=-: rows from standard input, predictions as they come.

#include <string>

#include "checkpoint/checkpoint.h"
#include "comm/session/session.h"
#include "core/error.h"
#include "train/config/configuration.h"

namespace nntrain::cli {

/// Collective; rank 0 reads and writes. `output`: a .csv, or a device or pipe.
ExitCode predict_stream(comm::Session& session, checkpoint::Contents contents,
                        const train::Configuration& configuration, const std::string& output);

}  // namespace nntrain::cli

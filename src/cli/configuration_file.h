#pragma once
// The configuration of a command: CONFIG, or what a checkpoint keeps, under the command line.

#include <string>

#include "checkpoint/checkpoint.h"
#include "cli/command_line.h"
#include "comm/session/session.h"
#include "train/config/configuration.h"

namespace nntrain::cli {

/// CONFIG, read by rank 0, overridden by the command line; checkpoint.path has its default. Collective.
train::Configuration read_configuration(comm::Session& session, const CommandLine& line);

/// The configuration kept in a checkpoint, overridden by the command line.
train::Configuration stored_configuration(const checkpoint::Contents& contents, const CommandLine& line);

/// By its name: .h5 or .hdf5.
bool is_model_file(const std::string& path);

}  // namespace nntrain::cli

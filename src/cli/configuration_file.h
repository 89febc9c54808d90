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

/// The INI file `path`, into `configuration`. Local.
void read_file(const std::string& path, train::Configuration& configuration);

/// The configuration kept in a checkpoint, overridden by the command line.
train::Configuration stored_configuration(const checkpoint::Contents& contents, const CommandLine& line);

/// The contents of CHECKPOINT or KERAS_FILE. A file that is not there is an InputError that offers the
/// nearest name, a configuration one that says what is wanted. Collective.
checkpoint::Contents read_model_file(comm::Session& session, const std::string& path);

enum class FileKind { kConfiguration, kModel };
/// A model is HDF5 or a Keras archive by its first bytes, or is called .h5, .hdf5, .keras or .json. Local.
FileKind kind_of_file(const std::string& path);

}  // namespace nntrain::cli

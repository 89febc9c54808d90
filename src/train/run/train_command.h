#pragma once
// The command line that a user would type.

#include <string>

#include "train/config/configuration.h"

namespace nntrain::train {

/// "nntrain-dist train run.ini --fit.epochs=3 --checkpoint.path=PATH": goes on from `checkpoint` as
/// `configuration` says, which came from a file and the command line, and stops at NaN. "" when it came from
/// elsewhere. Words are quoted for a shell. Pure.
std::string train_command(const Configuration& configuration, const std::string& checkpoint);

}  // namespace nntrain::train

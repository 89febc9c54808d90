#pragma once
// Keys that are read, yet would do nothing: a mistake that nobody notices.

#include "train/config/configuration.h"

namespace nntrain::train {

/// Of a configuration as its user wrote it, not of one that a checkpoint holds. InputError for a key that has
/// no effect without another one, or beside it: names both, where the first stands, and the cure. Pure.
void refuse_idle_keys(const Configuration& configuration);

}  // namespace nntrain::train

#pragma once
// The columns of a run's history.

#include "checkpoint/checkpoint.h"
#include "metrics/logs.h"

namespace nntrain::train {

/// Appends a row. A column that appears late, or misses an epoch (fit.validation_freq), holds NaN there.
void append_row(checkpoint::History& history, const metrics::Logs& row);

}  // namespace nntrain::train

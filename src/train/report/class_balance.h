#pragma once
// How many training rows each class has: from the targets' file, where it is at hand.

#include "train/report/run_report.h"

namespace nntrain::train {

/// Of the first `rows` rows that data.rows selects (those that train, unless a split drew them at random).
/// Empty, with the reason in `where`, for targets that are no classes, gone or large.
ClassBalance class_balance(const checkpoint::Contents& contents, const Configuration& configuration,
                           std::int64_t rows);

}  // namespace nntrain::train

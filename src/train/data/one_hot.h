#pragma once
// Class indices and one-hot rows, and what rows of several targets may hold. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "train/data/targets.h"

namespace nntrain::train {

/// Labels, checked to lie in [0, classes), as rows of one 1 and else 0.
std::vector<float> one_hot(const std::vector<float>& labels, std::int64_t classes);
/// The place of the largest of each `classes` values, the first of equals.
std::vector<float> arg_max(const std::vector<float>& values, std::int64_t classes);
/// Throws InputError with the row and its values where one is not one 1 and else 0: its class would be a
/// guess. `per_row`: positions of a row, of `classes` values each.
void check_one_hot(const std::vector<float>& values, std::int64_t classes, std::int64_t per_row,
                   const TargetRules& rules);
/// Rows of probabilities are legitimate targets; a note where their sum is not 1, else "".
std::string shares_note(const std::vector<float>& values, std::int64_t classes, std::int64_t per_row,
                        const TargetRules& rules);

}  // namespace nntrain::train

#pragma once
// From settings, model and loss to the rules by which targets are read.

#include <string>

#include "train/data/dataset.h"
#include "train/data/targets.h"

namespace nntrain::train {

/// `training`: DataSets::table["targets"] where targets were read before (validation, evaluate), else null.
TargetRules target_rules(const DataSettings& settings, const DataSets& sets, const TargetPlan& plan,
                         const std::string& where, const Json& training);

}  // namespace nntrain::train

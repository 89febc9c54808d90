#pragma once
// From settings, model and loss to the rules by which targets are read.

#include <string>

#include "train/data/dataset.h"
#include "train/data/targets.h"

namespace nntrain::train {

/// `training`: DataSets::table["targets"] where targets were read before (validation, evaluate), else null.
TargetRules target_rules(const DataSettings& settings, const DataSets& sets, const TargetPlan& plan,
                         const std::string& where, const Json& training);

/// "compile.metrics = Hinge", with the key's origin, when a metric takes targets as signs; else "".
std::string metric_of_signs(const CompileSettings& settings, const Shape& output);

/// With such a metric: throws InputError when targets are not all 0 and 1, or all -1 and 1.
void check_signs(const PreparedTargets& prepared, const std::string& where, const std::string& sign_metric);

}  // namespace nntrain::train

#pragma once
// An evaluation as people and programs read it. Pure.

#include <string>

#include "core/json.h"
#include "train/inference/evaluation_report.h"

namespace nntrain::train {

/// Tables for the terminal; classes as scikit-learn's classification_report prints them. Lines end in \n.
std::string evaluation_text(const EvaluationReport& report);

/// The object of `evaluate --json` (docs/seeing.md). What cannot be computed is null.
Json evaluation_json(const EvaluationReport& report);

/// Every number of the evaluation in one long table: group,name,quantity,value.
std::string evaluation_csv(const EvaluationReport& report);

/// Columns of scikit-learn's classification_report: a row a class, then the averages; two decimals.
std::string classification_table(const EvaluationReport& report);

}  // namespace nntrain::train

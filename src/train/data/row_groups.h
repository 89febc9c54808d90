#pragma once
// The column of kind group (data.columns = patient: group): rows of one group are never in two parts.

#include "data/array_source.h"
#include "train/data/split.h"

namespace nntrain::train {

/// Reads the group column of the table that `inputs` describes, when it is called; null: no column has this
/// kind. InputError: several columns have it, or a cell of it is empty. Local.
RowGroups row_groups(const data::SourceOptions& inputs);

}  // namespace nntrain::train

#pragma once
// The names that `nntrain-dist convert` writes beside its arrays: columns, categories and classes. Numbers
// without them could stand for anything, and would be taken for what another file's numbers stand for.

#include <string>
#include <vector>

#include "data/array_source.h"
#include "io/hdf5.h"

namespace nntrain::data {

/// Fills columns, class_names and table of `info` where `root` says that convert wrote `dataset` ("inputs",
/// "targets"), else nothing. Throws InputError, naming the file, for names that do not fit the array.
void take_converted_names(const io::Hdf5Group& root, const std::string& dataset, Role role, ArrayInfo& info);

/// `training`: ArrayInfo::table of other files, or null. Throws InputError, with both lists and the cure,
/// where the columns or their categories are others. `where`: key and source.
void check_same_columns(const ArrayInfo& info, const Json& training, const std::string& where);

/// For each class of the file its place among those of `training`, which become info's; empty: where they
/// are. Throws InputError for a class that the training has not.
std::vector<std::size_t> match_classes(ArrayInfo& info, const Json& training, const std::string& where);

}  // namespace nntrain::data

#pragma once
// How numbers are written in a source of tables: one reading for all of its files, and that of the training
// for what comes after it.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "data/array_source.h"
#include "data/tables/dialect.h"

namespace nntrain::data {

/// For find_dialect() of each of the files `paths`: what the training's table says, else the first of the
/// files that tells. Files are looked into when the question comes up, and once.
FindNumbers numbers_of(const SourceOptions& options, std::vector<std::string> paths = {});

/// For ArrayInfo::table, where numbers_of() finds it again.
Json describe_numbers(const NumberFormat& numbers);

}  // namespace nntrain::data

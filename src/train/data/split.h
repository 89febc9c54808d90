#pragma once
// Which rows train and which validate.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/array_source.h"
#include "train/config/settings.h"

namespace nntrain::train {

struct RowSplit {
  data::RowRange train, validation;  ///< of the rows in `order`
  /// Rows of the file in the order in which they lie in memory: those that train, those that validate, the
  /// others, each as in the file. Empty: all as in the file.
  std::vector<std::int64_t> order;
  std::vector<bool> training_rows(std::int64_t rows) const;  ///< one flag for each row of the file
};

/// A class of each row of the file, for stratify; called only where the settings ask for it.
using RowClasses = std::function<std::vector<std::int64_t>()>;

/// The group of each row of the file (a column of kind group); null: there are none. No group is in two
/// parts.
using RowGroups = std::function<std::vector<std::int64_t>()>;

/// From `rows` rows of the training file. Validation rows of a file of their own are not meant
/// (`own_validation`). A function of the settings, the seed, classes and groups alone. InputError: empty
/// parts, rows or groups that would train and validate, two settings that both say what validates.
RowSplit split_rows(std::int64_t rows, const DataSettings& data, const FitSettings& fit, bool own_validation,
                    const RowClasses& classes, const RowGroups& groups = nullptr);

/// Puts rows of `row_bytes` each into `order`.
void reorder_rows(std::span<std::byte> memory, std::size_t row_bytes, const std::vector<std::int64_t>& order);

}  // namespace nntrain::train

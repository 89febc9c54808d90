#pragma once
// Predictions as a person reads them: what the columns are called, and rows of CSV.

#include <string>
#include <string_view>
#include <vector>

#include "train/inference/inference.h"

namespace nntrain::train {

/// Does every row have one class?
bool decides(const Predictions& predictions);

/// A name for each value of a row: classes, labels, the target's columns; "output_0" where nothing is known.
std::vector<std::string> output_names(const Predictions& predictions);

/// "id,class,class_name,no,yes\n".
std::string csv_header(const Predictions& predictions);
/// All rows, appended to `text`.
void append_csv(const Predictions& predictions, std::int64_t first, std::int64_t count, std::string& text);

/// What predictions of the model may begin with, for telling our files from others'.
struct PredictionNames {
  std::vector<std::string> ids, classes, targets;
};
/// Was a file that begins so (its first 64 KiB) written by predict with such names? A header of the target's
/// name alone could be anybody's: then the numbers must look like ours, too.
bool is_csv_of_predictions(std::string_view start, const PredictionNames& names);

}  // namespace nntrain::train

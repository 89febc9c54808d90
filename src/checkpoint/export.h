#pragma once
// Checkpoints for other programs: `nntrain-dist export`. Local; no MPI here.

#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace nntrain::checkpoint {

/// What is exported. `contents.model_config` is canonical (every argument is there), the weights have the
/// model's names.
struct Exportable {
  Contents contents;
  std::vector<Shape>
      shapes;  ///< of one sample: the model's input, then the output of each layer (without Input)
};

/// Throws InputError when no format has the ending of `path`; the message lists those that there are.
void check_export_path(const std::string& path);

/// Was the file at `path` written by export_file() in the format of its ending? False when it cannot be read.
bool is_export(const std::string& path);
/// The same of a history in CSV, whatever the path ends in.
bool is_export_of_history(const std::string& path);

/// For pandas and spreadsheets: "epoch" first, every bit of a value; an epoch without one is an empty cell.
std::string history_csv(const History& history);

/// Writes `path` in the format of its ending: .keras, .weights.h5, .h5, .json, .npz, .csv, .onnx. The file
/// appears by rename. Throws InputError for what the format cannot hold, naming the layer; RuntimeError when
/// writing fails. Returns what was left out, for the log.
std::vector<std::string> export_file(const std::string& path, const Exportable& what);

}  // namespace nntrain::checkpoint

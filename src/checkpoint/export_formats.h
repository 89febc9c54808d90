#pragma once
// Private to the floor: one function a format of export.h. Each fills `file`, which nobody else sees yet, and
// adds to `notes` what it left out.

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "checkpoint/export.h"
#include "io/atomic_file.h"

namespace nntrain::checkpoint {

using Notes = std::vector<std::string>;

void export_keras(io::AtomicFile& file, const Exportable& what, Notes& notes);    // Keras 3's archive
void export_weights(io::AtomicFile& file, const Exportable& what, Notes& notes);  // .weights.h5
void export_legacy(io::AtomicFile& file, const Exportable& what, Notes& notes);   // whole-model HDF5
void export_architecture(io::AtomicFile& file, const Exportable& what, Notes& notes);
void export_npz(io::AtomicFile& file, const Exportable& what, Notes& notes);
void export_history(io::AtomicFile& file, const Exportable& what, Notes& notes);
void export_onnx(io::AtomicFile& file, const Exportable& what, Notes& notes);

/// The weights of each layer, in their order; views into `weights`.
using LayerWeights = std::unordered_map<std::string_view, std::vector<const WeightArray*>>;
LayerWeights weights_by_layer(const std::vector<WeightArray>& weights);

/// By which an export is known again: an attribute of HDF5 files, the comment of archives, a key of JSON.
inline constexpr const char* kExportMark = "nntrain-dist export";
inline constexpr const char* kExportMarkKey = "written_by";

}  // namespace nntrain::checkpoint

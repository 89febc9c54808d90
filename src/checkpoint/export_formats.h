#pragma once
// Private to the floor: one function a format of export.h. Each fills a new file at `path`, which nobody else
// sees yet, and adds to `notes` what it left out.

#include <string>
#include <vector>

#include "checkpoint/export.h"

namespace nntrain::checkpoint {

using Notes = std::vector<std::string>;

void export_keras(const std::string& path, const Exportable& what, Notes& notes);    // Keras 3's archive
void export_weights(const std::string& path, const Exportable& what, Notes& notes);  // .weights.h5
void export_legacy(const std::string& path, const Exportable& what, Notes& notes);   // whole-model HDF5
void export_architecture(const std::string& path, const Exportable& what, Notes& notes);
void export_npz(const std::string& path, const Exportable& what, Notes& notes);
void export_history(const std::string& path, const Exportable& what, Notes& notes);
void export_onnx(const std::string& path, const Exportable& what, Notes& notes);

/// Writes text to a new file; RuntimeError.
void write_text(const std::string& path, const std::string& text);

}  // namespace nntrain::checkpoint

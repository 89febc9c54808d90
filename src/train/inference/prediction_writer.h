#pragma once
// Predictions in a file, written block by block while they are computed.

#include <memory>
#include <string>
#include <string_view>

#include "train/inference/inference.h"

namespace nntrain::train {

enum class PredictionFormat { kHdf5, kCsv, kNpy };
/// By the suffix; devices and pipes need none and get CSV. InputError.
PredictionFormat format_of(const std::string& path);

/// What tells our files from others': an attribute of HDF5; NPY headers are padded to 192 bytes, numpy's own
/// are shorter.
constexpr const char* kPredictionWriter = "nntrain-dist predict";
constexpr std::size_t kNpyHeaderBytes = 192;
constexpr std::string_view kNpyMagic("\x93NUMPY\x01\x00", 8);

/// To PATH.h5 (dataset /predictions, /classes, /ids), PATH.csv (ids, class, class_name, outputs) or PATH.npy
/// (outputs). The file appears by rename when all rows are there. InputError for another suffix, RuntimeError
/// when writing fails. Local.
class PredictionWriter {
 public:
  /// `head`: all of the predictions but their values.
  PredictionWriter(const std::string& path, const Predictions& head);
  ~PredictionWriter();
  /// The next rows: values and ids of `block`.
  void add(const Predictions& block);
  /// HDF5 is read back: what the file holds is what was computed.
  void close();

 private:
  struct Sink;
  struct TextSink;
  struct Hdf5Sink;
  std::unique_ptr<Sink> sink_;
};

}  // namespace nntrain::train

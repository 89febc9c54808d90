// What predictions may be written to, and whether a file was written by predict.

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/hdf5.h"
#include "io/output_guard.h"
#include "io/stream_file.h"
#include "train/inference/inference.h"
#include "train/inference/prediction_text.h"
#include "train/inference/prediction_writer.h"
#include "train/run/outputs.h"

namespace nntrain::train {

namespace {

/// Before there was the attribute, the datasets alone told.
bool is_our_hdf5(const std::string& path) {
  try {
    const io::Hdf5File file = io::Hdf5File::open(path);
    if (file.root().has_attribute("written_by"))
      return file.root().read_text("written_by") == kPredictionWriter;
    const std::vector<std::string> children = file.root().children();
    return children == std::vector<std::string>{"predictions"} ||
           children == std::vector<std::string>{"classes", "predictions"};
  } catch (const Error&) {
    return false;
  }
}

bool is_our_npy(const std::string& path) {
  const std::string start = io::first_bytes(path, kNpyHeaderBytes);
  return start.size() == kNpyHeaderBytes && start.starts_with(kNpyMagic) &&
         static_cast<unsigned char>(start[8]) + 256U * static_cast<unsigned char>(start[9]) >=
             kNpyHeaderBytes - 10 &&
         start.find("'<f4'") != std::string::npos && start.back() == '\n';
}

}  // namespace

PredictionFormat format_of(const std::string& path) {
  if (path.ends_with(".h5")) return PredictionFormat::kHdf5;
  if (path.ends_with(".npy")) return PredictionFormat::kNpy;
  if (path.ends_with(".csv") || io::is_stream(path)) return PredictionFormat::kCsv;
  throw InputError("--output=" + path + " must end in .h5, .csv or .npy");
}

void check_prediction_path(const std::string& path) {
  const PredictionFormat format = format_of(path);
  if (format == PredictionFormat::kHdf5 && io::is_stream(path))
    throw InputError("--output=" + path +
                     " is a device or a pipe, HDF5 needs a file; give a .csv or .npy name");
}

void check_prediction_output(const std::string& path, const std::string& model_file, const DataSettings& data,
                             const PredictionNames& names) {
  check_prediction_path(path);
  io::OutputGuard guard;
  guard.add_input(model_file, "the model");
  add_data_inputs(guard, data);
  const PredictionFormat format = format_of(path);
  guard.add_stream(path, "--output", [&](const std::string& file) {
    return format == PredictionFormat::kHdf5  ? is_our_hdf5(file)
           : format == PredictionFormat::kNpy ? is_our_npy(file)
                                              : is_csv_of_predictions(io::first_bytes(file, 1 << 16), names);
  });
  if (!io::is_stream(path)) io::try_output(path, 0);
}

}  // namespace nntrain::train

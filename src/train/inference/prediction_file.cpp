#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <string_view>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/hdf5.h"
#include "io/output_guard.h"
#include "io/stream_file.h"
#include "train/inference/inference.h"
#include "train/inference/prediction_text.h"
#include "train/run/outputs.h"

namespace nntrain::train {

namespace {

using Sink = std::function<void(std::string_view)>;

enum class Format { kHdf5, kCsv, kNpy };

/// By the suffix; devices and pipes need none and get CSV.
Format format_of(const std::string& path) {
  if (path.ends_with(".h5")) return Format::kHdf5;
  if (path.ends_with(".npy")) return Format::kNpy;
  if (path.ends_with(".csv") || io::is_stream(path)) return Format::kCsv;
  throw InputError("--output=" + path + " must end in .h5, .csv or .npy");
}

constexpr const char* kWriter = "nntrain-dist predict";

std::vector<std::int64_t> extents_of(const Predictions& predictions) {
  std::vector<std::int64_t> extents = {predictions.rows};
  for (const std::int64_t extent : predictions.output_shape.extents()) extents.push_back(extent);
  return extents;
}

/// The header is a mark, too: ours is padded to kNpyHeaderBytes, numpy's own are shorter.
constexpr std::size_t kNpyHeaderBytes = 192;
constexpr std::string_view kNpyMagic("\x93NUMPY\x01\x00", 8);

std::string npy_header(const Predictions& predictions) {
  std::string header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': " + Shape(extents_of(predictions)).to_string() +
      ", }";
  header.resize((std::max(header.size() + 1 + 10, kNpyHeaderBytes) + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';  // data starts at a multiple of 64
  const std::size_t length = header.size();
  return std::string(kNpyMagic) + static_cast<char>(length & 255U) + static_cast<char>(length >> 8U) + header;
}

void write_npy(const Sink& sink, const Predictions& predictions) {
  sink(npy_header(predictions));
  sink({reinterpret_cast<const char*>(predictions.values.data()), predictions.values.size() * sizeof(float)});
}

void write_csv(const Sink& sink, const Predictions& predictions) {
  constexpr std::int64_t kBlockRows = 4096;
  sink(csv_header(predictions));
  std::string text;
  for (std::int64_t row = 0; row < predictions.rows; row += kBlockRows) {
    text.clear();
    append_csv(predictions, row, std::min(kBlockRows, predictions.rows - row), text);
    sink(text);
  }
}

/// Ids as numbers, (rows, columns); empty when one of them is none, or there are none.
std::vector<std::int64_t> whole_ids(const Predictions& predictions) {
  const std::size_t columns = predictions.ids.size();
  std::vector<std::int64_t> ids(static_cast<std::size_t>(predictions.rows) * columns);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string& cell = predictions.ids[i % columns].cells[i / columns];
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), ids[i]);
    if (error != std::errc() || end != cell.data() + cell.size()) return {};
  }
  return ids;
}

std::vector<std::int64_t> decided_classes(const Predictions& predictions) {
  const std::int64_t classes = predictions.output_shape.last();
  if (!decides(predictions)) return {};
  std::vector<std::int64_t> decided(static_cast<std::size_t>(predictions.rows));
  for (std::size_t row = 0; row < decided.size(); ++row) {
    decided[row] = decide(predictions.decision,
                          predictions.values.data() + static_cast<std::int64_t>(row) * classes, classes);
  }
  return decided;
}

/// Written, closed, and read back: what the file holds is what was computed.
void write_hdf5(io::AtomicFile& file, const Predictions& predictions) {
  const std::vector<std::int64_t> decided = decided_classes(predictions);
  const std::vector<std::int64_t> ids = whole_ids(predictions);
  const auto bytes =
      static_cast<std::int64_t>(predictions.values.size() * 4 + (decided.size() + ids.size()) * 8);
  io::Hdf5File hdf5 = io::Hdf5File::create(file, bytes + 4096);
  hdf5.root().write_attribute("written_by", kWriter);
  hdf5.root().write_dataset("predictions", Shape(extents_of(predictions)),
                            std::span<const float>(predictions.values));
  if (!decided.empty()) {
    hdf5.root().write_dataset("classes", Shape{predictions.rows}, std::span<const std::int64_t>(decided));
    if (!predictions.class_names.empty()) hdf5.root().write_attribute("class_names", predictions.class_names);
  }
  hdf5.root().write_attribute("columns", output_names(predictions));
  if (!ids.empty()) {
    const auto columns = static_cast<std::int64_t>(predictions.ids.size());
    hdf5.root().write_dataset("ids",
                              columns == 1 ? Shape{predictions.rows} : Shape{predictions.rows, columns},
                              std::span<const std::int64_t>(ids));
    std::vector<std::string> names;
    for (const data::TextColumn& id : predictions.ids) names.push_back(id.name);
    hdf5.root().write_attribute("id_columns", names);
  }
  hdf5.close();
  const io::Hdf5File back = io::Hdf5File::open(file.temporary_path());
  const std::vector<float> values = back.root().dataset("predictions").read_all<float>();
  const bool same = values.size() == predictions.values.size() &&
                    std::memcmp(values.data(), predictions.values.data(), values.size() * 4) == 0 &&
                    (decided.empty() || back.root().dataset("classes").read_all<std::int64_t>() == decided);
  if (!same) {
    throw RuntimeError(
        "\"" + file.path() +
        "\" was not written: what was read back is not what was written; a disk or memory fails");
  }
}

/// Before there was the attribute, the datasets alone told.
bool is_our_hdf5(const std::string& path) {
  try {
    const io::Hdf5File file = io::Hdf5File::open(path);
    if (file.root().has_attribute("written_by")) return file.root().read_text("written_by") == kWriter;
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

void check_prediction_path(const std::string& path) {
  const Format format = format_of(path);
  if (format == Format::kHdf5 && io::is_stream(path))
    throw InputError("--output=" + path +
                     " is a device or a pipe, HDF5 needs a file; give a .csv or .npy name");
}

void check_prediction_output(const std::string& path, const std::string& model_file, const DataSettings& data,
                             const PredictionNames& names) {
  check_prediction_path(path);
  io::OutputGuard guard;
  guard.add_input(model_file, "the model");
  add_data_inputs(guard, data);
  const Format format = format_of(path);
  guard.add_stream(path, "--output", [&](const std::string& file) {
    return format == Format::kHdf5  ? is_our_hdf5(file)
           : format == Format::kNpy ? is_our_npy(file)
                                    : is_csv_of_predictions(io::first_bytes(file, 1 << 16), names);
  });
  if (!io::is_stream(path)) io::try_output(path, 0);
}

void write_predictions(const std::string& path, const Predictions& predictions) {
  check_prediction_path(path);
  const Format format = format_of(path);
  const auto write = [&](const Sink& sink) {
    format == Format::kNpy ? write_npy(sink, predictions) : write_csv(sink, predictions);
  };
  if (io::is_stream(path)) {
    io::StreamFile stream(path);
    write([&](std::string_view text) { stream.append(text); });
    stream.close();
    return;
  }
  io::AtomicFile file(path);
  if (format == Format::kHdf5) {
    write_hdf5(file, predictions);
  } else {
    write([&](std::string_view text) { file.append(text); });
  }
  file.commit();
}

}  // namespace nntrain::train

#include "checkpoint/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "checkpoint/export_formats.h"
#include "checkpoint/history_table.h"
#include "core/error.h"
#include "io/atomic_file.h"
#include "io/hdf5.h"
#include "io/npy_header.h"
#include "io/output_guard.h"
#include "io/zip_archive.h"

namespace nntrain::checkpoint {

namespace {

bool is_our_hdf5(const std::string& path) {
  if (!io::Hdf5File::is_hdf5(path)) return false;
  try {
    const io::Hdf5File file = io::Hdf5File::open(path);
    return file.root().has_attribute(kExportMarkKey) && file.root().read_text(kExportMarkKey) == kExportMark;
  } catch (const Error&) {
    return false;
  }
}

bool is_our_archive(const std::string& path) {
  const std::string mark = kExportMark;
  return io::first_bytes(path, 2) == "PK" && io::last_bytes(path, mark.size()) == mark;
}

bool is_our_json(const std::string& path) {
  const std::string start = fmt::format("{{\"{}\":\"{}\",", kExportMarkKey, kExportMark);
  return io::first_bytes(path, start.size()) == start;
}

/// CSVLogger's files know no seconds, which a clock counted. "\n": an older one of a run without an epoch.
bool is_our_history(const std::string& path) {
  const std::string start = io::first_bytes(path, 1 << 16);
  return start == "\n" || is_history_table(start, ",", "seconds", LongNumbers::kExpected);
}

/// Its second field is the producer's name.
bool is_our_onnx(const std::string& path) {
  return io::first_bytes(path, 64).find("\x12\x0cnntrain-dist") == 2;
}

struct Format {
  const char* ending;
  void (*write)(io::AtomicFile& file, const Exportable& what, Notes& notes);
  bool (*is_ours)(const std::string& path);
  bool by_library;  ///< which writes to the temporary file by its name
};
// The longer ending first: ".weights.h5" ends in ".h5" too.
constexpr std::array<Format, 7> kFormats = {{{".weights.h5", export_weights, is_our_hdf5, true},
                                             {".keras", export_keras, is_our_archive, true},
                                             {".h5", export_legacy, is_our_hdf5, true},
                                             {".json", export_architecture, is_our_json, false},
                                             {".npz", export_npz, is_our_archive, true},
                                             {".csv", export_history, is_our_history, false},
                                             {".onnx", export_onnx, is_our_onnx, false}}};

const Format& format_of(const std::string& path) {
  std::string endings;
  for (const Format& format : kFormats) {
    if (path.ends_with(format.ending)) return format;
    endings += (endings.empty() ? "" : ", ") + std::string(format.ending);
  }
  throw InputError("--output = \"" + path + "\": the name's ending chooses the format; it is one of " +
                   endings);
}

std::string npy(const WeightArray& weight) {
  std::string bytes = io::npy_header(weight.shape);
  bytes.append(reinterpret_cast<const char*>(weight.values.data()), weight.values.size() * sizeof(float));
  return bytes;
}

}  // namespace

void export_npz(io::AtomicFile& file, const Exportable& what, Notes&) {
  io::ZipWriter archive(file.temporary_path());
  for (const WeightArray& weight : what.contents.weights)
    archive.add(weight.layer + "/" + weight.name + ".npy", npy(weight));
  archive.finish(kExportMark);
}

void export_history(io::AtomicFile& file, const Exportable& what, Notes&) {
  if (!what.contents.ours)
    throw InputError("\"" + what.contents.origin + "\" is a file of Keras; it holds no history");
  file.append(history_csv(what.contents.history));
}

std::string history_csv(const History& history) {
  auto columns = history.columns;
  std::stable_partition(columns.begin(), columns.end(),
                        [](const auto& column) { return column.first == "epoch"; });
  std::string text;
  std::size_t rows = 0;
  for (const auto& [name, values] : columns) {
    text += (text.empty() ? "" : ",") + name;
    rows = std::max(rows, values.size());
  }
  for (std::size_t row = 0; row < rows; ++row) {
    std::string line;
    for (const auto& [name, values] : columns) {
      const bool given = row < values.size() && !std::isnan(values[row]);
      line += (&name == &columns.front().first ? "" : ",") + (given ? fmt::format("{}", values[row]) : "");
    }
    text += "\n" + line;
  }
  // What every run has, so that a table without a row is one, too.
  return (text.empty() ? "epoch,loss,seconds" : text) + "\n";
}

LayerWeights weights_by_layer(const std::vector<WeightArray>& weights) {
  LayerWeights by_layer;
  for (const WeightArray& weight : weights) by_layer[weight.layer].push_back(&weight);
  return by_layer;
}

void check_export_path(const std::string& path) { format_of(path); }

bool is_export_of_history(const std::string& path) { return is_our_history(path); }

bool is_export(const std::string& path) { return format_of(path).is_ours(path); }

std::vector<std::string> export_file(const std::string& path, const Exportable& what) {
  const Format& format = format_of(path);
  Notes notes;
  io::AtomicFile file(path);
  format.write(file, what, notes);
  file.synchronise();
  // Libraries wrote these, so that AtomicFile could not compare the size; a file that was cut has no mark, or
  // does not open.
  if (format.by_library && !format.is_ours(file.temporary_path())) {
    throw RuntimeError("\"" + path +
                       "\" was not written: what was read back is not what was written; a disk fails");
  }
  file.commit();
  return notes;
}

}  // namespace nntrain::checkpoint

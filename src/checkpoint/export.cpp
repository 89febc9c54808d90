#include "checkpoint/export.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>

#include "checkpoint/export_formats.h"
#include "core/error.h"
#include "io/atomic_file.h"
#include "io/npy_header.h"
#include "io/zip_archive.h"

namespace nntrain::checkpoint {

namespace {

struct Format {
  const char* ending;
  void (*write)(const std::string& path, const Exportable& what, Notes& notes);
};
// The longer ending first: ".weights.h5" ends in ".h5" too.
constexpr std::array<Format, 7> kFormats = {{{".weights.h5", export_weights},
                                             {".keras", export_keras},
                                             {".h5", export_legacy},
                                             {".json", export_architecture},
                                             {".npz", export_npz},
                                             {".csv", export_history},
                                             {".onnx", export_onnx}}};

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

void write_text(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) io::throw_write_error(path, errno, static_cast<std::int64_t>(text.size()));
}

void export_npz(const std::string& path, const Exportable& what, Notes&) {
  io::ZipWriter archive(path);
  for (const WeightArray& weight : what.contents.weights)
    archive.add(weight.layer + "/" + weight.name + ".npy", npy(weight));
  archive.finish();
}

void export_history(const std::string& path, const Exportable& what, Notes&) {
  const History& history = what.contents.history;
  if (!what.contents.ours)
    throw InputError("\"" + what.contents.origin + "\" is a file of Keras; it holds no history");
  std::string text;
  std::size_t rows = 0;
  for (const auto& [name, values] : history.columns) {
    text += (text.empty() ? "" : ",") + name;
    rows = std::max(rows, values.size());
  }
  for (std::size_t row = 0; row < rows; ++row) {
    text += '\n';
    bool first = true;
    for (const auto& [name, values] : history.columns) {
      if (!first) text += ',';
      first = false;
      if (row < values.size() && !std::isnan(values[row])) text += fmt::format("{}", values[row]);
    }
  }
  write_text(path, text + "\n");
}

void check_export_path(const std::string& path) { format_of(path); }

std::vector<std::string> export_file(const std::string& path, const Exportable& what) {
  const Format& format = format_of(path);
  Notes notes;
  io::AtomicFile file(path);
  format.write(file.temporary_path(), what, notes);
  file.commit();
  return notes;
}

}  // namespace nntrain::checkpoint

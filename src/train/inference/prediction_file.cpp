#include <fmt/format.h>

#include <fstream>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/hdf5.h"
#include "train/inference/inference.h"

namespace nntrain::train {

namespace {

void write_npy(std::ostream& file, const Predictions& predictions) {
  std::vector<std::int64_t> extents = {predictions.rows};
  for (const std::int64_t extent : predictions.output_shape.extents()) extents.push_back(extent);
  std::string header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': " + Shape(extents).to_string() + ", }";
  header.resize((header.size() + 1 + 10 + 63) / 64 * 64 - 10 - 1, ' ');  // data starts at a multiple of 64
  header += '\n';
  const auto length = static_cast<std::uint16_t>(header.size());
  file.write("\x93NUMPY\x01\x00", 8);
  file.put(static_cast<char>(length & 255U));
  file.put(static_cast<char>(length >> 8U));
  file << header;
  file.write(reinterpret_cast<const char*>(predictions.values.data()),
             static_cast<std::streamsize>(predictions.values.size() * sizeof(float)));
}

std::string class_name(const Predictions& predictions, std::int64_t index) {
  const auto at = static_cast<std::size_t>(index);
  return at < predictions.class_names.size() ? predictions.class_names[at] : std::to_string(index);
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? "\"\"" : std::string(1, c);
  return result + "\"";
}

void write_csv(std::ostream& file, const Predictions& predictions) {
  const std::int64_t width = predictions.output_shape.size();
  const std::int64_t classes = predictions.output_shape.last();
  const bool decides = predictions.decision != Decision::kNone && width == classes;
  if (decides) file << "class,class_name,";
  for (std::int64_t i = 0; i < width; ++i) {
    const bool named = width > 1 && i < static_cast<std::int64_t>(predictions.class_names.size());
    file << (i == 0 ? "" : ",") << (named ? quoted(class_name(predictions, i)) : fmt::format("output_{}", i));
  }
  file << '\n';
  for (std::int64_t row = 0; row < predictions.rows; ++row) {
    const float* outputs = predictions.values.data() + row * width;
    std::string line;
    if (decides) {
      const std::int64_t decided = decide(predictions.decision, outputs, classes);
      line = fmt::format("{},{},", decided, quoted(class_name(predictions, decided)));
    }
    for (std::int64_t i = 0; i < width; ++i) line += fmt::format("{}{:.9g}", i == 0 ? "" : ",", outputs[i]);
    file << line << '\n';
  }
}

}  // namespace

void check_prediction_path(const std::string& path) {
  if (path.ends_with(".h5") || path.ends_with(".csv") || path.ends_with(".npy")) return;
  throw InputError("--output=" + path + " must end in .h5, .csv or .npy");
}

void write_predictions(const std::string& path, const Predictions& predictions) {
  check_prediction_path(path);
  io::AtomicFile file(path);
  if (path.ends_with(".h5")) {
    io::Hdf5File hdf5 = io::Hdf5File::create(file);
    std::vector<std::int64_t> extents = {predictions.rows};
    for (const std::int64_t extent : predictions.output_shape.extents()) extents.push_back(extent);
    hdf5.root().write_dataset("predictions", Shape(extents), std::span<const float>(predictions.values));
    const std::int64_t classes = predictions.output_shape.last();
    if (predictions.decision != Decision::kNone && predictions.output_shape.size() == classes) {
      std::vector<std::int64_t> decided(static_cast<std::size_t>(predictions.rows));
      for (std::size_t row = 0; row < decided.size(); ++row) {
        decided[row] = decide(predictions.decision,
                              predictions.values.data() + static_cast<std::int64_t>(row) * classes, classes);
      }
      hdf5.root().write_dataset("classes", Shape{predictions.rows}, std::span<const std::int64_t>(decided));
      if (!predictions.class_names.empty())
        hdf5.root().write_attribute("class_names", predictions.class_names);
    }
    hdf5.close();
  } else {
    std::ofstream stream(file.temporary_path(), std::ios::binary);
    path.ends_with(".npy") ? write_npy(stream, predictions) : write_csv(stream, predictions);
    stream.flush();
    if (!stream) throw RuntimeError("cannot write \"" + path + "\": the disk may be full");
  }
  file.commit();
}

}  // namespace nntrain::train

#pragma once
// TensorBoard's event files: records of a length, an Event and their checksums (TFRecord with CRC32C), which
// TensorBoard follows while they grow. Local: one process writes a file.

#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nntrain::train {

/// CRC32C (Castagnoli) of `bytes`.
std::uint32_t crc32c(std::string_view bytes);

/// One record as it stands in a file: length, masked CRC of the length, `data`, masked CRC of `data`.
std::string framed_record(std::string_view data);

/// The records of a file's content, and how many bytes they take; what follows is cut or damaged.
std::vector<std::string> read_records(std::string_view content, std::size_t& good_bytes);

class EventFile {
 public:
  /// Makes `path` with its first event. Throws RuntimeError.
  EventFile(std::string path, double wall_time);

  void scalar(const std::string& tag, std::int64_t step, double wall_time, double value);
  /// `text` is Markdown.
  void text(const std::string& tag, std::int64_t step, double wall_time, const std::string& text);
  /// The architecture as Keras' JSON, which TensorBoard draws.
  void keras_model(std::int64_t step, double wall_time, const std::string& json);
  /// 30 buckets from the least to the greatest value, as TensorFlow's summary.histogram.
  void histogram(const std::string& tag, std::int64_t step, double wall_time, std::span<const float> values);

  /// Everything written is in the file then. Throws RuntimeError.
  void flush();
  const std::string& path() const { return path_; }
  std::int64_t bytes() const { return bytes_; }

 private:
  void write(const std::string& event);

  std::string path_;
  std::ofstream file_;
  std::int64_t bytes_ = 0;
};

}  // namespace nntrain::train

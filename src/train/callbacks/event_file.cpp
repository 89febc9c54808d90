#include "train/callbacks/event_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "tensorboard_event.pb.h"

namespace nntrain::train {

namespace {

static_assert(std::endian::native == std::endian::little, "records are little-endian");

constexpr std::size_t kHeader = sizeof(std::uint64_t) + sizeof(std::uint32_t),
                      kFooter = sizeof(std::uint32_t);
constexpr std::int64_t kBuckets = 30;

constexpr std::array<std::uint32_t, 256> crc_table() {
  constexpr std::uint32_t kCastagnoli = 0x82F63B78U;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? (crc >> 1U) ^ kCastagnoli : crc >> 1U;
    table[i] = crc;
  }
  return table;
}

/// TFRecord's: a checksum of data that hold checksums would be weak.
std::uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xA282EAD8U; }

template <class T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <class T>
T taken(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

tensorboard::Event event_at(std::int64_t step, double wall_time) {
  tensorboard::Event event;
  event.set_wall_time(wall_time);
  event.set_step(step);
  return event;
}

tensorboard::Summary::Value* add_value(tensorboard::Event& event, const std::string& tag, const char* plugin,
                                       tensorboard::SummaryMetadata::DataClass kind) {
  tensorboard::Summary::Value* value = event.mutable_summary()->add_value();
  value->set_tag(tag);
  value->mutable_metadata()->mutable_plugin_data()->set_plugin_name(plugin);
  value->mutable_metadata()->set_data_class(kind);
  return value;
}

/// (30, 3): left edge, right edge, count.
std::vector<double> buckets_of(std::span<const float> values) {
  std::vector<double> rows(static_cast<std::size_t>(3 * kBuckets), 0.0);
  double least = INFINITY, most = -INFINITY;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;  // they have no bucket
    least = std::min<double>(least, value);
    most = std::max<double>(most, value);
  }
  if (least > most) return rows;
  const double width = (most - least) / static_cast<double>(kBuckets);
  for (std::int64_t i = 0; i < kBuckets; ++i) {
    rows[static_cast<std::size_t>(3 * i)] = least + width * static_cast<double>(i);
    rows[static_cast<std::size_t>(3 * i + 1)] =
        i + 1 == kBuckets ? most : least + width * static_cast<double>(i + 1);
  }
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    const std::int64_t bucket =
        width > 0 ? std::min<std::int64_t>(kBuckets - 1, static_cast<std::int64_t>((value - least) / width))
                  : kBuckets - 1;
    rows[static_cast<std::size_t>(3 * bucket + 2)] += 1;
  }
  return rows;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = crc_table();
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) crc = kTable[(crc ^ static_cast<unsigned char>(byte)) & 255U] ^ (crc >> 8U);
  return ~crc;
}

std::string framed_record(std::string_view data) {
  std::string record;
  append(record, static_cast<std::uint64_t>(data.size()));
  append(record, masked_crc(record));
  record += data;
  append(record, masked_crc(data));
  return record;
}

std::vector<std::string> read_records(std::string_view content, std::size_t& good_bytes) {
  std::vector<std::string> records;
  good_bytes = 0;
  while (content.size() - good_bytes >= kHeader + kFooter) {
    const std::string_view rest = content.substr(good_bytes);
    const auto length = taken<std::uint64_t>(rest);
    if (masked_crc(rest.substr(0, sizeof(length))) != taken<std::uint32_t>(rest.substr(sizeof(length))))
      break;
    if (length > rest.size() - kHeader - kFooter) break;
    const std::string_view data = rest.substr(kHeader, length);
    if (masked_crc(data) != taken<std::uint32_t>(rest.substr(kHeader + length))) break;
    records.emplace_back(data);
    good_bytes += kHeader + length + kFooter;
  }
  return records;
}

EventFile::EventFile(std::string path, double wall_time)
    : path_(std::move(path)), file_(path_, std::ios::binary | std::ios::trunc) {
  tensorboard::Event event = event_at(0, wall_time);
  event.set_file_version("brain.Event:2");
  write(event.SerializeAsString());
}

void EventFile::write(const std::string& event) {
  const std::string record = framed_record(event);
  file_.write(record.data(), static_cast<std::streamsize>(record.size()));
  bytes_ += static_cast<std::int64_t>(record.size());
}

void EventFile::flush() {
  file_.flush();
  if (!file_)
    throw RuntimeError("TensorBoard: cannot write \"" + path_ +
                       "\"; is the disk full, or log_dir not writable?");
}

void EventFile::scalar(const std::string& tag, std::int64_t step, double wall_time, double value) {
  tensorboard::Event event = event_at(step, wall_time);
  tensorboard::Tensor* tensor =
      add_value(event, tag, "scalars", tensorboard::SummaryMetadata::SCALAR)->mutable_tensor();
  tensor->set_dtype(tensorboard::Tensor::FLOAT);
  tensor->mutable_tensor_shape();
  tensor->add_float_val(static_cast<float>(value));
  write(event.SerializeAsString());
}

void EventFile::text(const std::string& tag, std::int64_t step, double wall_time, const std::string& text) {
  tensorboard::Event event = event_at(step, wall_time);
  tensorboard::Tensor* tensor =
      add_value(event, tag, "text", tensorboard::SummaryMetadata::TENSOR)->mutable_tensor();
  tensor->set_dtype(tensorboard::Tensor::STRING);
  tensor->mutable_tensor_shape();
  tensor->add_string_val(text);
  write(event.SerializeAsString());
}

void EventFile::keras_model(std::int64_t step, double wall_time, const std::string& json) {
  tensorboard::Event event = event_at(step, wall_time);
  tensorboard::Summary::Value* value =
      add_value(event, "keras", "graph_keras_model", tensorboard::SummaryMetadata::UNKNOWN);
  value->mutable_metadata()->mutable_plugin_data()->set_content("1");
  value->mutable_tensor()->set_dtype(tensorboard::Tensor::STRING);
  value->mutable_tensor()->mutable_tensor_shape();
  value->mutable_tensor()->add_string_val(json);
  write(event.SerializeAsString());
}

void EventFile::histogram(const std::string& tag, std::int64_t step, double wall_time,
                          std::span<const float> values) {
  const std::vector<double> rows = buckets_of(values);
  tensorboard::Event event = event_at(step, wall_time);
  tensorboard::Tensor* tensor =
      add_value(event, tag, "histograms", tensorboard::SummaryMetadata::TENSOR)->mutable_tensor();
  tensor->set_dtype(tensorboard::Tensor::DOUBLE);
  tensor->mutable_tensor_shape()->add_dim()->set_size(kBuckets);
  tensor->mutable_tensor_shape()->add_dim()->set_size(3);
  tensor->set_tensor_content(rows.data(), rows.size() * sizeof(double));
  write(event.SerializeAsString());
}

}  // namespace nntrain::train

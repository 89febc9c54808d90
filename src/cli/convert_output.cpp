#include "cli/convert_output.h"

#include <algorithm>

namespace nntrain::cli {

namespace {

/// Chunks of our own, whatever the source has; of a long array, as its rows are not known yet.
std::int64_t chunk_rows_of(data::ArrayInfo info) {
  info.chunk_rows = 0;
  info.rows = 1;
  return data::block_rows_of(info);
}

}  // namespace

ConvertedRows::ConvertedRows(io::Hdf5Group& root, std::string name, data::ArrayInfo info, int gzip)
    : root_(root),
      name_(std::move(name)),
      info_(std::move(info)),
      gzip_(gzip),
      row_bytes_(static_cast<std::size_t>(info_.sample.size()) * data::element_bytes(info_.element)),
      chunk_rows_(chunk_rows_of(info_)) {
  if (!info_.columns.empty() && info_.element == data::Element::kFloat32)
    statistics_.emplace(info_.sample.size());
}

void ConvertedRows::add(std::span<const std::byte> rows) {
  const std::size_t chunk = static_cast<std::size_t>(chunk_rows_) * row_bytes_;
  while (!rows.empty()) {
    if (waiting_.empty() && rows.size() >= chunk) {
      write(rows.first(chunk));
      rows = rows.subspan(chunk);
      continue;
    }
    const std::span<const std::byte> some = rows.first(std::min(rows.size(), chunk - waiting_.size()));
    waiting_.insert(waiting_.end(), some.begin(), some.end());
    rows = rows.subspan(some.size());
    if (waiting_.size() < chunk) continue;
    write(waiting_);
    waiting_.clear();
  }
}

void ConvertedRows::close() {
  if (!waiting_.empty()) {
    if (rows_ == 0) chunk_rows_ = static_cast<std::int64_t>(waiting_.size() / row_bytes_);
    write(waiting_);
  }
  if (dataset_) dataset_->close();
  if (!info_.columns.empty()) root_.write_attribute(name_ + "_columns", info_.columns);
  if (!info_.class_names.empty()) root_.write_attribute("class_names", info_.class_names);
  write_about();
}

/// How the table was read (kinds, categories, what fills gaps), as the checkpoint of a run has it, and its
/// columns' statistics.
void ConvertedRows::write_about() {
  if (!info_.table.is_null()) root_.write_attribute(name_ + "_table", info_.table.dump());
  if (!statistics_ || rows_ == 0) return;
  const std::string about = "about/" + name_ + "_";
  const Shape columns{info_.sample.size()};
  root_.write_dataset<double>(about + "mean", columns, statistics_->means());
  root_.write_dataset<double>(about + "std", columns, statistics_->deviations());
  root_.write_dataset<double>(about + "min", columns, statistics_->minima());
  root_.write_dataset<double>(about + "max", columns, statistics_->maxima());
}

void ConvertedRows::write(std::span<const std::byte> rows) {
  if (info_.element == data::Element::kUint8) {
    write_as<std::uint8_t>(rows);
  } else {
    if (statistics_)
      statistics_->add({reinterpret_cast<const float*>(rows.data()), rows.size() / sizeof(float)});
    write_as<float>(rows);
  }
  rows_ += static_cast<std::int64_t>(rows.size() / row_bytes_);
}

template <class T>
void ConvertedRows::write_as(std::span<const std::byte> rows) {
  if (!dataset_) {
    std::vector<std::int64_t> extents = {static_cast<std::int64_t>(rows.size() / row_bytes_)};
    for (const std::int64_t extent : info_.sample.extents()) extents.push_back(extent);
    dataset_.emplace(root_.create_rows<T>(name_, Shape(extents), {chunk_rows_, gzip_, false, true}));
  }
  dataset_->write<T>(rows_, {reinterpret_cast<const T*>(rows.data()), rows.size() / sizeof(T)});
}

}  // namespace nntrain::cli

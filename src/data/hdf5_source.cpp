#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "core/error.h"
#include "data/converted_names.h"
#include "data/formats.h"
#include "io/hdf5.h"

namespace nntrain::data {

namespace {

using io::Hdf5Type;

class Hdf5Source : public ArraySource {
 public:
  /// `places`: what the classes of the file are in this run (match_classes()); empty: they stay.
  Hdf5Source(io::Hdf5File file, io::Hdf5Dataset dataset, ArrayInfo info, std::string key,
             std::vector<std::size_t> places)
      : file_(std::move(file)),
        dataset_(std::move(dataset)),
        info_(std::move(info)),
        key_(std::move(key)),
        places_(std::move(places)) {}

  const ArrayInfo& info() const override { return info_; }

  void read(std::span<std::byte> memory) override {
    check_memory(info_, memory);
    const std::size_t values = memory.size() / element_bytes(info_.element);
    try {
      if (info_.element == Element::kUint8) {
        dataset_.read(std::span(reinterpret_cast<std::uint8_t*>(memory.data()), values));
      } else {
        dataset_.read(std::span(reinterpret_cast<float*>(memory.data()), values));
      }
    } catch (const InputError& error) {
      throw InputError(key_ + ": " + error.what());
    }
    check_finite(info_, memory, fmt::format("{} {}", key_, dataset_.name()));
    rename_classes(memory);
  }

  bool has_rows() const override { return true; }

  void read_rows(std::int64_t first, std::int64_t count, std::span<std::byte> memory) override {
    check_rows(info_, first, count, memory);
    const std::size_t values = memory.size() / element_bytes(info_.element);
    try {
      if (info_.element == Element::kUint8) {
        dataset_.read_rows(first, count, std::span(reinterpret_cast<std::uint8_t*>(memory.data()), values));
      } else {
        dataset_.read_rows(first, count, std::span(reinterpret_cast<float*>(memory.data()), values));
      }
    } catch (const InputError& error) {
      throw InputError(key_ + ": " + error.what());
    }
    check_finite(info_, memory, fmt::format("{} {}", key_, dataset_.name()), first);
    rename_classes(memory);
  }

 private:
  void rename_classes(std::span<std::byte> memory) const {
    if (places_.empty()) return;
    const auto rename = [&](auto* values) {
      for (std::size_t i = 0; i < memory.size() / sizeof *values; ++i) {
        const auto index = static_cast<double>(values[i]);
        if (!(index >= 0 && index < static_cast<double>(places_.size()) && index == std::floor(index)))
          throw InputError(fmt::format("{} {}: {} is the place of none of its {} classes", key_,
                                       dataset_.name(), index, places_.size()));
        values[i] =
            static_cast<std::remove_reference_t<decltype(*values)>>(places_[static_cast<std::size_t>(index)]);
      }
    };
    if (info_.element == Element::kUint8) return rename(reinterpret_cast<std::uint8_t*>(memory.data()));
    rename(reinterpret_cast<float*>(memory.data()));
  }

  io::Hdf5File file_;  // before the dataset: closed after it
  io::Hdf5Dataset dataset_;
  ArrayInfo info_;
  std::string key_;
  std::vector<std::size_t> places_;
};

/// The only dataset of the root, or InputError with a list.
std::string only_dataset(const io::Hdf5Group& root) {
  std::vector<std::string> datasets;
  for (const std::string& child : root.children()) {
    if (root.kind(child) == io::Hdf5Kind::kDataset) datasets.push_back(child);
  }
  if (datasets.size() == 1) return datasets.front();
  std::string list;
  for (const std::string& name : datasets) list += fmt::format("{}/{}", list.empty() ? "" : ", ", name);
  throw InputError(fmt::format("{} holds {} datasets{}; say which one is meant: FILE:/DATASET", root.name(),
                               datasets.size(), list.empty() ? " in its root" : " (" + list + ")"));
}

Element element_of(const io::Hdf5Dataset& dataset) {
  const io::Hdf5DatasetInfo& info = dataset.info();
  if (info.type == Hdf5Type::kString || info.type == Hdf5Type::kOther) {
    throw InputError(
        fmt::format("{} holds {} elements; numbers are needed (for text labels store class indices, "
                    "or use a CSV file)",
                    dataset.name(), info.type_name()));
  }
  const bool byte = info.element_bytes == 1 && (info.type == Hdf5Type::kBoolean || !info.is_signed);
  return byte ? Element::kUint8 : Element::kFloat32;
}

}  // namespace

std::unique_ptr<ArraySource> open_hdf5(const std::string& path, const std::string& dataset_path,
                                       const SourceOptions& options) {
  try {
    io::Hdf5File file = io::Hdf5File::open(path);
    const io::Hdf5Group root = file.root();
    io::Hdf5Dataset dataset = root.dataset(dataset_path.empty() ? only_dataset(root) : dataset_path);
    ArrayInfo info = make_info(dataset.name(), dataset.info().shape.extents(), element_of(dataset));
    info.chunk_rows = std::min(dataset.info().chunk_rows, info.rows);
    take_converted_names(root, dataset_path, options.role, info);
    const std::string where = "\"" + options.source + "\"";
    check_same_columns(info, options.training, where);
    std::vector<std::size_t> places = match_classes(info, options.training, where);
    if (std::any_of(places.begin(), places.end(), [](std::size_t place) { return place > 255; }) &&
        info.element == Element::kUint8)
      throw InputError(where +
                       " holds its classes as bytes, the training has more of them: convert both at once");
    return std::make_unique<Hdf5Source>(std::move(file), std::move(dataset), std::move(info), options.key,
                                        std::move(places));
  } catch (const InputError& error) {
    throw InputError(options.key + ": " + error.what());
  }
}

}  // namespace nntrain::data

#include "train/report/class_balance.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "data/array_source.h"
#include "train/config/settings.h"
#include "train/inference/inference.h"
#include "train/run/setup.h"

namespace nntrain::train {

namespace {

constexpr std::uintmax_t kLargestFile = 64U << 20U;  // a report takes a second, not a minute
constexpr std::int64_t kMostClasses = 100;

std::vector<float> values_of(const data::ArrayInfo& info, std::span<const std::byte> raw) {
  std::vector<float> values(static_cast<std::size_t>(info.rows * info.sample.size()));
  if (info.element == data::Element::kFloat32) {
    std::memcpy(values.data(), raw.data(), values.size() * sizeof(float));
  } else {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(raw[i]);
  }
  return values;
}

/// The class of a row of targets: an index, or the place of the one in a one-hot row. -1: no class.
std::int64_t class_of(const float* target, std::int64_t width) {
  if (width == 1)
    return *target == std::floor(*target) && *target >= 0 ? static_cast<std::int64_t>(*target) : -1;
  std::int64_t found = -1;
  for (std::int64_t i = 0; i < width; ++i) {
    if (target[i] == 1 && found < 0) {
      found = i;
    } else if (target[i] != 0) {
      return -1;
    }
  }
  return found;
}

/// Does the loss of the run tell classes apart?
bool tells_classes(const checkpoint::Contents& contents) {
  const Json spec = contents.environment.value("loss", Json());
  if (spec.is_null()) return false;
  const std::unique_ptr<nn::Sequential> model = build_model(model_source_of(contents), Shape{});
  return decision_of(nn::losses().make(spec).get(), model->output_shape()) != Decision::kNone;
}

ClassBalance counted(const data::ArrayInfo& info, const std::vector<float>& values, data::RowRange range,
                     const std::vector<std::string>& given) {
  const std::int64_t width = info.sample.size();
  std::vector<std::int64_t> counts;
  for (std::int64_t row = range.begin; row < range.end; ++row) {
    const std::int64_t label = class_of(values.data() + row * width, width);
    if (label < 0 || label >= kMostClasses) return {{}, "targets are no classes, or too many to list"};
    if (label >= static_cast<std::int64_t>(counts.size()))
      counts.resize(static_cast<std::size_t>(label) + 1, 0);
    ++counts[static_cast<std::size_t>(label)];
  }
  const std::vector<std::string>& names = info.class_names.empty() ? given : info.class_names;
  ClassBalance balance;
  balance.where = fmt::format("rows {} to {} of the targets", range.begin, range.end - 1);
  for (std::size_t i = 0; i < counts.size(); ++i)
    balance.rows.emplace_back(i < names.size() ? names[i] : std::to_string(i), counts[i]);
  return balance;
}

}  // namespace

ClassBalance class_balance(const checkpoint::Contents& contents, const Configuration& configuration,
                           std::int64_t rows) {
  try {
    if (!tells_classes(contents)) return {};
    const DataSettings data = read_settings(configuration).data;
    data::SourceOptions options;
    options.source = data.targets.empty() ? data.inputs : data.targets;
    options.role = data::Role::kTargets;
    options.columns = data.target_columns;
    options.key = "data.targets";
    options.table = data.table;
    options.of_one_table = data.targets.empty();
    const std::vector<std::string> files = data::files_of(options.source);
    const std::string path = options.source;
    std::error_code gone;
    std::uintmax_t bytes = 0;
    for (const std::string& file : files)
      if (!gone) bytes += std::filesystem::file_size(file, gone);
    if (gone || files.empty()) return {{}, "\"" + path + "\" is not at hand"};
    if (bytes > kLargestFile) return {{}, "\"" + path + "\" is too large to count"};
    const std::unique_ptr<data::ArraySource> source = data::open_array(options);
    const data::ArrayInfo& info = source->info();
    std::vector<std::byte> raw(static_cast<std::size_t>(info.bytes()));
    source->read(raw);
    data::RowRange range = data::parse_row_slice(data.rows, info.rows, "data.rows");
    const bool first_rows_train = !data.split.shuffle && data.split.folds == 0;
    if (rows > 0 && first_rows_train) range.end = std::min(range.end, range.begin + rows);
    return counted(info, values_of(info, raw), range, data.class_names);
  } catch (const Error& error) {
    return {{}, error.what()};
  }
}

}  // namespace nntrain::train

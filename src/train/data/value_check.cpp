#include "train/data/value_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/error.h"

namespace nntrain::train {

namespace {

constexpr std::int64_t kBlock = 256;

std::string column_name(const Json& columns, std::size_t value, std::size_t values) {
  if (columns.is_array() && columns.size() == values && columns[value].is_string())
    return " (column " + columns[value].get<std::string>() + ")";
  return "";
}

}  // namespace

void check_values(const nn::Sequential& model, std::span<const float> rows, std::int64_t first_row,
                  const Json& columns, const std::string& source) {
  const auto values = static_cast<std::size_t>(model.input_shape().size());
  for (const nn::Layer* layer : model.input_demands()) {
    const auto bad =
        std::find_if(rows.begin(), rows.end(), [&](float value) { return !layer->takes(value); });
    if (bad == rows.end()) continue;
    const auto at = static_cast<std::size_t>(bad - rows.begin());
    throw InputError(fmt::format(
        "{}: row {}, value {} of {}{} is {}, but the layer \"{}\" takes {}; rows and values count from 0",
        source, first_row + static_cast<std::int64_t>(at / values), at % values, values,
        column_name(columns, at % values, values), *bad, layer->name(), layer->value_demand()));
  }
}

void check_values(const nn::Sequential& model, const Samples& samples, float scale, const Json& columns,
                  const std::string& source) {
  if (model.input_demands().empty() || samples.stream != nullptr) return;
  const data::Sampler in_order(samples.rows(), 0, 0, data::Order::kFile);
  std::vector<float> rows(static_cast<std::size_t>(kBlock * samples.inputs.sample_size));
  for (std::int64_t row = 0; row < samples.rows(); row += kBlock) {
    const std::int64_t count = std::min(kBlock, samples.rows() - row);
    data::gather(samples.inputs, in_order, row, count, scale, rows.data());
    check_values(model, {rows.data(), static_cast<std::size_t>(count * samples.inputs.sample_size)},
                 samples.inputs.first + row, columns, source);
  }
}

void check_streamed_values(comm::Session& session, const nn::Sequential& model, const DataSets& data,
                           const Samples& samples, const std::string& source) {
  if (model.input_demands().empty() || samples.stream == nullptr) return;
  const data::Sampler in_order(samples.rows(), 0, 0, data::Order::kFile);
  begin_pass(session, data, samples, in_order, kPassInOrder, 0);
  comm::collectively(session, "check the inputs", [&] {
    if (session.local_rank() != 0) return samples.stream->release(samples.rows());
    std::vector<float> rows(static_cast<std::size_t>(kBlock * samples.inputs.sample_size));
    for (std::int64_t row = 0; row < samples.rows(); row += kBlock) {
      const std::int64_t count = std::min(kBlock, samples.rows() - row);
      const bool are_there = samples.stream->gather(row, count, data.scale, rows.data());
      samples.stream->release(row + count);
      samples.stream->check();
      if (!are_there) return;  // another node's failure
      check_values(model, {rows.data(), static_cast<std::size_t>(count * samples.inputs.sample_size)},
                   samples.inputs.first + row, data.columns, source);
    }
  });
}

}  // namespace nntrain::train

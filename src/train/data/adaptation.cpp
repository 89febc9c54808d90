#include "train/data/adaptation.h"

#include <algorithm>

namespace nntrain::train {

namespace {

constexpr std::int64_t kBatchRows = 4096;

}  // namespace

bool adapts_on_inputs(const nn::Sequential& model, int index) {
  for (int i = 0; i < index; ++i) {
    const nn::Layer& layer = *model.layers()[static_cast<std::size_t>(i)];
    if (!layer.is_view() && !layer.affine_map()) return false;
  }
  return true;
}

TrainingMoments::TrainingMoments(comm::Session& session, comm::Exchange& exchange,
                                 const nn::Sequential& model, int index, DataSets& data, int shards)
    : session_(session),
      exchange_(exchange),
      data_(data),
      shards_(shards),
      width_(model.input_shape().size()) {
  for (int i = 0; i < index; ++i) {
    const auto map = model.layers()[static_cast<std::size_t>(i)]->affine_map();
    if (!map) continue;
    scale_ *= map->scale;
    offset_ = offset_ * map->scale + map->offset;
  }
}

/// Adds this rank's shards of the batch at `position`, row by row, to `sums` (local shards, anything).
void TrainingMoments::sum_batch(const data::Sampler& in_order, std::int64_t position,
                                std::vector<double>& sums, const Look& look) {
  const ShardRange local = exchange_.local_shards();
  const std::int64_t batch = std::min(kBatchRows, data_.train.rows() - position);
  const std::int64_t first = shard_begin(local.begin, shards_, batch);
  const std::int64_t count = shard_begin(local.end, shards_, batch) - first;
  rows_.resize(static_cast<std::size_t>(count * width_));
  if (data_.train.stream == nullptr) {
    data::gather(data_.train.inputs, in_order, position + first, count, data_.scale, rows_.data());
  } else {
    data_.train.stream->gather(position + first, count, data_.scale, rows_.data());
    data_.train.stream->release(position + batch);
  }
  if (local.count() == 0) return;
  const std::size_t size = sums.size() / static_cast<std::size_t>(local.count());
  for (int s = 0; s < local.count(); ++s) {
    const std::int64_t end = shard_begin(local.begin + s + 1, shards_, batch) - first;
    for (std::int64_t row = shard_begin(local.begin + s, shards_, batch) - first; row < end; ++row)
      look(rows_.data() + row * width_, sums.data() + static_cast<std::size_t>(s) * size);
  }
}

void TrainingMoments::moments(std::span<double> mean, std::span<double> variance, std::int64_t& count) {
  count = data_.train.rows();
  const std::size_t width = mean.size();
  const auto shards = static_cast<std::size_t>(exchange_.local_shards().count());
  const data::Sampler in_order(count, 0, 0, data::Order::kFile);
  const auto value = [&](const float* row, std::size_t i) {
    return static_cast<double>(row[i]) * scale_ + offset_;
  };
  std::vector<double> near(width), sums(width * shards, 0.0);
  // Where nodes share the reading, nobody may wait inside MPI for more memory during a pass: others may want
  // what this rank sends.
  if (data_.mail != nullptr) exchange_.prepare_sums(static_cast<std::int64_t>(2 * width));
  begin_pass(session_, data_, data_.train, in_order, kPassInOrder, 0);
  sum_batch(in_order, 0, sums, [&](const float* row, double* shard) {
    for (std::size_t i = 0; i < width; ++i) shard[i] += value(row, i);
  });
  exchange_.tree_sum(sums, near);
  for (double& one : near) one /= static_cast<double>(std::min(kBatchRows, count));
  begin_pass(session_, data_, data_.train, in_order, kPassAgain, 0);
  sums.assign(2 * width * shards, 0.0);
  for (std::int64_t position = 0; position < count; position += kBatchRows)
    sum_batch(in_order, position, sums, [&](const float* row, double* shard) {
      for (std::size_t i = 0; i < width; ++i) {
        const double away = value(row, i) - near[i];
        shard[i] += away;
        shard[width + i] += away * away;
      }
    });
  check_pass(session_, data_.train);
  std::vector<double> total(2 * width);
  exchange_.tree_sum(sums, total);
  for (std::size_t i = 0; i < width; ++i) {
    const double away = total[i] / static_cast<double>(count);
    mean[i] = near[i] + away;
    variance[i] = std::max(0.0, total[width + i] / static_cast<double>(count) - away * away);
  }
}

}  // namespace nntrain::train

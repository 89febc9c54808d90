#include "train/data/adaptation.h"

namespace nntrain::train {

bool adapts_on_inputs(const nn::Sequential& model, int index) {
  for (int i = 0; i < index; ++i) {
    const nn::Layer& layer = *model.layers()[static_cast<std::size_t>(i)];
    if (!layer.is_view() && !layer.affine_map()) return false;
  }
  return true;
}

TrainingMoments::TrainingMoments(comm::Session& session, comm::Exchange& exchange,
                                 const nn::Sequential& model, int index, const DataSets& data, int shards)
    : exchange_(exchange),
      data_(data),
      shards_(shards),
      row_(static_cast<std::size_t>(model.input_shape().size())) {
  (void)session;
  for (int i = 0; i < index; ++i) {
    const auto map = model.layers()[static_cast<std::size_t>(i)]->affine_map();
    if (!map) continue;
    scale_ *= map->scale;
    offset_ = offset_ * map->scale + map->offset;
  }
}

template <class Term>
void TrainingMoments::sum_rows(std::span<double> total, Term term) {
  const ShardRange local = exchange_.local_shards();
  const std::size_t width = total.size();
  std::vector<double> sums(width * static_cast<std::size_t>(local.count()), 0.0);
  const data::Sampler in_order(data_.train.rows(), 0, 0, data::Order::kFile);
  for (int s = 0; s < local.count(); ++s) {
    double* shard = sums.data() + static_cast<std::size_t>(s) * width;
    const std::int64_t end = shard_begin(local.begin + s + 1, shards_, data_.train.rows());
    for (std::int64_t row = shard_begin(local.begin + s, shards_, data_.train.rows()); row < end; ++row) {
      data::gather(data_.train.inputs, in_order, row, 1, data_.scale, row_.data());
      for (std::size_t i = 0; i < width; ++i)
        shard[i] += term(static_cast<double>(row_[i]) * scale_ + offset_, i);
    }
  }
  exchange_.tree_sum(sums, total);
}

void TrainingMoments::moments(std::span<double> mean, std::span<double> variance, std::int64_t& count) {
  count = data_.train.rows();
  const double rows = static_cast<double>(count);
  sum_rows(mean, [](double x, std::size_t) { return x; });
  for (double& value : mean) value /= rows;
  sum_rows(variance, [&](double x, std::size_t i) { return (x - mean[i]) * (x - mean[i]); });
  for (double& value : variance) value /= rows;
}

}  // namespace nntrain::train

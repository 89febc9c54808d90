#include "train/step/replica.h"

#include <algorithm>
#include <cmath>

namespace nntrain::train {

void BatchRows::assign(ShardRange local, int shards, std::int64_t total) {
  batch_rows = total;
  first = shard_begin(local.begin, shards, total);
  bounds.resize(static_cast<std::size_t>(local.count()) + 1);
  for (int s = 0; s <= local.count(); ++s) {
    bounds[static_cast<std::size_t>(s)] = shard_begin(local.begin + s, shards, total) - first;
  }
  count = bounds.back();
}

/// Its shards of the largest batch; at any smaller batch no more.
std::int64_t Sharing::most_rows(std::int64_t batch_rows) const {
  return (batch_rows + shards - 1) / shards * local.count();
}

Replica::Replica(nn::Sequential& model, const nn::Loss* loss, float scale, const ReplicaOptions& options,
                 ActivityTimes& times)
    : model_(model),
      loss_(loss),
      scale_(scale),
      options_(options),
      sharing_(&options_.training),
      times_(times),
      positions_per_row_(model.output_shape().leading()),
      classes_(model.output_shape().last()) {
  const std::int64_t rows = std::max({std::int64_t{1}, options.training.most_rows(options.training_rows),
                                      options.evaluation.most_rows(options.evaluation_rows)});
  const auto shards =
      static_cast<std::size_t>(std::max(options.training.local.count(), options.evaluation.local.count()));
  const auto positions = static_cast<std::size_t>(rows * positions_per_row_);
  const std::size_t outputs = positions * static_cast<std::size_t>(classes_);
  predictions_.resize(outputs);
  if (scales()) restored_.resize(outputs);
  activity_loss_.reserve(shards);
  shard_sums_.reserve(shards);
  rows_.bounds.reserve(shards + 1);
  chosen_rows_.resize(static_cast<std::size_t>(rows));
  if (loss_ != nullptr) {
    targets_.resize(outputs);  // target width is at most the classes
    if (scales()) scaled_targets_.resize(outputs);
    row_weights_.resize(static_cast<std::size_t>(rows));
    weights_.resize(positions);
    scales_.resize(positions);
    losses_.resize(positions);
  }
  model_.prepare(rows, options.largest_mode, options.keep);
}

void Replica::gather(const BatchRequest& batch, const Sharing& sharing) {
  const ActivityTimes::Scope time(times_, Activity::kInput);
  sharing_ = &sharing;
  rows_.assign(sharing.local, sharing.shards, batch.rows);
  activity_loss_.resize(static_cast<std::size_t>(sharing.local.count()));
  shard_sums_.resize(activity_loss_.size());
  const Samples& samples = *batch.samples;
  const std::int64_t position = batch.position + rows_.first;
  const bool in_order = batch.sampler->order() == data::Order::kFile;
  const std::span<std::int64_t> chosen(chosen_rows_.data(),
                                       in_order ? 0 : static_cast<std::size_t>(rows_.count));
  batch.sampler->rows(position, chosen);  // once for all arrays
  const auto take = [&](const data::ArrayView& array, float scale, float* out) {
    if (in_order) return data::gather(array, *batch.sampler, position, rows_.count, scale, out);
    data::gather(array, chosen, scale, out);
  };
  if (samples.stream == nullptr) {
    take(samples.inputs, scale_, model_.input());
  } else {
    has_inputs_ = samples.stream->gather(position, rows_.count, scale_, model_.input());
    samples.stream->release(batch.position + batch.rows);
  }
  if (loss_ == nullptr) return;
  target_width_ = samples.targets.sample_size / positions_per_row_;
  take(samples.targets, 1.0F, targets_.data());
  if (scales()) options_.target_scale->standardize(targets(), scaled_targets_);
  weighted_ = samples.has_weights();
  if (weighted_) take(samples.weights, 1.0F, row_weights_.data());
}

nn::BatchContext Replica::context(nn::Mode mode, std::uint64_t step) {
  std::fill(activity_loss_.begin(), activity_loss_.end(), 0.0);
  nn::BatchContext context;
  context.mode = mode;
  context.rows = rows_.count;
  context.bounds = rows_.bounds;
  context.first_shard = sharing_->local.begin;
  context.shards = sharing_->shards;
  context.first_row = rows_.first;
  context.batch_rows = rows_.batch_rows;
  context.seed = options_.seed;
  context.products = options_.products;
  context.step = step;
  context.sums = sharing_->sums;
  context.writes_state = options_.writes_state;
  context.activity_loss = activity_loss_;
  return context;
}

nn::LossInputs Replica::loss_inputs(const float* logits) {
  nn::LossInputs inputs;
  inputs.positions = rows_.count * positions_per_row_;
  inputs.classes = classes_;
  inputs.target_width = target_width_;
  inputs.targets = scales() ? scaled_targets_.data() : targets_.data();
  inputs.logits = logits;
  inputs.head = model_.head();
  inputs.predictions = logits;
  inputs.workspace = &loss_workspace_;
  if (inputs.head != nn::Head::kNone) {
    nn::apply_head(inputs.head, inputs.positions, classes_, logits, predictions_.data());
    inputs.predictions = predictions_.data();
  }
  return inputs;
}

/// Fills weights_ (sample weight x mask) and returns the divisor of the mini-batch's loss.
double Replica::weigh(const nn::LossInputs& inputs) {
  const bool masked = loss_->has_mask();
  if (masked) {
    loss_->mask(inputs, std::span(weights_).first(static_cast<std::size_t>(inputs.positions)));
  } else if (weighted_) {
    std::fill_n(weights_.begin(), inputs.positions, 1.0F);
  }
  const nn::Reduction reduction = loss_->reduction();
  const bool by_weight = reduction == nn::Reduction::kMeanWithSampleWeight && (weighted_ || masked);
  const bool by_mask = reduction == nn::Reduction::kSumOverBatchSize && masked;
  const auto sum_of_weights = [&] {
    for (std::size_t s = 0; s < shard_sums_.size(); ++s) {
      double sum = 0;
      for (std::int64_t i = rows_.bounds[s] * positions_per_row_;
           i < rows_.bounds[s + 1] * positions_per_row_; ++i) {
        sum += weights_[static_cast<std::size_t>(i)];
      }
      shard_sums_[s] = sum;
    }
    double total = 0;
    sharing_->sums->sum(shard_sums_, std::span(&total, 1));
    return total;
  };
  double divisor = static_cast<double>(rows_.batch_rows * positions_per_row_);
  if (by_mask)
    divisor = sum_of_weights();  // before the sample weights join: Keras divides by what is not masked
  if (weighted_) {
    for (std::int64_t i = 0; i < inputs.positions; ++i) {
      weights_[static_cast<std::size_t>(i)] *= row_weights_[static_cast<std::size_t>(i / positions_per_row_)];
    }
  }
  if (by_weight) divisor = sum_of_weights();
  return reduction == nn::Reduction::kSum ? 1.0 : divisor;
}

/// For losses that look at the whole mini-batch: their sums over all shards.
void Replica::add_batch_sums(nn::LossInputs& inputs, const float* scale) {
  inputs.first_position = rows_.first * positions_per_row_;
  inputs.batch_positions = rows_.batch_rows * positions_per_row_;
  const auto width = static_cast<std::size_t>(loss_->batch_sums(inputs.batch_positions, classes_));
  if (width == 0) return;
  batch_parts_.assign(width * shard_sums_.size(), 0.0);
  batch_sums_.resize(width);
  for (std::size_t s = 0; s < shard_sums_.size(); ++s) {
    const std::int64_t begin = rows_.bounds[s] * positions_per_row_;
    nn::LossInputs shard = inputs;
    shard.positions = rows_.bounds[s + 1] * positions_per_row_ - begin;
    shard.first_position += begin;
    shard.targets += begin * target_width_;
    shard.predictions += begin * classes_;
    loss_->add_batch_sums(shard, scale == nullptr ? nullptr : scale + begin,
                          std::span(batch_parts_).subspan(s * width, width));
  }
  sharing_->sums->sum(batch_parts_, batch_sums_);
  inputs.batch_sums = batch_sums_;
}

/// Outputs in the units of the targets, as metrics and users see them.
std::span<const float> Replica::in_units(const float* outputs, std::int64_t positions) {
  const std::span<const float> raw(outputs, static_cast<std::size_t>(positions * classes_));
  if (!scales()) return raw;
  options_.target_scale->restore(raw, restored_);
  return std::span<const float>(restored_).first(raw.size());
}

double Replica::score(const nn::LossInputs& inputs, double divisor, bool weighted, Scoreboard& board) {
  const double batch_rows = static_cast<double>(rows_.batch_rows);
  outputs_ = in_units(inputs.predictions, inputs.positions);
  double checked = 0;
  for (std::size_t s = 0; s < shard_sums_.size(); ++s) {
    const std::int64_t begin = rows_.bounds[s] * positions_per_row_;
    const std::int64_t end = rows_.bounds[s + 1] * positions_per_row_;
    double sum = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      const double loss = losses_[static_cast<std::size_t>(i)];
      sum += weighted ? loss * static_cast<double>(weights_[static_cast<std::size_t>(i)]) : loss;
    }
    const double share = (divisor > 0 ? sum / divisor : 0.0) + activity_loss_[s];
    checked += share;
    const int local_shard = static_cast<int>(s);
    board.add_loss(local_shard, share * batch_rows,
                   static_cast<double>(rows_.bounds[s + 1] - rows_.bounds[s]));
    metrics::MetricInputs shard;
    shard.positions = end - begin;
    shard.classes = classes_;
    shard.target_width = target_width_;
    shard.targets = targets_.data() + begin * target_width_;
    shard.predictions = outputs_.data() + begin * classes_;
    shard.weights = weighted ? weights_.data() + begin : nullptr;
    if (shard.positions > 0) board.update(local_shard, shard);
  }
  add_penalties(board);
  return checked;
}

/// The regularizers' penalties of this mini-batch, each counted by the one shard that also adds its gradient.
void Replica::add_penalties(Scoreboard& board) {
  for (const nn::Variable& variable : model_.variables()) {
    if (!variable.regularizer || !variable.trainable) continue;
    const int shard = nn::GradientTree::regularizer_shard(variable, sharing_->shards);
    if (shard < sharing_->local.begin || shard >= sharing_->local.end) continue;
    const std::span<const float> values(variable.values, static_cast<std::size_t>(variable.size()));
    const double penalty = variable.regularizer->loss(variable.shape, values);
    board.add_loss(shard - sharing_->local.begin, penalty * static_cast<double>(rows_.batch_rows), 0.0);
  }
}

/// Forward to the loss of every position and its gradient. Returns the loss's divisor.
double Replica::lose(const nn::BatchContext& training, nn::LossInputs& inputs) {
  inputs = loss_inputs(model_.forward(training, model_.input()));
  const double divisor = weigh(inputs);
  const bool weighted = weighted_ || loss_->has_mask();
  const auto scale = static_cast<float>(divisor > 0 ? 1.0 / divisor : 0.0);
  for (std::int64_t i = 0; i < inputs.positions; ++i) {
    const auto at = static_cast<std::size_t>(i);
    scales_[at] = weighted ? weights_[at] * scale : scale;
  }
  add_batch_sums(inputs, scales_.data());
  loss_->compute(inputs, scales_.data(), losses_.data(), model_.output_gradient());
  return divisor;
}

bool Replica::train(const BatchRequest& batch, nn::GradientTree& gradients, Scoreboard& board) {
  gather(batch, options_.training);
  layers_are_finite_ = true;
  nn::BatchContext training = context(nn::Mode::kTraining, batch.step);
  training.finite = &layers_are_finite_;
  double loss = 0;
  {
    const ActivityTimes::Scope time(times_, Activity::kForward);
    nn::LossInputs inputs;
    const double divisor = lose(training, inputs);
    loss = score(inputs, divisor, weighted_ || loss_->has_mask(), board);
  }
  const ActivityTimes::Scope time(times_, Activity::kBackward);
  model_.backward(training, model_.output_gradient(), gradients);
  return std::isfinite(loss) && layers_are_finite_;
}

void Replica::evaluate(const BatchRequest& batch, Scoreboard& board) {
  gather(batch, options_.evaluation);
  nn::LossInputs inputs =
      loss_inputs(model_.forward(context(nn::Mode::kInference, batch.step), model_.input()));
  const double divisor = weigh(inputs);
  add_batch_sums(inputs, nullptr);
  loss_->compute(inputs, nullptr, losses_.data(), nullptr);
  score(inputs, divisor, weighted_ || loss_->has_mask(), board);
}

std::span<const float> Replica::predict(const BatchRequest& batch) {
  gather(batch, options_.evaluation);
  const float* logits = model_.forward(context(nn::Mode::kInference, batch.step), model_.input());
  const std::int64_t positions = rows_.count * positions_per_row_;
  if (model_.head() == nn::Head::kNone) return in_units(logits, positions);
  nn::apply_head(model_.head(), positions, classes_, logits, predictions_.data());
  return in_units(predictions_.data(), positions);
}

}  // namespace nntrain::train

#include "nntrain/train/updater.h"

#include <algorithm>

namespace nntrain::train {

namespace {

std::vector<const nn::Variable*> trainable_variables(const nn::Sequential& model) {
  std::vector<const nn::Variable*> variables;
  for (const nn::Variable& variable : model.variables()) {
    if (variable.trainable) variables.push_back(&variable);
  }
  return variables;
}

/// Sum of squares in float64, eight lanes in a fixed order.
double squares(const float* values, std::int64_t count) {
  double lanes[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (int lane = 0; lane < 8; ++lane) {
      const double value = values[i + lane];
      lanes[lane] += value * value;
    }
  }
  for (; i < count; ++i) lanes[0] += static_cast<double>(values[i]) * values[i];
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

}  // namespace

std::vector<comm::Extent> Updater::extents(const nn::Sequential& model, const optim::Optimizer& optimizer) {
  std::vector<comm::Extent> extents;
  for (const nn::Variable* variable : trainable_variables(model)) {
    extents.push_back({variable->offset, variable->size(), !optimizer.whole_variables() && !variable->constraint});
  }
  return extents;
}

Updater::Updater(comm::Exchange& exchange, nn::Sequential& model, optim::Optimizer& optimizer, ActivityTimes& times)
    : exchange_(exchange), model_(model), optimizer_(optimizer), times_(times), trainables_(trainable_variables(model)) {
  make_segments();
  const auto count = static_cast<std::size_t>(exchange_.slice().count());
  const std::size_t names = optimizer_.slot_names().size();
  for (std::size_t k = 0; k < names; ++k) slots_.emplace_back(count, optimizer_.slot_start(static_cast<int>(k)));
  slice_.segments = segments_;
  slice_.values = exchange_.values().data() + exchange_.slice().begin;
  for (std::vector<float>& slot : slots_) slice_.slots.push_back(slot.data());
  chunk_sums_.resize(exchange_.my_chunks().size());
  for (auto* norms : {&gradient_norms_, &value_norms_, &update_norms_}) norms->resize(trainables_.size());
}

void Updater::make_segments() {
  const comm::Range slice = exchange_.slice();
  for (std::size_t v = 0; v < trainables_.size(); ++v) {
    const nn::Variable& variable = *trainables_[v];
    const std::int64_t begin = std::max(slice.begin, variable.offset);
    const std::int64_t end = std::min(slice.end, variable.offset + variable.size());
    if (begin >= end) continue;
    segments_.push_back({static_cast<int>(v), begin - variable.offset, begin - slice.begin, end - begin, &variable.shape});
  }
}

void Updater::sum_squares(const float* slice, std::vector<double>& per_variable) {
  const auto& chunks = exchange_.my_chunks();
  for (std::size_t c = 0; c < chunks.size(); ++c) {
    chunk_sums_[c] = squares(slice + (chunks[c].begin - exchange_.slice().begin), chunks[c].size);
  }
  exchange_.chunk_sums(chunk_sums_, per_variable);
}

void Updater::step(std::int64_t iteration, double learning_rate, comm::StepFlags& flags) {
  {
    const ActivityTimes::Scope time(times_, Activity::kExchange);
    slice_.gradients = exchange_.reduce(flags).data();
  }
  const optim::NormRequest wanted = optimizer_.norms();
  optim::StepInfo info;
  info.iteration = iteration;
  info.learning_rate = static_cast<float>(learning_rate);
  if (wanted.gradient || wanted.value || wanted.update) {
    const ActivityTimes::Scope time(times_, Activity::kExchange);
    if (wanted.gradient) sum_squares(slice_.gradients, gradient_norms_);
    if (wanted.value) sum_squares(slice_.values, value_norms_);
    info.norms = {gradient_norms_, value_norms_, update_norms_};
    if (wanted.update) {
      optimizer_.direct(slice_, info);
      sum_squares(slice_.gradients, update_norms_);
    }
  }
  {
    const ActivityTimes::Scope time(times_, Activity::kOptimizer);
    optimizer_.step(slice_, info);
    constrain();
    optimizer_.advance(info);
  }
  const ActivityTimes::Scope time(times_, Activity::kExchange);
  exchange_.share();
}

void Updater::constrain() {
  for (const optim::Segment& segment : segments_) {
    const nn::Variable& variable = *trainables_[static_cast<std::size_t>(segment.variable)];
    if (!variable.constraint) continue;  // a constrained variable is never cut: see extents()
    variable.constraint->apply(variable.shape, {slice_.values + segment.offset, static_cast<std::size_t>(segment.size)});
  }
}

void Updater::finalize() {
  optimizer_.finalize(slice_);
  exchange_.share();
}

std::vector<float> Updater::gather_slot(int slot) {
  return exchange_.gather_slices(slots_[static_cast<std::size_t>(slot)]);
}

void Updater::scatter_slot(int slot, std::span<const float> whole_on_root) {
  exchange_.scatter_slices(whole_on_root, slots_[static_cast<std::size_t>(slot)]);
}

}  // namespace nntrain::train

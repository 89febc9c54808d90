#include "train/step/updater.h"

#include <algorithm>

#include "core/past_caches.h"

namespace nntrain::train {

namespace {

/// Rows of a deferred gradient that are made and stepped at once.
constexpr std::int64_t kBlockRows = KernelGradient::kBlockRows;
/// Values that are stepped in a copy of theirs at once: they stay in the first-level cache.
constexpr std::int64_t kCopied = 2048;

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
    extents.push_back(
        {variable->offset, variable->size(), !optimizer.whole_variables() && !variable->constraint});
  }
  return extents;
}

Updater::Updater(comm::Exchange& exchange, nn::Sequential& model, optim::Optimizer& optimizer,
                 DeferredGradients* deferred, ActivityTimes& times)
    : exchange_(exchange),
      model_(model),
      optimizer_(optimizer),
      deferred_(deferred),
      times_(times),
      trainables_(trainable_variables(model)) {
  const auto count = static_cast<std::size_t>(exchange_.owned_floats());
  const std::size_t names = optimizer_.slot_names().size();
  for (std::size_t k = 0; k < names; ++k)
    slots_.emplace_back(count, optimizer_.slot_start(static_cast<int>(k)));
  make_pieces();
  if (exchange_.shares_values()) copied_.resize(kCopied);
  chunk_sums_.resize(exchange_.my_chunks().size());
  for (auto* norms : {&gradient_norms_, &value_norms_, &update_norms_}) norms->resize(trainables_.size());
}

void Updater::make_pieces() {
  std::int64_t before = 0;
  for (const comm::Range& range : exchange_.pieces()) segments_.push_back(segments_of(range));
  for (std::size_t k = 0; k < segments_.size(); ++k) {
    const comm::Range& range = exchange_.pieces()[k];
    optim::Slice slice;
    slice.segments = segments_[k];
    slice.values = exchange_.values().data() + range.begin;
    slice.gradients = exchange_.sums().data() + range.begin;
    for (std::vector<float>& slot : slots_) slice.slots.push_back(slot.data() + before);
    slices_.push_back(std::move(slice));
    before += range.count();
  }
  part_.slots.resize(slots_.size());
  for (const auto& segments : segments_) {
    for (const optim::Segment& segment : segments) {
      if (!is_deferred(segment)) continue;
      const auto floats =
          static_cast<std::size_t>(std::min(kBlockRows, (*segment.shape)[0]) * (*segment.shape)[1]);
      block_.resize(std::max(block_.size(), floats));
    }
  }
}

std::vector<optim::Segment> Updater::segments_of(const comm::Range& range) const {
  std::vector<optim::Segment> segments;
  for (std::size_t v = 0; v < trainables_.size(); ++v) {
    const nn::Variable& variable = *trainables_[v];
    const std::int64_t begin = std::max(range.begin, variable.offset);
    const std::int64_t end = std::min(range.end, variable.offset + variable.size());
    if (begin >= end) continue;
    segments.push_back(
        {static_cast<int>(v), begin - variable.offset, begin - range.begin, end - begin, &variable.shape});
  }
  return segments;
}

void Updater::sum_squares(const float* flat, std::vector<double>& per_variable) {
  const auto& chunks = exchange_.my_chunks();
  for (std::size_t c = 0; c < chunks.size(); ++c)
    chunk_sums_[c] = squares(flat + chunks[c].begin, chunks[c].size);
  exchange_.chunk_sums(chunk_sums_, per_variable);
}

bool Updater::is_deferred(const optim::Segment& segment) const {
  return deferred_ != nullptr && deferred_->covers(*trainables_[static_cast<std::size_t>(segment.variable)]);
}

/// Makes the gradient of a deferred segment block by block; calls use(part of the segment, its gradient).
template <class Use>
void Updater::for_blocks(const optim::Segment& segment, std::int64_t batch_rows, Use use) {
  const nn::Variable& kernel = *trainables_[static_cast<std::size_t>(segment.variable)];
  const std::int64_t units = kernel.shape[1], segment_end = segment.begin + segment.size;
  const std::int64_t last_row = (segment_end + units - 1) / units;
  deferred_->begin(kernel, batch_rows);
  std::int64_t end_row = 0;
  for (std::int64_t row = segment.begin / units; row < last_row; row = end_row) {
    end_row = std::min(last_row, (row / kBlockRows + 1) * kBlockRows);
    deferred_->rows(row, end_row, block_.data(), kernel.values + row * units);
    // A slice may begin or end inside a row.
    optim::Segment part = segment;
    part.begin = std::max(segment.begin, row * units);
    part.offset = segment.offset + part.begin - segment.begin;
    part.size = std::min(segment_end, end_row * units) - part.begin;
    use(part, block_.data() + (part.begin - row * units));
  }
}

/// For optimizers that want a whole slice at once: its deferred gradients, where the exchange puts the
/// others.
void Updater::make_gradients(const optim::Slice& slice, std::int64_t batch_rows) {
  const ActivityTimes::Scope time(times_, Activity::kGradients);
  for (const optim::Segment& segment : slice.segments) {
    if (!is_deferred(segment)) continue;
    for_blocks(segment, batch_rows, [&](const optim::Segment& part, const float* gradient) {
      std::copy_n(gradient, part.size, slice.gradients + part.offset);
    });
  }
}

/// Steps a part of a slice, whose values are at `values`.
void Updater::step_values(const optim::Slice& slice, optim::Segment part, float* values, float* gradient,
                          const optim::StepInfo& info) {
  part_.values = values;
  part_.gradients = gradient;
  for (std::size_t k = 0; k < slots_.size(); ++k) part_.slots[k] = slice.slots[k] + part.offset;
  part.offset = 0;
  part_.segments = {&part, 1};
  optimizer_.step(part_, info);
}

/// Makes and steps deferred gradients block by block: no gradient is ever stored whole. Values that other
/// ranks have in their caches are stepped there, or in a copy that then goes past the caches.
void Updater::step_by_blocks(const optim::Slice& slice, const optim::StepInfo& info,
                             std::int64_t batch_rows) {
  const bool past_caches = !copied_.empty() && store_trial_.way() == StoreTrial::Way::kPastCaches;
  const auto step_part = [&](const optim::Segment& part, float* gradient) {
    if (!past_caches) return step_values(slice, part, slice.values + part.offset, gradient, info);
    for (std::int64_t done = 0; done < part.size; done += kCopied) {
      optim::Segment some = part;
      some.begin += done;
      some.offset += done;
      some.size = std::min(kCopied, part.size - done);
      float* const values = slice.values + some.offset;
      std::copy_n(values, some.size, copied_.data());
      step_values(slice, some, copied_.data(), gradient + done, info);
      copy_past_caches(copied_.data(), some.size, values);
    }
  };
  {  // one scope for all of them: a look at the clock takes as long as stepping a short bias
    const ActivityTimes::Scope time(times_, Activity::kOptimizer, ActivityTimes::Shown::kInTable);
    for (const optim::Segment& segment : slice.segments) {
      if (!is_deferred(segment)) step_part(segment, slice.gradients + segment.offset);
    }
  }
  if (deferred_ != nullptr) {
    const ActivityTimes::Scope time(times_, Activity::kGradients);
    for (const optim::Segment& segment : slice.segments) {
      if (!is_deferred(segment)) continue;
      for_blocks(segment, batch_rows, [&](const optim::Segment& part, float* gradient) {
        const ActivityTimes::Scope step_time(times_, Activity::kOptimizer, ActivityTimes::Shown::kInTable);
        step_part(part, gradient);
      });
    }
  }
  if (past_caches) finish_past_caches();
}

void Updater::await_sum(std::size_t piece) {
  const ActivityTimes::Scope time(times_, Activity::kExchange);
  exchange_.await_sum(piece);
}

void Updater::step(std::int64_t iteration, double learning_rate, std::int64_t batch_rows,
                   comm::StepFlags& flags) {
  {
    const ActivityTimes::Scope time(times_, Activity::kExchange);
    exchange_.reduce(flags);
    if ((exchange_.flags().bits & comm::kFlagNonFinite) != 0) {  // it would spoil every value
      flags = exchange_.share();
      return;
    }
  }
  const optim::NormRequest wanted = optimizer_.norms();
  optim::StepInfo info;
  info.iteration = iteration;
  info.learning_rate = static_cast<float>(learning_rate);
  const bool norms = wanted.gradient || wanted.value || wanted.update;
  const bool by_blocks =
      (deferred_ != nullptr || !copied_.empty()) && !norms && !optimizer_.whole_variables();
  if (norms) {
    for (std::size_t k = slices_.size(); k-- > 0;) await_sum(k);
  }
  if (deferred_ != nullptr && !by_blocks) {
    for (const optim::Slice& slice : slices_) make_gradients(slice, batch_rows);
  }
  if (norms) take_norms(wanted, info);
  const auto spent = [&] {
    return times_.seconds(Activity::kGradients) + times_.seconds(Activity::kOptimizer);
  };
  double seconds_by_blocks = 0;
  for (std::size_t k = slices_.size(); k-- > 0;) {  // the last piece is there first
    await_sum(k);
    if (by_blocks) {
      const double before = spent();
      step_by_blocks(slices_[k], info, batch_rows);
      seconds_by_blocks += spent() - before;
    }
    const ActivityTimes::Scope time(times_, Activity::kOptimizer);
    if (!by_blocks) optimizer_.step(slices_[k], info);
    constrain(slices_[k]);
  }
  if (by_blocks) store_trial_.add(seconds_by_blocks, batch_rows);
  optimizer_.advance(info);
  const ActivityTimes::Scope time(times_, Activity::kExchange);
  flags = exchange_.share();
}

void Updater::take_norms(const optim::NormRequest& wanted, optim::StepInfo& info) {
  const ActivityTimes::Scope time(times_, Activity::kExchange);
  if (wanted.gradient) sum_squares(exchange_.sums().data(), gradient_norms_);
  if (wanted.value) sum_squares(exchange_.values().data(), value_norms_);
  info.norms = {gradient_norms_, value_norms_, update_norms_};
  if (wanted.update) {
    for (optim::Slice& slice : slices_) optimizer_.direct(slice, info);
    sum_squares(exchange_.sums().data(), update_norms_);
  }
}

void Updater::constrain(const optim::Slice& slice) {
  for (const optim::Segment& segment : slice.segments) {
    const nn::Variable& variable = *trainables_[static_cast<std::size_t>(segment.variable)];
    if (!variable.constraint) continue;  // a constrained variable is never cut: see extents()
    variable.constraint->apply(variable.shape,
                               {slice.values + segment.offset, static_cast<std::size_t>(segment.size)});
  }
}

void Updater::finalize() {
  for (optim::Slice& slice : slices_) optimizer_.finalize(slice);
  exchange_.share();
  exchange_.settle();
}

std::vector<float> Updater::gather_slot(int slot) {
  return exchange_.gather_slices(slots_[static_cast<std::size_t>(slot)]);
}

void Updater::gather_slot(int slot, const comm::Exchange::TakeRange& take) {
  exchange_.gather_slices(slots_[static_cast<std::size_t>(slot)], take);
}

void Updater::scatter_slot(int slot, std::span<const float> whole_on_root) {
  exchange_.scatter_slices(whole_on_root, slots_[static_cast<std::size_t>(slot)]);
}

}  // namespace nntrain::train

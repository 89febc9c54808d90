// Looking for the layer and the rows in which NaN or Inf begins: not a part of a step, but what follows one.

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "train/step/replica.h"

namespace nntrain::train {

namespace {

/// One array of all rows, row by row: is it finite, and how large does it get?
struct RowStates {
  std::vector<bool> finite;
  std::vector<float> largest;

  void look(const float* values, std::size_t rows, std::int64_t width) {
    finite.assign(rows, true);
    largest.assign(rows, 0.0F);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::int64_t i = 0; i < width; ++i) {
        const float value = std::abs(*values++);
        if (std::isfinite(value)) {
          largest[r] = std::max(largest[r], value);
        } else {
          finite[r] = false;
        }
      }
    }
  }
};

/// Takes `now` for where it begins, if anything there is not finite.
bool begins(NonFinite& found, int layer, const RowStates& before, const RowStates& now) {
  for (std::size_t r = 0; r < now.finite.size(); ++r) {
    if (now.finite[r]) continue;
    found.layer = layer;
    found.rows.push_back(static_cast<std::int64_t>(r));
    found.largest_given = std::max(found.largest_given, before.largest[r]);
  }
  return !found.rows.empty();
}

}  // namespace

NonFinite Replica::find_non_finite(const BatchRequest& batch) {
  gather(batch, options_.training);
  const auto rows = static_cast<std::size_t>(rows_.count);
  NonFinite found;
  RowStates before, now;
  now.look(model_.input(), rows, model_.input_shape().size());
  bool done = begins(found, NonFinite::kInputs, now, now);
  const auto look = [&](int layer, const float* values, std::int64_t width) {
    if (done) return;
    std::swap(before, now);
    now.look(values, rows, width);
    if (!layers_are_finite_) now.finite[0] = false;  // it says so of its first row, whatever comes out
    done = begins(found, layer, before, now);
  };
  auto listener = std::exchange(model_.on_layer, [&](int layer, char phase, bool starts) {
    if (phase == 'F' && !starts)
      look(layer, model_.layer_output(layer), model_.layer_output_shape(layer).size());
  });
  layers_are_finite_ = true;
  nn::BatchContext training = context(nn::Mode::kTraining, batch.step);
  training.writes_state = false;
  training.finite = &layers_are_finite_;
  nn::LossInputs inputs;
  lose(training, inputs);
  model_.on_layer = std::move(listener);
  for (std::size_t i = 0; i < rows * static_cast<std::size_t>(positions_per_row_); ++i)
    if (weighted_ || loss_->has_mask()) losses_[i] *= weights_[i];
  look(static_cast<int>(model_.layers().size()), losses_.data(), positions_per_row_);
  return found;
}

std::span<const float> Replica::inputs() const {
  return {model_.input(), static_cast<std::size_t>(rows_.count * model_.input_shape().size())};
}

std::span<const float> Replica::row_weights() const {
  if (!weighted_) return {};
  return {row_weights_.data(), static_cast<std::size_t>(rows_.count)};
}

}  // namespace nntrain::train

#pragma once
// Which mini-batches an epoch has. Pure.

#include <algorithm>
#include <cstdint>

#include "train/config/settings.h"

namespace nntrain::train {

struct Epoch {
  std::int64_t index = 0;  ///< 0-based
  std::int64_t steps = 0;
  std::int64_t pass = 0;         ///< over the data: keys the order of samples
  std::int64_t first_batch = 0;  ///< of the pass; not 0 where steps_per_epoch cuts a pass into epochs
};

/// Epoch `index` over `rows` training rows. steps_per_epoch as in Keras: the next epoch goes on in the data,
/// and one that reaches their end is short.
inline Epoch epoch_at(std::int64_t index, std::int64_t rows, const FitSettings& fit) {
  const std::int64_t batches = (rows + fit.batch_size - 1) / fit.batch_size;
  Epoch epoch{index, batches, index, 0};
  if (fit.steps_per_epoch == 0) return epoch;
  const std::int64_t steps = std::min(batches, fit.steps_per_epoch);
  const std::int64_t epochs_per_pass = (batches + steps - 1) / steps;
  const std::int64_t done = index - fit.initial_epoch;
  epoch.pass = fit.initial_epoch + done / epochs_per_pass;
  epoch.first_batch = done % epochs_per_pass * steps;
  epoch.steps = std::min(steps, batches - epoch.first_batch);
  return epoch;
}

}  // namespace nntrain::train

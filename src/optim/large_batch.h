#pragma once
// Learning rates of large mini-batches: Goyal et al. 2017, "Accurate, large minibatch SGD" (linear rule and
// gradual warm-up); the square-root rule: Krizhevsky 2014.

#include <cstdint>
#include <string>

namespace nntrain::optim {

/// What the learning rate is multiplied by: 1 (none), batch / reference (linear), its root (sqrt).
/// Throws InputError for another word.
double large_batch_factor(const std::string& scaling, std::int64_t batch_size,
                          std::int64_t reference_batch_size);

/// The multiplier at step `iteration`: rises from 1 to `factor` over `warmup_steps`, then stays.
double warmup_multiplier(std::int64_t iteration, double warmup_steps, double factor);

}  // namespace nntrain::optim

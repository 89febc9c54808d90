#include "train/run/run.h"

#include <algorithm>
#include <cmath>

#include "optim/large_batch.h"

namespace nntrain::train {

/// Results do not depend on it (they are sums over rows) unless the loss itself is a sum over the batch.
std::int64_t Run::validation_batch_rows() const {
  if (settings.fit.validation_batch_size != 0) return settings.fit.validation_batch_size;
  if (depends_on_batch(*compiled.loss)) return settings.fit.batch_size;
  const bool independent = products.multiplier().rows_are_independent();
  const int calls = independent ? std::max(past.state.shards, 8) : evaluation_shards(past.state.shards);
  return std::max<std::int64_t>(settings.fit.batch_size, 32 * calls);
}

data::Sampler Run::sampler(std::int64_t pass) const {
  const FitSettings& fit = settings.fit;
  const std::int64_t rows = data.train.rows();
  if (fit.shuffle_window > 0)
    return {rows, settings.run.seed, pass,
            data::BlockOrder{data.block_rows, fit.shuffle_window, data.block_cuts}};
  return {rows, settings.run.seed, pass, fit.shuffle ? data::Order::kShuffled : data::Order::kFile};
}

double Run::learning_rate_factor() const {
  return optim::large_batch_factor(settings.fit.learning_rate_scaling, settings.fit.batch_size,
                                   settings.fit.reference_batch_size);
}

double Run::step_learning_rate() const {
  const std::int64_t batch = std::min(settings.fit.batch_size, data.train.rows());
  const std::int64_t steps = std::max<std::int64_t>(1, (data.train.rows() + batch - 1) / batch);
  const double warmup_steps = settings.fit.warmup_epochs * static_cast<double>(steps);
  const std::int64_t iteration = past.state.iteration;
  return std::ldexp(optimizer->learning_rate(iteration) *
                        optim::warmup_multiplier(iteration, warmup_steps, learning_rate_factor()),
                    -static_cast<int>(past.rollbacks));
}

void try_checkpoint(Run& run) {
  comm::collectively(run.session, "try the checkpoint's path", [&] {
    if (!run.file) return;  // another rank, or nothing is saved
    std::vector<std::string> names;
    for (const auto& layer : run.model->layers()) names.push_back(layer->name());
    const std::int64_t slots = run.engine->updater().slots();
    run.file->try_write(names, run.model->total_floats() + slots * run.model->trainable_floats());
  });
}

}  // namespace nntrain::train

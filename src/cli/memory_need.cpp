#include "cli/memory_need.h"

#include <algorithm>

namespace nntrain::cli {

namespace {

constexpr double kOfRank = 150e6;  // MPI, BLAS, HDF5 and what a step works in, of a model of middle size
constexpr double kFloat = sizeof(float);

}  // namespace

double MemoryNeed::on_node(std::int64_t nodes, std::int64_t ranks) const {
  return once + of_rank * static_cast<double>(ranks) + optimizer_state / static_cast<double>(nodes) +
         state_copy;
}

MemoryNeed memory_need(const train::Run& run, std::int64_t kept_sets) {
  const double weights = kFloat * static_cast<double>(run.model->total_floats());
  const double gradients = kFloat * static_cast<double>(run.model->trainable_floats());
  const double kept = weights * static_cast<double>(kept_sets);
  MemoryNeed need;
  need.once = weights + gradients + static_cast<double>(run.data.bytes) + kept;
  need.of_rank = gradients + kOfRank;
  need.optimizer_state = gradients * run.engine->updater().slots();
  need.state_copy = weights + need.optimizer_state + kept;
  return need;
}

std::int64_t kept_sets(const train::Settings& settings) {
  const auto keeps = [](const Json& callback) {
    const auto config = callback.find("config");
    return config != callback.end() && config->value("restore_best_weights", false);
  };
  return std::count_if(settings.fit.callbacks.begin(), settings.fit.callbacks.end(), keeps);
}

}  // namespace nntrain::cli

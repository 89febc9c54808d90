#include "optim/large_batch.h"

#include <cmath>

#include "core/error.h"

namespace nntrain::optim {

double large_batch_factor(const std::string& scaling, std::int64_t batch_size,
                          std::int64_t reference_batch_size) {
  const double ratio = static_cast<double>(batch_size) / static_cast<double>(reference_batch_size);
  if (scaling == "none") return 1.0;
  if (scaling == "linear") return ratio;
  if (scaling == "sqrt") return std::sqrt(ratio);
  throw InputError("learning_rate_scaling = " + scaling + " is none of: none, linear, sqrt");
}

double warmup_multiplier(std::int64_t iteration, double warmup_steps, double factor) {
  const auto step = static_cast<double>(iteration);
  return step >= warmup_steps ? factor : 1.0 + (factor - 1.0) * step / warmup_steps;
}

}  // namespace nntrain::optim

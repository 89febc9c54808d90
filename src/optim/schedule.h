#pragma once
// Learning-rate schedules (Keras: keras.optimizers.schedules): pure functions of the step.

#include <cstdint>

#include "core/registry.h"

namespace nntrain::optim {

class Schedule : public Described {
 public:
  virtual double rate(std::int64_t step) const = 0;
};

Registry<Schedule>& schedules();

}  // namespace nntrain::optim

// keras/src/optimizers/schedules/learning_rate_schedule.py, in float32 as Keras computes them.

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

#include "core/elementary.h"
#include "core/error.h"
#include "optim/schedule.h"

namespace nntrain::optim {

namespace {

/// A schedule is a function of the step; the registry keeps what it was made from.
class Function : public Schedule {
 public:
  explicit Function(std::function<float(float)> rate) : rate_(std::move(rate)) {}
  double rate(std::int64_t step) const override {
    return static_cast<double>(rate_(static_cast<float>(step)));
  }

 private:
  std::function<float(float)> rate_;
};

std::unique_ptr<Schedule> made(std::function<float(float)> rate) {
  return std::make_unique<Function>(std::move(rate));
}

float number(const Json& config, const char* name) { return config[name].get<float>(); }

float positive(const Json& config, const char* name) {
  const float value = number(config, name);
  if (!(value > 0))
    throw InputError(std::string("Argument `") + name + "` must be > 0. Received: " + name + "=" +
                     config[name].dump());
  return value;
}

std::unique_ptr<Schedule> exponential(const Json& config) {
  const float start = number(config, "initial_learning_rate"), steps = positive(config, "decay_steps"),
              decay = number(config, "decay_rate");
  const bool stairs = config["staircase"].get<bool>();
  return made([=](float step) {
    return start * elementary::power(decay, stairs ? std::floor(step / steps) : step / steps);
  });
}

std::unique_ptr<Schedule> inverse_time(const Json& config) {
  const float start = number(config, "initial_learning_rate"), steps = positive(config, "decay_steps"),
              decay = number(config, "decay_rate");
  const bool stairs = config["staircase"].get<bool>();
  return made([=](float step) {
    return start / (1.0F + decay * (stairs ? std::floor(step / steps) : step / steps));
  });
}

std::unique_ptr<Schedule> piecewise(const Json& config) {
  const auto numbers = [&](const char* argument) {
    std::vector<float> list;
    for (const Json& item : config[argument]) {
      if (!item.is_number())
        throw InputError(std::string(argument) + " must be a list of numbers, got " +
                         config[argument].dump());
      list.push_back(item.get<float>());
    }
    return list;
  };
  const std::vector<float> boundaries = numbers("boundaries"), values = numbers("values");
  if (values.size() != boundaries.size() + 1) {
    throw InputError(
        "The length of boundaries should be 1 less than the length of values. Received: boundaries=" +
        config["boundaries"].dump() + " of length " + std::to_string(boundaries.size()) +
        ", and values=" + config["values"].dump() + " of length " + std::to_string(values.size()));
  }
  return made([=](float step) {
    std::size_t i = 0;
    while (i < boundaries.size() && step > boundaries[i]) ++i;
    return values[i];
  });
}

std::unique_ptr<Schedule> polynomial(const Json& config) {
  const float start = number(config, "initial_learning_rate"), steps = positive(config, "decay_steps");
  const float end = number(config, "end_learning_rate"), power = number(config, "power");
  const bool cycle = config["cycle"].get<bool>();
  return made([=](float step) {
    float length = steps;
    if (cycle) {
      length *= step == 0 ? 1.0F : std::ceil(step / steps);
    } else {
      step = std::min(step, steps);
    }
    return (start - end) * elementary::power(1.0F - step / length, power) + end;
  });
}

/// Loshchilov and Hutter 2016; with a linear warm-up when warmup_target is given.
std::unique_ptr<Schedule> cosine(const Json& config) {
  const float start = number(config, "initial_learning_rate"), steps = positive(config, "decay_steps"),
              alpha = number(config, "alpha");
  const bool warms = !config["warmup_target"].is_null();
  const float target = warms ? number(config, "warmup_target") : start;
  const float warmup = warms ? number(config, "warmup_steps") : 0.0F;
  return made([=](float step) {
    step = std::min(step, steps + warmup);
    if (step < warmup) return (target - start) * (step / warmup) + start;
    const float fraction = (step - warmup) / steps;
    const float decayed = 0.5F * (1.0F + elementary::cosine(std::numbers::pi_v<float> * fraction));
    return target * ((1.0F - alpha) * decayed + alpha);
  });
}

std::unique_ptr<Schedule> cosine_restarts(const Json& config) {
  const float start = number(config, "initial_learning_rate"), first = positive(config, "first_decay_steps");
  const float t_mul = number(config, "t_mul"), m_mul = number(config, "m_mul"),
              alpha = number(config, "alpha");
  return made([=](float step) {
    float fraction = step / first, restart = 0;
    if (t_mul == 1.0F) {
      restart = std::floor(fraction);
      fraction -= restart;
    } else {
      restart = std::floor(elementary::log(1.0F - fraction * (1.0F - t_mul)) / elementary::log(t_mul));
      const float sum = (1.0F - elementary::power(t_mul, restart)) / (1.0F - t_mul);
      fraction = (fraction - sum) / elementary::power(t_mul, restart);
    }
    const float decayed = 0.5F * elementary::power(m_mul, restart) *
                          (1.0F + elementary::cosine(std::numbers::pi_v<float> * fraction));
    return start * ((1.0F - alpha) * decayed + alpha);
  });
}

Registry<Schedule> make_registry() {
  Registry<Schedule> registry("schedule");
  const Parameter rate{"initial_learning_rate", Kind::kNumber, nullptr, true},
      steps{"decay_steps", Kind::kInteger, nullptr, true};
  const Parameter decay{"decay_rate", Kind::kNumber, nullptr, true},
      stairs{"staircase", Kind::kBoolean, false}, name{"name", Kind::kText, nullptr, false, true};
  registry.add(
      {"ExponentialDecay", {}, {rate, steps, decay, stairs, name}, "rate decay_rate^(step / decay_steps)"},
      exponential);
  registry.add({"InverseTimeDecay",
                {},
                {rate, steps, decay, stairs, name},
                "rate / (1 + decay_rate step / decay_steps)"},
               inverse_time);
  registry.add({"PiecewiseConstantDecay",
                {},
                {{"boundaries", Kind::kList, nullptr, true}, {"values", Kind::kList, nullptr, true}, name},
                "values[i] up to boundaries[i]"},
               piecewise);
  registry.add({"PolynomialDecay",
                {},
                {rate,
                 steps,
                 {"end_learning_rate", Kind::kNumber, 0.0001},
                 {"power", Kind::kNumber, 1.0},
                 {"cycle", Kind::kBoolean, false},
                 name},
                "from rate to end_learning_rate by (1 - step / decay_steps)^power"},
               polynomial);
  registry.add({"CosineDecay",
                {},
                {rate,
                 steps,
                 {"alpha", Kind::kNumber, 0.0},
                 name,
                 {"warmup_target", Kind::kNumber, nullptr, false, true},
                 {"warmup_steps", Kind::kInteger, 0}},
                "half a cosine, Loshchilov and Hutter 2016, after a linear warm-up"},
               cosine);
  registry.add({"CosineDecayRestarts",
                {},
                {rate,
                 {"first_decay_steps", Kind::kInteger, nullptr, true},
                 {"t_mul", Kind::kNumber, 2.0},
                 {"m_mul", Kind::kNumber, 1.0},
                 {"alpha", Kind::kNumber, 0.0},
                 name},
                "cosine with warm restarts, Loshchilov and Hutter 2016"},
               cosine_restarts);
  return registry;
}

}  // namespace

Registry<Schedule>& schedules() {
  static Registry<Schedule> registry = make_registry();
  return registry;
}

}  // namespace nntrain::optim

// Every optimizer and schedule against real Keras; slices of any cut give the same bits.

#include <gtest/gtest.h>

#include <cmath>

#include "core/call.h"
#include "core/error.h"
#include "golden_json.h"
#include "optim/large_batch.h"
#include "optim/optimizer.h"

namespace nntrain::optim {
namespace {

/// The golden variables as one flat array, stepped as `cuts` slices.
class Steps {
 public:
  Steps(const Json& all, const std::string& spec)
      : gradients_(all["gradients"]), optimizer_(optimizers().make(parse_call(spec))) {
    for (const Json& variable : all["variables"]) {
      shapes_.push_back(golden::shape(variable["value"]));
      offsets_.push_back(static_cast<std::int64_t>(values_.size()));
      const std::vector<float> start = golden::values(variable["value"]);
      values_.insert(values_.end(), start.begin(), start.end());
    }
    const std::vector<std::string> names = optimizer_->slot_names();
    for (std::size_t k = 0; k < names.size(); ++k)
      slots_.emplace_back(values_.size(), optimizer_->slot_start(static_cast<int>(k)));
  }

  void step(std::int64_t iteration, const std::vector<std::int64_t>& cuts) {
    std::vector<float> g;
    for (const Json& gradient : gradients_[static_cast<std::size_t>(iteration)]) {
      const std::vector<float> piece = golden::values(gradient);
      g.insert(g.end(), piece.begin(), piece.end());
    }
    std::vector<Slice> slices;
    std::vector<std::vector<Segment>> segments(cuts.size() - 1);
    for (std::size_t c = 0; c + 1 < cuts.size(); ++c) {
      for (std::size_t v = 0; v < shapes_.size(); ++v) {
        const std::int64_t begin = std::max(cuts[c], offsets_[v]),
                           end = std::min(cuts[c + 1], offsets_[v] + shapes_[v].size());
        if (begin < end)
          segments[c].push_back(
              {static_cast<int>(v), begin - offsets_[v], begin - cuts[c], end - begin, &shapes_[v]});
      }
      Slice slice{segments[c], values_.data() + cuts[c], g.data() + cuts[c], {}};
      for (std::vector<float>& slot : slots_) slice.slots.push_back(slot.data() + cuts[c]);
      slices.push_back(slice);
    }
    StepInfo info;
    info.iteration = iteration;
    info.learning_rate = static_cast<float>(optimizer_->learning_rate(iteration));
    const std::vector<double> gradient_norms = norms(g), value_norms = norms(values_);
    std::vector<double> update_norms(shapes_.size());
    info.norms = {gradient_norms, value_norms, update_norms};
    if (optimizer_->norms().update) {
      for (Slice& slice : slices) optimizer_->direct(slice, info);
      update_norms = norms(g);
      info.norms.update = update_norms;
    }
    for (Slice& slice : slices) optimizer_->step(slice, info);
    optimizer_->advance(info);
  }

  std::vector<std::int64_t> whole() const { return {0, static_cast<std::int64_t>(values_.size())}; }
  const std::vector<float>& values() const { return values_; }
  Optimizer& optimizer() { return *optimizer_; }

  void expect(const Json& after, double tolerance, const std::string& what) const {
    for (std::size_t v = 0; v < shapes_.size(); ++v) {
      const auto begin = values_.begin() + offsets_[v];
      golden::expect_near({begin, begin + shapes_[v].size()}, golden::values(after[v]), tolerance,
                          what + " variable " + std::to_string(v));
    }
  }

 private:
  std::vector<double> norms(const std::vector<float>& flat) const {
    std::vector<double> squares(shapes_.size(), 0.0);
    for (std::size_t v = 0; v < shapes_.size(); ++v) {
      for (std::int64_t i = 0; i < shapes_[v].size(); ++i) {
        const double x = flat[static_cast<std::size_t>(offsets_[v] + i)];
        squares[v] += x * x;
      }
    }
    return squares;
  }

  Json gradients_;
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<Shape> shapes_;
  std::vector<std::int64_t> offsets_;
  std::vector<float> values_;
  std::vector<std::vector<float>> slots_;
};

/// Keras' cases and those of LARS, which has the paper's formula for a reference (make_lars.py).
Json all_cases() {
  Json all = golden::load("optimizers");
  for (const Json& one : golden::cases("lars")) all["cases"].push_back(one);
  return all;
}

TEST(Golden, Optimizers) {
  const Json all = all_cases();
  for (const Json& one : all["cases"]) {
    const std::string spec = one["spec"].get<std::string>();
    SCOPED_TRACE(spec);
    Steps run(all, spec);
    for (std::int64_t step = 0; step < 10; ++step) {
      if (one["learning_rates"].is_array()) {
        EXPECT_NEAR(run.optimizer().learning_rate(step),
                    one["learning_rates"][static_cast<std::size_t>(step)].get<double>(), 1e-7);
      }
      run.step(step, run.whole());
      const std::string key = "after_" + std::to_string(step + 1);
      if (one.contains(key) && one[key].is_array()) run.expect(one[key], step == 0 ? 1e-5 : 1e-4, key);
    }
  }
}

TEST(Optimizers, SlicesNeverChangeABit) {
  const Json all = all_cases();
  for (const Json& one : all["cases"]) {
    const std::string spec = one["spec"].get<std::string>();
    Steps straight(all, spec), cut(all, spec);
    if (straight.optimizer().whole_variables()) continue;
    for (std::int64_t step = 0; step < 4; ++step) {
      straight.step(step, straight.whole());
      cut.step(step, {0, 3, 7, 12, 13, static_cast<std::int64_t>(cut.values().size())});
    }
    EXPECT_EQ(straight.values(), cut.values()) << spec;
  }
}

TEST(Golden, Schedules) {
  for (const Json& one : golden::cases("schedules")) {
    const std::unique_ptr<Schedule> schedule = schedules().make(parse_call(one["spec"].get<std::string>()));
    for (std::size_t i = 0; i < one["steps"].size(); ++i) {
      const double expected = one["values"][i].get<double>();
      EXPECT_NEAR(schedule->rate(one["steps"][i].get<std::int64_t>()), expected,
                  2e-6 * std::max(0.01, std::abs(expected)))
          << one["spec"] << " step " << one["steps"][i];
    }
  }
}

TEST(Optimizers, ArgumentsThatMakeNoSenseAreRefused) {
  for (const char* spec :
       {"SGD(momentum=2.0)", "SGD(0.1, clipnorm=1.0, clipvalue=1.0)", "Adam(lr=0.1)", "SGD(clipnorm=-1.0)",
        "SGD(use_ema=True, ema_momentum=1.5)", "SGD(gradient_accumulation_steps=1)",
        "PiecewiseConstantDecay([1, 2], [0.1, 0.2])", "SGD(loss_scale_factor=2.0)"}) {
    EXPECT_THROW(optimizers().make(parse_call(spec)), InputError) << spec;
  }
}

TEST(LargeBatch, ScalingAndWarmUp) {
  EXPECT_EQ(large_batch_factor("linear", 256, 32), 8.0);
  EXPECT_EQ(large_batch_factor("sqrt", 128, 32), 2.0);
  EXPECT_EQ(large_batch_factor("none", 256, 32), 1.0);
  EXPECT_THROW(large_batch_factor("cubic", 256, 32), InputError);
  EXPECT_EQ(warmup_multiplier(0, 10, 8.0), 1.0);
  EXPECT_EQ(warmup_multiplier(5, 10, 8.0), 4.5);
  EXPECT_EQ(warmup_multiplier(10, 10, 8.0), 8.0);
  EXPECT_EQ(warmup_multiplier(0, 0, 8.0), 8.0);
}

}  // namespace
}  // namespace nntrain::optim

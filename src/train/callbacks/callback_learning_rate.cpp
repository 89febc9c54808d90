// ReduceLROnPlateau and LearningRateScheduler (keras/src/callbacks).

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "optim/schedule.h"
#include "train/callbacks/callbacks.h"

namespace nntrain::train {

namespace {

class ReduceLearningRateOnPlateau : public Callback {
 public:
  explicit ReduceLearningRateOnPlateau(const Json& config)
      : monitor_(config),
        factor_(config["factor"].get<double>()),
        patience_(config["patience"].get<std::int64_t>()),
        verbose_(config["verbose"].get<std::int64_t>()),
        cooldown_(config["cooldown"].get<std::int64_t>()),
        min_rate_(config["min_lr"].get<double>()) {
    if (factor_ >= 1.0)
      throw InputError("ReduceLROnPlateau does not support a factor >= 1.0. Got " + std::to_string(factor_));
  }

  void check(const Control& control) const override { monitor_.check(control); }

  bool logs_learning_rate() const override { return true; }

  void on_epoch_end(Control& control, std::int64_t epoch, Logs& logs) override {
    logs.set("learning_rate", control.learning_rate());
    const std::optional<double> now = monitor_.value(logs);
    if (!now) return;
    if (cooling_ > 0) {
      --cooling_;
      wait_ = 0;
    }
    if (monitor_.improves(control, *now, best_)) {
      best_ = now;
      wait_ = 0;
      return;
    }
    if (cooling_ > 0 || ++wait_ < patience_) return;
    const double old_rate = static_cast<double>(static_cast<float>(control.learning_rate()));
    if (old_rate <= static_cast<double>(static_cast<float>(min_rate_))) return;
    const double new_rate = std::max(old_rate * factor_, min_rate_);
    control.set_learning_rate(new_rate);
    if (verbose_ > 0) {
      control.say(
          fmt::format("Epoch {}: ReduceLROnPlateau reducing learning rate to {}.", epoch + 1, new_rate));
    }
    cooling_ = cooldown_;
    wait_ = 0;
  }

  void begin_new_fit() override {
    wait_ = cooling_ = 0;
    best_.reset();
  }

  Json state() const override { return {{"wait", wait_}, {"cooling", cooling_}, {"best", to_state(best_)}}; }

  void set_state(const Json& state) override {
    wait_ = state.value("wait", std::int64_t{0});
    cooling_ = state.value("cooling", std::int64_t{0});
    best_ = from_state(state, "best");
  }

 private:
  Monitor monitor_;
  double factor_;
  std::int64_t patience_, verbose_, cooldown_;
  double min_rate_;
  std::int64_t wait_ = 0, cooling_ = 0;
  std::optional<double> best_;
};

/// Keras takes a Python function; here a schedule of the epoch, e.g. ExponentialDecay(0.1, 10, 0.5).
class LearningRateScheduler : public Callback {
 public:
  explicit LearningRateScheduler(const Json& config)
      : schedule_(optim::schedules().make(config["schedule"])),
        verbose_(config["verbose"].get<std::int64_t>()) {}

  void on_epoch_begin(Control& control, std::int64_t epoch) override {
    control.set_learning_rate(schedule_->rate(epoch));
    if (verbose_ > 0) {
      control.say(fmt::format("Epoch {}: LearningRateScheduler setting learning rate to {}.", epoch + 1,
                              control.learning_rate()));
    }
  }

  bool logs_learning_rate() const override { return true; }

  void on_epoch_end(Control& control, std::int64_t, Logs& logs) override {
    logs.set("learning_rate", control.learning_rate());
  }

 private:
  std::unique_ptr<optim::Schedule> schedule_;
  std::int64_t verbose_;
};

}  // namespace

void add_reduce_learning_rate(Registry<Callback>& registry) {
  registry.add({"ReduceLROnPlateau",
                {"reduce_lr_on_plateau"},
                {{"monitor", Kind::kText, "val_loss"},
                 {"factor", Kind::kNumber, 0.1},
                 {"patience", Kind::kInteger, 10},
                 {"verbose", Kind::kInteger, 0},
                 {"mode", Kind::kText, "auto"},
                 {"min_delta", Kind::kNumber, 1e-4},
                 {"cooldown", Kind::kInteger, 0},
                 {"min_lr", Kind::kNumber, 0.0}},
                "Multiplies the learning rate by `factor` when a result stops improving "
                "(keras.callbacks.ReduceLROnPlateau)."},
               [](const Json& config) { return std::make_unique<ReduceLearningRateOnPlateau>(config); });
}

void add_learning_rate_scheduler(Registry<Callback>& registry) {
  Parameter schedule{"schedule", Kind::kObject,
                     nullptr,    true,
                     false,      [](const Json& spec) { return optim::schedules().canonical(spec); }};
  registry.add({"LearningRateScheduler",
                {"learning_rate_scheduler"},
                {schedule, {"verbose", Kind::kInteger, 0}},
                "Sets the learning rate at the start of each epoch to a schedule of the epoch's index "
                "(keras.callbacks.LearningRateScheduler, which takes a Python function)."},
               [](const Json& config) { return std::make_unique<LearningRateScheduler>(config); });
}

}  // namespace nntrain::train

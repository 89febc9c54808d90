// EarlyStopping (keras/src/callbacks/early_stopping.py).

#include <fmt/format.h>

#include <cmath>

#include "train/callbacks/callbacks.h"

namespace nntrain::train {

namespace {

constexpr const char* kKept = "early_stopping";

/// Keras takes the size of EarlyStopping's min_delta, whatever its sign.
Json with_positive_delta(Json config) {
  config["min_delta"] = std::abs(config["min_delta"].get<double>());
  return config;
}

class EarlyStopping : public Callback {
 public:
  explicit EarlyStopping(const Json& config)
      : monitor_(with_positive_delta(config)),
        patience_(config["patience"].get<std::int64_t>()),
        verbose_(config["verbose"].get<std::int64_t>()),
        restore_(config["restore_best_weights"].get<bool>()),
        start_(config["start_from_epoch"].get<std::int64_t>()) {
    if (!config["baseline"].is_null()) baseline_ = config["baseline"].get<double>();
  }

  void check(const Control& control) const override { monitor_.check(control); }

  void on_epoch_end(Control& control, std::int64_t epoch, Logs& logs) override {
    const std::optional<double> now = monitor_.value(logs);
    if (!now || epoch < start_) return;
    if (restore_ && !control.has_kept_weights(kKept)) control.keep_weights(kKept);
    ++wait_;
    if (monitor_.improves(control, *now, best_)) {
      best_ = now;
      best_epoch_ = epoch;
      if (restore_) control.keep_weights(kKept);
      if (monitor_.improves(control, *now, baseline_)) wait_ = 0;
      return;
    }
    if (wait_ >= patience_ && epoch > 0) {
      stopped_epoch_ = epoch;
      control.stop("EarlyStopping");
      stopped_ = true;
    }
  }

  void on_train_end(Control& control) override {
    if (stopped_ && verbose_ > 0) control.say(fmt::format("Epoch {}: early stopping", stopped_epoch_ + 1));
    if (restore_ && control.has_kept_weights(kKept)) {
      if (verbose_ > 0) {
        control.say(
            fmt::format("Restoring model weights from the end of the best epoch: {}.", best_epoch_ + 1));
      }
      control.restore_weights(kKept);
    }
  }

  void begin_new_fit() override {
    wait_ = best_epoch_ = 0;
    best_.reset();
  }

  Json state() const override {
    return {{"wait", wait_}, {"best", to_state(best_)}, {"best_epoch", best_epoch_}};
  }

  void set_state(const Json& state) override {
    wait_ = state.value("wait", std::int64_t{0});
    best_epoch_ = state.value("best_epoch", std::int64_t{0});
    best_ = from_state(state, "best");
  }

 private:
  Monitor monitor_;
  std::int64_t patience_, verbose_;
  bool restore_;
  std::int64_t start_;
  std::optional<double> baseline_;
  std::int64_t wait_ = 0, best_epoch_ = 0, stopped_epoch_ = 0;
  std::optional<double> best_;
  bool stopped_ = false;
};

}  // namespace

void add_early_stopping(Registry<Callback>& registry) {
  registry.add({"EarlyStopping",
                {"early_stopping"},
                {{"monitor", Kind::kText, "val_loss"},
                 {"min_delta", Kind::kNumber, 0.0},
                 {"patience", Kind::kInteger, 0},
                 {"verbose", Kind::kInteger, 0},
                 {"mode", Kind::kText, "auto"},
                 {"baseline", Kind::kNumber, nullptr, false, true},
                 {"restore_best_weights", Kind::kBoolean, false},
                 {"start_from_epoch", Kind::kInteger, 0}},
                "Stops when the monitored result has not improved for `patience` epochs "
                "(keras.callbacks.EarlyStopping)."},
               [](const Json& config) { return std::make_unique<EarlyStopping>(config); });
}

}  // namespace nntrain::train

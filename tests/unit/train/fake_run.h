#pragma once
// A run that is nothing but its numbers: what callbacks are played to.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "train/callbacks/callback.h"

namespace nntrain::train {

/// A run that is nothing but its numbers.
class FakeRun : public Control {
 public:
  double learning_rate() const override { return static_cast<double>(rate); }
  void set_learning_rate(double value) override { rate = static_cast<float>(value); }
  void stop(const std::string&) override { stopped = true; }
  void fail_diverged(const std::string& message) override {
    stopped = true;
    diverged = message;
  }
  void keep_weights(const std::string& name) override { kept[name] = epoch; }
  void restore_weights(const std::string& name) override { restored = kept.at(name); }
  bool has_kept_weights(const std::string& name) const override { return kept.count(name) != 0; }
  void save(const std::string& path, Save) override { saved.push_back(path); }
  void write_on_root(const std::string&, const std::function<void()>& write) override { write(); }
  bool is_root() const override { return true; }
  bool resumed() const override { return goes_on; }
  std::vector<std::string> result_names() const override {
    return {"accuracy", "loss", "val_accuracy", "val_loss", "learning_rate"};
  }
  void say(const std::string&) override {}
  std::int64_t iteration() const override { return steps; }
  std::string checkpoint_path() const override { return checkpoint; }
  std::string configuration() const override { return "[fit]\nepochs = 3\n"; }
  Json model_config() const override { return {{"class_name", "Sequential"}}; }
  void each_weight(const LookAtWeight& look) override {
    const std::vector<float> values = {-1.0F, 0.0F, 0.5F, 2.0F};
    look("dense/kernel", values);
  }
  bool larger_is_better(const std::string& monitor) const override {
    return monitor.find("accuracy") != std::string::npos;
  }

  float rate = 0.1F;
  std::int64_t epoch = 0, restored = -1, steps = 0;
  std::string checkpoint = "run.h5";
  bool stopped = false, goes_on = false;
  std::string diverged;
  std::map<std::string, std::int64_t> kept;
  std::vector<std::string> saved;
};

}  // namespace nntrain::train

#pragma once
// Callbacks (Keras: keras.callbacks): decisions between epochs. Every rank runs them on the same logs and so
// takes the same branch; files are written by rank 0 alone. Their state is in the checkpoint.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/registry.h"
#include "metrics/logs.h"

namespace nntrain::train {

using metrics::Logs;

/// What a callback may do to the run. Collective: called by every rank alike.
class Control {
 public:
  virtual ~Control() = default;
  virtual double learning_rate() const = 0;
  virtual void set_learning_rate(double rate) = 0;  ///< throws InputError under a schedule, as Keras
  virtual void stop(const std::string& reason) = 0;
  virtual void fail_diverged(const std::string& message) = 0;  ///< stop and exit with code 3
  virtual void keep_weights(const std::string& name) = 0;      ///< a snapshot that goes into checkpoints
  virtual void restore_weights(const std::string& name) = 0;
  virtual bool has_kept_weights(const std::string& name) const = 0;
  enum class Save { kCheckpoint, kWeightsOnly };
  /// Weights that are not finite are never saved: the run ends as diverged instead.
  virtual void save(const std::string& path, Save what) = 0;
  /// Runs `write` on rank 0. When it throws, the run goes on to its own next checkpoint, writes it, and ends
  /// then.
  virtual void write_on_root(const std::string& what, const std::function<void()>& write) = 0;
  virtual bool is_root() const = 0;
  virtual bool resumed() const = 0;  ///< this run goes on from a checkpoint
  virtual void say(const std::string& line) = 0;
  virtual bool larger_is_better(const std::string& monitor) const = 0;  ///< for mode="auto"
  virtual std::vector<std::string> result_names() const = 0;  ///< every name that an epoch's logs may have
  virtual std::int64_t iteration() const = 0;       ///< steps since the start of the run, over all epochs
  virtual std::string checkpoint_path() const = 0;  ///< the run's own
  virtual std::string configuration() const = 0;    ///< what was set, as INI text
  virtual Json model_config() const = 0;            ///< as Keras' model.to_json()
  /// Shows every weight, named as in "dense/kernel", on rank 0; a `look` that throws ends the run as
  /// write_on_root's.
  using LookAtWeight = std::function<void(const std::string& name, std::span<const float> values)>;
  virtual void each_weight(const LookAtWeight& look) = 0;
};

class Callback : public Described {
 public:
  /// Before the run, before anything is written: throws InputError when the callback names results that there
  /// will not be.
  virtual void check(const Control& control) const { (void)control; }
  virtual void on_train_begin(Control& control, std::int64_t epoch) { (void)control, (void)epoch; }
  virtual void on_epoch_begin(Control& control, std::int64_t epoch) { (void)control, (void)epoch; }
  /// May add columns to `logs`, as Keras does ("learning_rate").
  virtual void on_epoch_end(Control& control, std::int64_t epoch, Logs& logs) {
    (void)control, (void)epoch, (void)logs;
  }
  /// After a step whose global loss is NaN or Inf. `step` in the epoch.
  virtual void on_invalid_loss(Control& control, std::int64_t step) { (void)control, (void)step; }
  /// Steps between calls of on_steps (ModelCheckpoint save_freq=int); 0: never.
  virtual std::int64_t every_steps() const { return 0; }
  virtual void on_steps(Control& control, std::int64_t epoch, const Logs& logs) {
    (void)control, (void)epoch, (void)logs;
  }
  /// Does on_epoch_end add "learning_rate" to the logs?
  virtual bool logs_learning_rate() const { return false; }
  virtual void on_train_end(Control& control) { (void)control; }
  /// The run was finished, and goes on with more epochs: what Keras' on_train_begin forgets of a fit before.
  virtual void begin_new_fit() {}
  /// A file that the callback will write: its key for messages, and what may be there under its name.
  struct Output {
    std::string path, what;
    std::function<bool(const std::string& path)> is_ours;
  };
  /// Files whose names are known before the run; they are checked then (train/run/outputs.h).
  virtual std::vector<Output> outputs() const { return {}; }
  virtual Json state() const { return Json::object(); }
  /// Throws InputError when the state does not fit.
  virtual void set_state(const Json& state) { (void)state; }
};

Registry<Callback>& callbacks();

}  // namespace nntrain::train

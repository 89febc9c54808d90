#pragma once
// What callbacks may do to a run.

#include <string>
#include <utility>
#include <vector>

#include "train/callbacks/callback.h"
#include "train/loop/saver.h"
#include "train/run/run.h"

namespace nntrain::train {

/// Collective. Wishes are kept here until the loop looks at them.
class RunControl : public Control {
 public:
  /// Both outlive the control. `results`: every name that an epoch's logs may have.
  RunControl(Run& run, Saver& saver, std::vector<std::string> results);

  /// Between these two, callbacks decide on a finished epoch: files that they ask for are written by
  /// end_epoch(), when all have decided and the history has the epoch, so that a file holds a state to go on
  /// from.
  void begin_epoch_end() { ending_epoch_ = true; }
  void end_epoch();

  bool stops() const { return stops_; }
  bool diverged() const { return diverged_; }
  bool ended_by_callback() const { return ended_by_callback_; }  ///< TerminateOnNaN
  /// The run went back to its last checkpoint: wishes of before are void.
  void begin_again();
  /// Why a file of a callback's could not be written; empty: none failed.
  const std::string& failure() const { return failure_; }

  double learning_rate() const override;
  void set_learning_rate(double rate) override;
  void stop(const std::string& reason) override;
  void fail_diverged(const std::string& message) override;
  void keep_weights(const std::string& name) override;
  void restore_weights(const std::string& name) override;
  bool has_kept_weights(const std::string& name) const override;
  void save(const std::string& path, Save what) override;
  void write_on_root(const std::string& what, const std::function<void()>& write) override;
  bool is_root() const override { return run_.session.is_root(); }
  bool resumed() const override { return run_.past.resumed; }
  void say(const std::string& line) override;
  bool larger_is_better(const std::string& monitor) const override;
  std::vector<std::string> result_names() const override { return results_; }
  std::int64_t iteration() const override { return run_.past.state.iteration; }
  std::string checkpoint_path() const override { return run_.settings.checkpoint.path; }
  std::string configuration() const override { return run_.configuration.to_ini(); }
  Json model_config() const override { return run_.model->config(); }
  void each_weight(const LookAtWeight& look) override;

 private:
  void write(const std::string& path, Save what);

  Run& run_;
  Saver& saver_;
  std::vector<std::string> results_;
  bool ending_epoch_ = false;
  std::vector<std::pair<std::string, Save>> saves_;
  bool stops_ = false;
  bool diverged_ = false;
  bool ended_by_callback_ = false;
  std::string failure_;
};

class Validation;
/// Every name that an epoch's logs may have.
std::vector<std::string> result_names(const Run& run, const Validation& validation);

}  // namespace nntrain::train

#pragma once
// fit: the loop over epochs and mini-batches, its callbacks, history and checkpoints.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/run_file.h"
#include "comm/exchange/exchange.h"
#include "comm/session/session.h"
#include "nn/model/sequential.h"
#include "nn/variables/gradient_tree.h"
#include "optim/optimizer.h"
#include "train/callbacks/callback.h"
#include "train/config/settings.h"
#include "train/data/dataset.h"
#include "train/report/progress.h"
#include "train/run/outputs.h"
#include "train/run/setup.h"
#include "train/step/activity_times.h"
#include "train/step/profile.h"
#include "train/step/replica.h"
#include "train/step/updater.h"

namespace nntrain::train {

/// Tree sums for layers and losses, by the exchange.
class ExchangeSum : public nn::GlobalSum {
 public:
  explicit ExchangeSum(comm::Exchange& exchange) : exchange_(exchange) {}
  void sum(std::span<const double> per_shard, std::span<double> total) override {
    exchange_.tree_sum(per_shard, total);
  }

 private:
  comm::Exchange& exchange_;
};

/// One run of `nntrain-dist train`. Every method is collective: all ranks call it alike.
class Trainer : private Control {
 public:
  /// Loads data, builds and compiles the model, and goes on from the checkpoint when there is one. Throws
  /// InputError (all ranks alike) for everything that is wrong with configuration, data or checkpoint.
  Trainer(comm::Session& session, const Configuration& configuration, const std::string& version);
  ~Trainer() override;

  /// Trains to the last epoch. Returns kDone, kDiverged or kResumable.
  ExitCode fit();

  /// Asks for a stop with a checkpoint at the next step boundary; set by signal handlers, any rank, any time.
  static void request_stop(int signal_number);

 private:
  struct Epoch {
    std::int64_t index = 0;  ///< 0-based
    std::int64_t steps = 0;
    std::int64_t pass = 0;         ///< over the data: keys the order of samples
    std::int64_t first_batch = 0;  ///< of the pass; not 0 where steps_per_epoch cuts a pass into epochs
  };

  // trainer.cpp: making the run
  void choose_shards(const checkpoint::Contents* previous);
  void make_engine();
  void prepare_start(const ModelSource& source, const checkpoint::Contents* previous);
  void adapt_layers();

  // fit.cpp: the loop
  Epoch next_epoch() const;
  bool run_epoch(const Epoch& epoch);
  void run_step(const Epoch& epoch, std::int64_t step, const data::Sampler& sampler, comm::StepFlags& flags);
  bool after_step(const Epoch& epoch, std::int64_t step, const comm::StepFlags& flags);
  void finish_epoch(const Epoch& epoch);
  Logs evaluate_validation();
  Logs totals(Scoreboard& board, const std::string& prefix);
  comm::StepFlags my_flags(std::int64_t step);
  double step_learning_rate() const;
  void append_history(std::int64_t epoch, const Logs& logs);
  void start_profile();
  void write_profile();
  ExitCode close();

  // run_state.cpp: checkpoints
  void try_checkpoint();
  void write_checkpoint(const std::string& path);
  checkpoint::Contents contents();
  void gather_board(checkpoint::Contents& contents);
  void scatter_board(const checkpoint::Contents* previous);
  void resume(const checkpoint::Contents& previous);
  void check_compatible(const checkpoint::Contents& previous) const;
  void set_values(const std::vector<float>& whole_on_root);
  Json training_config() const;
  Json environment() const;

  // report.cpp
  void print_header() const;
  void log_scaling() const;
  void print_closing_table();

  // Control
  double learning_rate() const override;
  void set_learning_rate(double rate) override;
  void stop(const std::string& reason) override;
  void fail_diverged(const std::string& message) override;
  void keep_weights(const std::string& name) override;
  void restore_weights(const std::string& name) override;
  bool has_kept_weights(const std::string& name) const override;
  void save(const std::string& path, Save what) override;
  void write_saves();
  void require_saves();
  bool is_root() const override { return session_.is_root(); }
  bool resumed() const override { return resumed_; }
  void say(const std::string& line) override;
  bool larger_is_better(const std::string& monitor) const override;
  std::vector<std::string> result_names() const override;

  comm::Session& session_;
  const Configuration& configuration_;
  std::string version_;
  Settings settings_;
  ActivityTimes times_;
  DataSets data_;
  std::unique_ptr<nn::Sequential> model_;
  Compiled compiled_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  int shards_ = 1;
  std::string shards_note_;
  std::unique_ptr<comm::Exchange> exchange_;
  std::unique_ptr<ExchangeSum> sums_;
  std::unique_ptr<nn::GradientTree> gradients_;
  std::unique_ptr<DeferredGradients> deferred_;
  std::unique_ptr<Updater> updater_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<Scoreboard> board_;
  std::unique_ptr<Scoreboard> validation_board_;
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<Profile> profile_;
  std::unique_ptr<checkpoint::RunFile> run_file_;  ///< rank 0's
  std::string save_failure_;  ///< rank 0's: a file that a callback asked for and did not get
  io::OutputGuard outputs_;   ///< rank 0's: what the run reads and writes
  int step_name_ = 0;
  std::vector<std::unique_ptr<Callback>> callbacks_;
  bool ending_epoch_ = false;                        ///< callbacks are deciding on a finished epoch
  std::vector<std::pair<std::string, Save>> saves_;  ///< files they asked for, written when all have decided

  checkpoint::RunState state_;
  checkpoint::History history_;
  std::map<std::string, std::vector<float>> kept_weights_;  ///< values on rank 0, names on every rank
  double rate_scale_ = 1.0;                                 ///< learning_rate_scaling
  std::int64_t validation_batch_rows_ = 0;
  bool resumed_ = false;
  bool stop_training_ = false;
  std::string stop_reason_;
  bool diverged_ = false;
  bool invalid_loss_ = false;  ///< a step of this epoch had a NaN or Inf loss
  bool resumable_stop_ = false;
  std::chrono::steady_clock::time_point run_start_;
  std::chrono::steady_clock::time_point last_checkpoint_;
  std::int64_t steps_run_ = 0;
  std::int64_t samples_run_ = 0;
  double training_seconds_ = 0;
};

}  // namespace nntrain::train

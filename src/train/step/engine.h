#pragma once
// The room `step`: one mini-batch, from rows to new values. What lives here knows arrays, ranks and layers;
// it knows no epochs, callbacks, files or log lines. Read Engine::step first (engine.cpp).

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "comm/exchange/exchange.h"
#include "comm/session/session.h"
#include "nn/losses/loss.h"
#include "nn/model/sequential.h"
#include "nn/variables/gradient_tree.h"
#include "optim/optimizer.h"
#include "train/step/activity_times.h"
#include "train/step/deferred_gradients.h"
#include "train/step/gather_sum.h"
#include "train/step/node_sums.h"
#include "train/step/replica.h"
#include "train/step/updater.h"

namespace nntrain::train {

/// A flag of a step: some rank's rows could not be read from disk. The step has changed nothing.
constexpr std::uint32_t kFlagNoInputs = 1U << 5;

struct EngineOptions {
  int shards = 1;
  std::uint64_t seed = 0;
  SumFormat wire = SumFormat::kFloat32;
  const Products* products = &chain_products();  ///< outlives the engine; never null
  float scale = 1.0F;                            ///< multiplies the inputs
  const TargetScale* target_scale = nullptr;     ///< outlives the engine; null: none
  std::int64_t training_rows = 1;                ///< of the largest mini-batch
  std::int64_t evaluation_rows = 0;              ///< of the largest evaluation batch; 0: there is none
};

/// What the exchange of an engine must be made for.
comm::ExchangeOptions exchange_options(const nn::Sequential& model, const optim::Optimizer& optimizer,
                                       const EngineOptions& options);

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

/// Everything that a step needs, made in the order in which it depends on one another. All methods are
/// collective.
class Engine {
 public:
  /// Binds `model` to the node's values. All references outlive the engine. Allocates everything that steps
  /// need.
  Engine(comm::Session& session, nn::Sequential& model, optim::Optimizer& optimizer, const nn::Loss& loss,
         const EngineOptions& options, ActivityTimes& times);
  /// With an exchange of the caller's, made for exchange_options().
  Engine(comm::Session& session, std::unique_ptr<comm::Exchange> exchange, nn::Sequential& model,
         optim::Optimizer& optimizer, const nn::Loss& loss, const EngineOptions& options,
         ActivityTimes& times);

  /// One mini-batch: loss and metrics into `board`, new values on every rank. `mine` are this rank's flags;
  /// returns every rank's, with kFlagNonFinite when a loss or a weight was NaN or Inf: then the step has
  /// changed nothing, values, optimizer state and board are those of before; with kFlagNoInputs beside it
  /// when rows could not be read (check_pass says why).
  comm::StepFlags step(const BatchRequest& batch, double learning_rate, comm::StepFlags mine,
                       Scoreboard& board);
  /// Where in a batch that step() refused NaN or Inf begins; the batch is in replica() then.
  NonFinite find_non_finite(const BatchRequest& batch) { return replica_->find_non_finite(batch); }
  const Replica& replica() const { return *replica_; }
  /// What a step that step() refused would have written NaN or Inf to: "batch_normalization/moving_variance";
  /// "" for nothing. Where fills_values().
  const std::string& spoiled_state() const { return spoiled_state_; }
  /// Loss and metrics of a batch into `board`; after settle().
  void evaluate(const BatchRequest& batch, Scoreboard& board) { replica_->evaluate(batch, board); }
  /// Results from all ranks' sums of training.
  Logs totals(Scoreboard& board, const std::string& prefix) { return totals(board, prefix, sums_); }
  /// The same of an evaluation, whose rows are shared among all ranks: their boards have these shards.
  Logs evaluation_totals(Scoreboard& board, const std::string& prefix) {
    return totals(board, prefix, evaluation_sums_);
  }
  ShardRange evaluation_local() const { return evaluation_local_; }

  /// All new values are there. Needed before values are read by anything but the next step.
  void settle() { exchange_->settle(); }
  /// Every node's copy of the values becomes `whole_on_root` (total_floats()).
  void set_values(const std::vector<float>& whole_on_root);
  /// Is this rank one of those that fill the values at the start (one a node, or every one)?
  bool fills_values() const;

  comm::Exchange& exchange() { return *exchange_; }
  Updater& updater() { return *updater_; }

 private:
  void keep_for_undo(Scoreboard& board);
  void undo(Scoreboard& board);
  bool state_is_finite();
  void find_moving();
  void make_gradient_plan(optim::Optimizer& optimizer, const EngineOptions& options);
  ReplicaOptions replica_options(const EngineOptions& options);
  static Logs totals(Scoreboard& board, const std::string& prefix, nn::GlobalSum& sums);

  comm::Session& session_;
  nn::Sequential& model_;
  ActivityTimes& times_;
  std::unique_ptr<comm::Exchange> exchange_;
  ExchangeSum sums_;
  GatherSum evaluation_sums_;
  ShardRange evaluation_local_;
  std::unique_ptr<nn::GradientTree> gradients_;
  // One of the two, or neither: then every gradient is exchanged.
  std::unique_ptr<DeferredGradients> deferred_;  ///< one node
  std::unique_ptr<NodeSums> node_sums_;          ///< several nodes
  std::unique_ptr<Updater> updater_;
  std::unique_ptr<Replica> replica_;
  std::vector<double> sums_before_;  ///< the board's, before the step
  std::string spoiled_state_;
  std::vector<const nn::Variable*>
      moving_;                       ///< what forward may write here: statistics, where fills_values()
  std::vector<float> state_before_;  ///< theirs, before the step
};

}  // namespace nntrain::train

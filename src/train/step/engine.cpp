#include "train/step/engine.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "comm/exchange/rank_exchange.h"

namespace nntrain::train {

// A step, with who does what (docs/architecture.md has the arrays):
//
//   batch = this rank's rows of the mini-batch, maybe none       Replica::train: BatchRows, gather
//   outputs = model.forward(batch.inputs)
//   d_outputs = loss.gradient(outputs, batch.targets, weights)   divided by the mini-batch's whole weight
//   model.backward(d_outputs)                                    leaf by leaf into the gradient plan, which
//                                                                tells the exchange what is complete; on
//                                                                several nodes owners make its sums: NodeSums
//   metrics.add(...)                                             Scoreboard
//   exchange.reduce()                                            my slice holds the sum over all shards
//   optimizer.step(my slice of values, of gradients)             Updater::step, DeferredGradients
//   exchange.share()                                             every rank sees the new values
comm::StepFlags Engine::step(const BatchRequest& batch, double learning_rate, comm::StepFlags mine,
                             Scoreboard& board) {
  keep_for_undo(board);
  if (node_sums_) node_sums_->open_step(batch.rows);
  const bool finite = replica_->train(batch, *gradients_, board);
  if (!state_is_finite() || !finite) mine.bits |= comm::kFlagNonFinite;
  if (!replica_->has_inputs()) mine.bits |= kFlagNoInputs | comm::kFlagNonFinite;  // nobody takes the step
  updater_->step(static_cast<std::int64_t>(batch.step), learning_rate, batch.rows, mine);
  if ((mine.bits & comm::kFlagNonFinite) != 0) undo(board);
  return mine;
}

/// What forward changes; values and optimizer state change only in steps that are finite.
void Engine::keep_for_undo(Scoreboard& board) {
  sums_before_.assign(board.sums().begin(), board.sums().end());
  state_before_.clear();
  for (const nn::Variable* variable : moving_)
    state_before_.insert(state_before_.end(), variable->values, variable->values + variable->size());
}

/// Moving statistics can overflow where the outputs of training do not.
bool Engine::state_is_finite() {
  spoiled_state_.clear();
  for (const nn::Variable* variable : moving_) {
    bool finite = true;
    for (std::int64_t i = 0; i < variable->size(); ++i) finite = finite && std::isfinite(variable->values[i]);
    if (!finite && spoiled_state_.empty()) spoiled_state_ = variable->layer + "/" + variable->name;
  }
  return spoiled_state_.empty();
}

void Engine::undo(Scoreboard& board) {
  std::copy(sums_before_.begin(), sums_before_.end(), board.sums().begin());
  const float* before = state_before_.data();
  for (const nn::Variable* variable : moving_) {
    std::copy_n(before, variable->size(), variable->values);
    before += variable->size();
  }
}

comm::ExchangeOptions exchange_options(const nn::Sequential& model, const optim::Optimizer& optimizer,
                                       const EngineOptions& options) {
  comm::ExchangeOptions exchange;
  exchange.shards = options.shards;
  exchange.total_floats = model.total_floats();
  exchange.trainable_floats = model.trainable_floats();
  exchange.trainables = Updater::extents(model, optimizer);
  exchange.wire = options.wire;
  return exchange;
}

Engine::Engine(comm::Session& session, nn::Sequential& model, optim::Optimizer& optimizer,
               const nn::Loss& loss, const EngineOptions& options, ActivityTimes& times)
    : Engine(session,
             std::make_unique<comm::RankExchange>(session, exchange_options(model, optimizer, options)),
             model, optimizer, loss, options, times) {}

Engine::Engine(comm::Session& session, std::unique_ptr<comm::Exchange> exchange, nn::Sequential& model,
               optim::Optimizer& optimizer, const nn::Loss& loss, const EngineOptions& options,
               ActivityTimes& times)
    : session_(session),
      model_(model),
      times_(times),
      exchange_(std::move(exchange)),
      sums_(*exchange_),
      evaluation_sums_(session, evaluation_shards(options.shards)),
      evaluation_local_(shards_of_rank(session.rank(), session.size(), evaluation_shards(options.shards))) {
  model_.bind(exchange_->values());
  // On one node all values are there when share() returns.
  if (session_.nodes() > 1 || exchange_->private_values()) {
    model_.on_values_needed = [this](std::int64_t end) {
      const ActivityTimes::Scope time(times_, Activity::kExchange);
      exchange_->await_values(end);
    };
  }
  find_moving();
  make_gradient_plan(optimizer, options);
  replica_ = std::make_unique<Replica>(model_, &loss, options.scale, replica_options(options), times_);
}

/// A frozen layer writes nothing in a step: its weights, which may be most of the model, are left alone.
void Engine::find_moving() {
  if (!fills_values()) return;
  std::unordered_set<std::string_view> frozen;
  for (const auto& layer : model_.layers()) {
    if (!layer->trainable()) frozen.insert(layer->name());
  }
  std::size_t floats = 0;
  for (const nn::Variable& variable : model_.variables()) {
    if (variable.trainable || frozen.contains(variable.layer)) continue;
    moving_.push_back(&variable);
    floats += static_cast<std::size_t>(variable.size());
  }
  state_before_.reserve(floats);
}

/// Which variable's gradient is exchanged, and which its owner makes.
void Engine::make_gradient_plan(optim::Optimizer& optimizer, const EngineOptions& options) {
  std::int64_t largest = 0;
  for (const nn::Variable& variable : model_.variables()) largest = std::max(largest, variable.size());
  gradients_ = std::make_unique<nn::GradientTree>(exchange_->local_shards(), options.shards,
                                                  exchange_->gradient_nodes(), largest, options.wire,
                                                  *options.products);
  gradients_->on_complete = [this](const nn::Variable& variable) {
    exchange_->complete(variable.offset, variable.size());
  };
  if (options.wire == SumFormat::kFloat32) {  // other sums are rounded one by one
    // Every rank's workspace is laid out for as many rows as any rank has.
    const auto most_rows = [&](int shards, std::int64_t rows) {
      return Sharing{{0, (shards + session_.size() - 1) / session_.size()}, shards}.most_rows(rows);
    };
    const std::int64_t rows = std::max(most_rows(options.shards, options.training_rows),
                                       most_rows(evaluation_shards(options.shards), options.evaluation_rows));
    deferred_ = DeferredGradients::make(session_, *exchange_, model_, *gradients_, *options.products,
                                        options.shards, rows, options.training_rows);
    if (!deferred_)
      node_sums_ = NodeSums::make(session_, *exchange_, model_, *gradients_, *options.products,
                                  options.shards, rows, options.training_rows, times_);
  }
  updater_ = std::make_unique<Updater>(*exchange_, model_, optimizer, deferred_.get(), times_);
}

ReplicaOptions Engine::replica_options(const EngineOptions& options) {
  ReplicaOptions replica;
  replica.training = {exchange_->local_shards(), options.shards, &sums_};
  replica.evaluation = {evaluation_local_, evaluation_shards(options.shards), &evaluation_sums_};
  replica.seed = options.seed;
  replica.products = options.products;
  replica.writes_state = fills_values();
  replica.target_scale = options.target_scale;
  replica.training_rows = options.training_rows;
  replica.evaluation_rows = options.evaluation_rows;
  if (deferred_ || node_sums_) replica.keep = nn::Sequential::Keep::kGradients;
  return replica;
}

bool Engine::fills_values() const { return session_.local_rank() == 0 || exchange_->private_values(); }

Logs Engine::totals(Scoreboard& board, const std::string& prefix, nn::GlobalSum& sums) {
  std::vector<double> whole(static_cast<std::size_t>(board.width()));
  sums.sum(board.sums(), whole);
  return board.results(whole, prefix);
}

void Engine::set_values(const std::vector<float>& whole_on_root) {
  exchange_->settle();
  std::vector<float> whole = whole_on_root;
  whole.resize(static_cast<std::size_t>(model_.total_floats()));
  session_.broadcast(std::as_writable_bytes(std::span(whole)));
  session_.node_barrier();
  if (fills_values()) std::copy(whole.begin(), whole.end(), exchange_->values().begin());
  session_.barrier();
}

}  // namespace nntrain::train

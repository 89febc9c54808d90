#include "train/loop/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/log.h"
#include "optim/large_batch.h"
#include "train/data/adaptation.h"

namespace nntrain::train {

Trainer::~Trainer() = default;

Trainer::Trainer(comm::Session& session, const Configuration& configuration, const std::string& version)
    : session_(session),
      configuration_(configuration),
      version_(version),
      settings_(read_settings(configuration)) {
  run_start_ = std::chrono::steady_clock::now();
  if (!settings_.compile.loss_by_output) compiled_.loss = make_loss(settings_.compile);
  optimizer_ = with_origin(settings_.compile.optimizer_origin,
                           [&] { return optim::optimizers().make(settings_.compile.optimizer); });
  for (std::size_t i = 0; i < settings_.fit.callbacks.size(); ++i) {
    callbacks_.push_back(with_origin(settings_.fit.callback_origins[i],
                                     [&] { return callbacks().make(settings_.fit.callbacks[i]); }));
  }

  std::int64_t found = 0;
  comm::collectively(session_, "look for the checkpoint", [&] {
    if (!session_.is_root()) return;
    outputs_ = guard_outputs(configuration_, settings_, callbacks_);
    run_file_ = std::make_unique<checkpoint::RunFile>(settings_.checkpoint.path,
                                                      static_cast<int>(settings_.checkpoint.keep));
    found = run_file_->exists() ? 1 : 0;
  });
  found = session_.maximum(found);
  if (settings_.checkpoint.resume == Resume::kRequire && found == 0) {
    throw InputError("checkpoint.resume = require, but there is no \"" + settings_.checkpoint.path +
                     "\"; start afresh with checkpoint.resume = auto");
  }
  if (settings_.checkpoint.resume == Resume::kNever && found == 1) {
    std::string aside;
    comm::collectively(session_, "set the old checkpoint aside", [&] {
      if (session_.is_root()) aside = run_file_->set_aside();
    });
    if (session_.is_root()) log::note("checkpoint.resume = never: the old checkpoint is kept as " + aside);
    found = 0;
  }
  std::unique_ptr<checkpoint::Contents> previous;
  if (found == 1) {
    std::optional<checkpoint::RunFile::Found> newest;
    comm::collectively(session_, "read " + settings_.checkpoint.path, [&] {
      if (session_.is_root()) newest = run_file_->read_newest();
    });
    if (newest && !newest->note.empty()) log::note(newest->note);
    previous = std::make_unique<checkpoint::Contents>(
        share_contents(session_, newest ? std::move(newest->contents) : checkpoint::Contents{}));
    if (!previous->ours) {
      throw InputError(
          "checkpoint.path = \"" + settings_.checkpoint.path +
          "\" is a Keras file that nntrain-dist did not write; start from it with model.from = " +
          settings_.checkpoint.path + " and another checkpoint.path");
    }
  }

  DataLoader loader(session_, settings_.data, settings_.fit);
  loader.load_inputs();
  const ModelSource source = read_model_source(session_, settings_.model);
  model_ = build_model(source, loader.sets().input_shape);
  if (model_->input_shape() != loader.sets().input_shape &&
      model_->input_shape().size() != loader.sets().input_shape.size()) {
    throw InputError("the data's samples have shape " + loader.sets().input_shape.to_string() +
                     " (data.inputs = " + settings_.data.inputs + "), the model expects " +
                     model_->input_shape().to_string());
  }
  if (!compiled_.loss) {
    choose_loss(settings_.compile, model_->output_shape());
    compiled_.loss = make_loss(settings_.compile);
  }
  loader.load_targets({compiled_.loss.get(), model_->output_shape(), settings_.compile.loss_origin});
  data_ = loader.take();
  make_metrics(settings_.compile, data_.target_shape, model_->output_shape(), compiled_);
  fuse_head(*model_, *compiled_.loss);
  choose_shards(previous.get());
  make_engine();
  for (std::size_t i = 0; i < callbacks_.size(); ++i) {
    with_origin(settings_.fit.callback_origins[i], [&] { callbacks_[i]->check(*this); });
  }
  prepare_start(source, previous.get());
}

void Trainer::choose_shards(const checkpoint::Contents* previous) {
  const int ranks = session_.size();
  if (previous != nullptr) {
    shards_ = previous->state.shards;
    if (settings_.run.shards != 0 && settings_.run.shards != shards_) {
      throw InputError(
          fmt::format("run.shards = {}, but the run in \"{}\" has {} shards, which fix its bits; leave "
                      "run.shards out, or start afresh with checkpoint.resume = never",
                      settings_.run.shards, settings_.checkpoint.path, shards_));
    }
  } else if (settings_.run.shards != 0) {
    shards_ = settings_.run.shards;
  } else {
    shards_ = automatic_shards(settings_.fit.batch_size);
    if (ranks > shards_) {
      const int raised = static_cast<int>(std::bit_ceil(static_cast<unsigned>(ranks)));
      shards_note_ = fmt::format(
          "{} ranks are more than the {} shards that batch_size = {} gives: this run has {} shards. "
          "Set run.shards = {} to get its bits at every number of ranks up to {}",
          ranks, shards_, settings_.fit.batch_size, raised, raised, raised);
      shards_ = raised;
    }
  }
  if (ranks > shards_) {
    throw InputError(
        fmt::format("{} ranks are more than the run's {} shards ({}); start at most {} ranks, or a fresh run "
                    "with run.shards = {}",
                    ranks, shards_, previous != nullptr ? settings_.checkpoint.path : "run.shards", shards_,
                    std::bit_ceil(static_cast<unsigned>(ranks))));
  }
}

void Trainer::make_engine() {
  comm::ExchangeOptions options;
  options.shards = shards_;
  options.total_floats = model_->total_floats();
  options.trainable_floats = model_->trainable_floats();
  options.trainables = Updater::extents(*model_, *optimizer_);
  options.wire = settings_.run.wire;
  exchange_ = std::make_unique<comm::Exchange>(session_, options);
  model_->bind(exchange_->values());
  sums_ = std::make_unique<ExchangeSum>(*exchange_);

  validation_batch_rows_ = settings_.fit.validation_batch_size;
  if (validation_batch_rows_ == 0) {
    // Results do not depend on it (they are sums over rows) unless the loss itself is a sum over the batch.
    const bool free =
        compiled_.loss->reduction() != nn::Reduction::kSum && compiled_.loss->batch_sums(1, 1) == 0;
    validation_batch_rows_ =
        free ? std::max<std::int64_t>(settings_.fit.batch_size, 32 * shards_) : settings_.fit.batch_size;
  }
  ReplicaOptions replica;
  replica.local = exchange_->local_shards();
  replica.shards = shards_;
  replica.seed = settings_.run.seed;
  replica.writes_state = session_.local_rank() == 0 || exchange_->private_values();
  replica.max_batch_rows = std::min(settings_.fit.batch_size, data_.train.rows());
  if (data_.validation) {
    replica.max_batch_rows =
        std::max(replica.max_batch_rows, std::min(validation_batch_rows_, data_.validation->rows()));
  }
  std::int64_t largest = 0;
  for (const nn::Variable& variable : model_->variables()) largest = std::max(largest, variable.size());
  gradients_ = std::make_unique<nn::GradientTree>(exchange_->local_shards(), shards_,
                                                  exchange_->gradient_nodes(), largest, settings_.run.wire);
  gradients_->on_complete = [this](const nn::Variable& variable) {
    exchange_->complete(variable.offset, variable.size());
  };
  model_->on_values_needed = [this](std::int64_t end) {
    const ActivityTimes::Scope time(times_, Activity::kExchange);
    exchange_->await_values(end);
  };
  if (settings_.run.wire == SumFormat::kFloat32) {  // other sums are rounded one by one
    deferred_ = DeferredGradients::make(session_, *exchange_, *model_, *gradients_, shards_,
                                        (replica.max_batch_rows + shards_ - 1) / shards_);
  }
  if (deferred_) replica.keep = nn::Sequential::Keep::kGradients;
  updater_ = std::make_unique<Updater>(*exchange_, *model_, *optimizer_, deferred_.get(), times_);
  replica_ = std::make_unique<Replica>(*model_, compiled_.loss.get(), data_.scale, replica, *sums_, times_);
  board_ = std::make_unique<Scoreboard>(compiled_.metrics, exchange_->local_shards().count());
  validation_board_ = std::make_unique<Scoreboard>(compiled_.metrics, exchange_->local_shards().count());
  rate_scale_ = optim::large_batch_factor(settings_.fit.learning_rate_scaling, settings_.fit.batch_size,
                                          settings_.fit.reference_batch_size);
  progress_ = std::make_unique<Progress>(verbose_of(settings_.fit.verbose), settings_.fit.epochs);
}

void Trainer::prepare_start(const ModelSource& source, const checkpoint::Contents* previous) {
  state_.seed = settings_.run.seed;
  state_.shards = shards_;
  state_.epoch = settings_.fit.initial_epoch;
  if (previous != nullptr) {
    resume(*previous);
    return;
  }
  // One rank of each node writes the node's copy.
  const bool from_file = session_.maximum(static_cast<std::int64_t>(source.weights.size())) > 0;
  if (!from_file) {
    comm::collectively(session_, "make the initial weights", [&] {
      if (session_.local_rank() == 0 || exchange_->private_values()) model_->initialize(settings_.run.seed);
    });
  } else {
    std::vector<float> whole;
    comm::collectively(session_, "take the weights of model.from", [&] {
      if (!session_.is_root()) return;
      assign_weights(*model_, source.weights, "model.from = " + settings_.model.from);
      const std::span<const float> values = exchange_->values();
      whole.assign(values.begin(), values.end());
    });
    set_values(whole);
  }
  session_.barrier();
  if (!from_file) adapt_layers();
}

/// Normalization layers without given statistics learn them from the training rows, before the first step.
void Trainer::adapt_layers() {
  for (std::size_t i = 0; i < model_->layers().size(); ++i) {
    nn::Layer& layer = *model_->layers()[i];
    if (!layer.wants_adaptation()) continue;
    if (!adapts_on_inputs(*model_, static_cast<int>(i))) {
      throw InputError("layer \"" + layer.name() +
                       "\" (Normalization without mean and variance) must come first, or after "
                       "Flatten, Reshape and Rescaling by one number: it is adapted on the training inputs");
    }
    TrainingMoments moments(session_, *exchange_, *model_, static_cast<int>(i), data_, shards_);
    layer.adapt(moments);
    session_.barrier();
  }
}

}  // namespace nntrain::train

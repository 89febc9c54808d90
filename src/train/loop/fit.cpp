#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>

#include "core/error.h"
#include "core/log.h"
#include "optim/large_batch.h"
#include "train/loop/trainer.h"

namespace nntrain::train {

namespace {

volatile std::sig_atomic_t stop_signal = 0;
constexpr std::uint32_t kFlagRefresh = 1U << 3;  ///< rank 0 wants to redraw its progress bar

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

void Trainer::request_stop(int signal_number) { stop_signal = signal_number; }

double Trainer::step_learning_rate() const {
  const std::int64_t batch = std::min(settings_.fit.batch_size, data_.train.rows());
  const std::int64_t steps = std::max<std::int64_t>(1, (data_.train.rows() + batch - 1) / batch);
  const double warmup = optim::warmup_multiplier(
      state_.iteration, settings_.fit.warmup_epochs * static_cast<double>(steps), rate_scale_);
  return optimizer_->learning_rate(state_.iteration) * warmup;
}

ExitCode Trainer::fit() {
  if (state_.finished || state_.epoch >= settings_.fit.epochs) {
    if (state_.finished || resumed_) {
      log::info(fmt::format("The run in {} is finished: {} of {} epochs. Raise fit.epochs to go on.",
                            settings_.checkpoint.path, state_.epoch, settings_.fit.epochs));
      return ExitCode::kDone;
    }
  }
  try_checkpoint();
  print_header();
  start_profile();
  last_checkpoint_ = std::chrono::steady_clock::now();
  for (const auto& callback : callbacks_) callback->on_train_begin(*this, state_.epoch);
  while (state_.epoch < settings_.fit.epochs && !stop_training_) {
    const Epoch epoch = next_epoch();
    if (!run_epoch(epoch)) break;
  }
  return close();
}

/// steps_per_epoch as in Keras: the next epoch goes on in the data, and one that reaches their end is short.
Trainer::Epoch Trainer::next_epoch() const {
  const std::int64_t batches = (data_.train.rows() + settings_.fit.batch_size - 1) / settings_.fit.batch_size;
  Epoch epoch{state_.epoch, batches, state_.epoch, 0};
  if (settings_.fit.steps_per_epoch == 0) return epoch;
  const std::int64_t steps = std::min(batches, settings_.fit.steps_per_epoch);
  const std::int64_t epochs_per_pass = (batches + steps - 1) / steps;
  const std::int64_t done = state_.epoch - settings_.fit.initial_epoch;
  epoch.pass = settings_.fit.initial_epoch + done / epochs_per_pass;
  epoch.first_batch = done % epochs_per_pass * steps;
  epoch.steps = std::min(steps, batches - epoch.first_batch);
  return epoch;
}

/// False: the run stops inside the epoch.
bool Trainer::run_epoch(const Epoch& epoch) {
  const std::int64_t first_step = state_.step;
  const data::Order order = settings_.fit.shuffle ? data::Order::kShuffled : data::Order::kFile;
  const data::Sampler sampler(data_.train.rows(), settings_.run.seed, epoch.pass, order);
  if (first_step == 0) {
    board_->reset();
    state_.epoch_seconds = 0;
    for (const auto& callback : callbacks_) callback->on_epoch_begin(*this, epoch.index);
  }
  progress_->begin_epoch(epoch.index, epoch.steps, first_step,
                         std::min(settings_.fit.batch_size, data_.train.rows()));
  const double seconds_before = state_.epoch_seconds;
  const auto start = std::chrono::steady_clock::now();
  const double checkpoints_before = times_.seconds(Activity::kCheckpoint);
  for (std::int64_t step = first_step; step < epoch.steps; ++step) {
    comm::StepFlags flags = my_flags(step);
    const auto step_start = std::chrono::steady_clock::now();
    run_step(epoch, step, sampler, flags);
    if (profile_) profile_->add(Lane::kStep, step_name_, step_start, std::chrono::steady_clock::now());
    state_.step = step + 1;
    state_.epoch_seconds =
        seconds_before + seconds_since(start) - (times_.seconds(Activity::kCheckpoint) - checkpoints_before);
    if (!after_step(epoch, step, flags)) return false;
  }
  training_seconds_ += state_.epoch_seconds - seconds_before;
  if (invalid_loss_) {
    fail_diverged(fmt::format(
        "Epoch {}: the loss is NaN or Inf; stopped. {} keeps the state before. A smaller learning rate, "
        "clipping (clipnorm=1) or warm-up may help",
        epoch.index + 1, settings_.checkpoint.path));
    return false;
  }
  finish_epoch(epoch);
  return !stop_training_;
}

comm::StepFlags Trainer::my_flags(std::int64_t step) {
  comm::StepFlags flags;
  if (stop_signal != 0) flags.bits |= comm::kFlagStop;
  if (!session_.is_root()) return flags;
  // Decisions by the clock are rank 0's; the others learn of them with the gradients.
  if (settings_.run.max_seconds > 0 && seconds_since(run_start_) > 0.99 * settings_.run.max_seconds)
    flags.bits |= comm::kFlagStop;
  if (settings_.checkpoint.every_minutes > 0 &&
      seconds_since(last_checkpoint_) > 60 * settings_.checkpoint.every_minutes) {
    flags.bits |= comm::kFlagCheckpoint;
  }
  if (progress_->wants_update() && step > 0) flags.bits |= kFlagRefresh;
  return flags;
}

void Trainer::run_step(const Epoch& epoch, std::int64_t step, const data::Sampler& sampler,
                       comm::StepFlags& flags) {
  BatchRequest batch;
  batch.samples = &data_.train;
  batch.sampler = &sampler;
  batch.position = (epoch.first_batch + step) * settings_.fit.batch_size;
  batch.rows = std::min(settings_.fit.batch_size, data_.train.rows() - batch.position);
  batch.step = static_cast<std::uint64_t>(state_.iteration);
  if (!replica_->train(batch, *gradients_, *board_)) flags.bits |= comm::kFlagNonFinite;
  updater_->step(state_.iteration, step_learning_rate(), batch.rows, flags);
  ++state_.iteration;
  ++steps_run_;
  samples_run_ += batch.rows;
}

/// False: stop here.
bool Trainer::after_step(const Epoch& epoch, std::int64_t step, const comm::StepFlags& flags) {
  if ((flags.bits & comm::kFlagNonFinite) != 0) {
    invalid_loss_ = true;
    for (const auto& callback : callbacks_) callback->on_invalid_loss(*this, step);
    if (stop_training_) return false;
  }
  if ((flags.bits & kFlagRefresh) != 0) progress_->update(step + 1, totals(*board_, ""));
  for (const auto& callback : callbacks_) {
    if (callback->every_steps() > 0 && state_.iteration % callback->every_steps() == 0) {
      callback->on_steps(*this, epoch.index, totals(*board_, ""));
    }
  }
  const bool last = step + 1 == epoch.steps;
  if ((flags.bits & comm::kFlagStop) != 0) {
    resumable_stop_ = true;
    stop_reason_ =
        stop_signal != 0 ? fmt::format("signal {}", static_cast<int>(stop_signal)) : "run.max_time is over";
    if (last) return true;  // the epoch is done: finish it first
    write_checkpoint(settings_.checkpoint.path);
    return false;
  }
  const bool by_steps =
      settings_.checkpoint.every_steps > 0 && state_.iteration % settings_.checkpoint.every_steps == 0;
  if (!last && (by_steps || (flags.bits & comm::kFlagCheckpoint) != 0))
    write_checkpoint(settings_.checkpoint.path);
  return true;
}

Logs Trainer::totals(Scoreboard& board, const std::string& prefix) {
  std::vector<double> sums(static_cast<std::size_t>(board.width()));
  sums_->sum(board.sums(), sums);
  return board.results(sums, prefix);
}

Logs Trainer::evaluate_validation() {
  exchange_->settle();
  const ActivityTimes::Scope time(times_, Activity::kEvaluation);
  validation_board_->reset();
  const std::int64_t rows = data_.validation->rows();
  const data::Sampler in_order(rows, 0, 0, data::Order::kFile);
  for (std::int64_t position = 0; position < rows; position += validation_batch_rows_) {
    BatchRequest batch;
    batch.samples = &*data_.validation;
    batch.sampler = &in_order;
    batch.position = position;
    batch.rows = std::min(validation_batch_rows_, rows - position);
    replica_->evaluate(batch, *validation_board_);
  }
  return totals(*validation_board_, "val_");
}

void Trainer::finish_epoch(const Epoch& epoch) {
  Logs logs = totals(*board_, "");
  const double seconds = state_.epoch_seconds;
  if (data_.validation && (epoch.index + 1) % settings_.fit.validation_freq == 0) {
    const Logs validation = evaluate_validation();
    logs.values.insert(logs.values.end(), validation.values.begin(), validation.values.end());
  }
  state_.epoch = epoch.index + 1;
  state_.step = 0;
  ending_epoch_ = true;
  for (const auto& callback : callbacks_) callback->on_epoch_end(*this, epoch.index, logs);
  ending_epoch_ = false;
  append_history(epoch.index, logs);
  write_saves();
  progress_->end_epoch(logs, seconds);
  const bool last = state_.epoch >= settings_.fit.epochs || stop_training_;
  if (stop_signal != 0 && !resumable_stop_ && session_.size() == 1) resumable_stop_ = true;
  if (last && !resumable_stop_) return;  // close() writes it, finished
  if (resumable_stop_) stop_training_ = true;
  if (resumable_stop_ || state_.epoch % settings_.checkpoint.every_epochs == 0)
    write_checkpoint(settings_.checkpoint.path);
}

void Trainer::append_history(std::int64_t epoch, const Logs& logs) {
  Logs row = logs;
  row.values.emplace_back("epoch", static_cast<double>(epoch + 1));
  row.values.emplace_back("seconds", state_.epoch_seconds);
  std::size_t done = 0;
  for (const auto& [name, column] : history_.columns) done = std::max(done, column.size());
  for (const auto& [name, value] : row.values) {
    const bool known = std::any_of(history_.columns.begin(), history_.columns.end(),
                                   [&, key = name](const auto& column) { return column.first == key; });
    // A column that appears late, or misses an epoch (validation_freq), holds NaN there.
    if (!known) history_.columns.emplace_back(name, std::vector<double>(done, std::nan("")));
  }
  for (auto& [name, column] : history_.columns) column.push_back(row.find(name).value_or(std::nan("")));
}

void Trainer::start_profile() {
  if (settings_.run.profile.empty()) return;
  profile_ = std::make_unique<Profile>(session_, settings_.run.profile);
  times_.record_in(*profile_);
  step_name_ = profile_->name("step");
  std::vector<int> forward, backward;
  for (const auto& layer : model_->layers()) {
    forward.push_back(profile_->name(layer->name() + " forward"));
    backward.push_back(profile_->name(layer->name() + " backward"));
  }
  model_->on_layer = [this, forward, backward, start = Profile::Clock::time_point()](int layer, char phase,
                                                                                     bool begins) mutable {
    const auto now = Profile::Clock::now();
    if (begins) {
      start = now;
    } else {
      profile_->add(Lane::kLayer, (phase == 'F' ? forward : backward)[static_cast<std::size_t>(layer)], start,
                    now);
    }
  };
  const int wait = profile_->name("wait");
  exchange_->on_wait([this, wait](auto start, auto end) { profile_->add(Lane::kWait, wait, start, end); });
}

void Trainer::write_profile() {
  const std::int64_t dropped = profile_->write();
  if (verbose_of(settings_.fit.verbose) != Verbose::kSilent) {
    log::info("Profile written to " + settings_.run.profile + "; open it with chrome://tracing or Perfetto");
  }
  if (dropped == 0) return;
  log::note(
      fmt::format("{} events of the profile were dropped: it holds the first {} of each rank. Profile fewer "
                  "epochs or steps",
                  dropped, std::min(Profile::kMostEventsOfRank, Profile::kMostEvents / session_.size())));
}

ExitCode Trainer::close() {
  exchange_->settle();
  const bool complete = !resumable_stop_ && !diverged_;
  if (complete) {
    updater_->finalize();
    for (const auto& callback : callbacks_) callback->on_train_end(*this);
    state_.finished = true;
    write_checkpoint(settings_.checkpoint.path);
  }
  print_closing_table();
  if (profile_) write_profile();
  if (diverged_) return ExitCode::kDiverged;
  require_saves();
  if (!resumable_stop_) return ExitCode::kDone;
  log::info(fmt::format("Stopped early ({}) after epoch {}, step {}; the same command goes on from {}.",
                        stop_reason_, state_.epoch, state_.step, settings_.checkpoint.path));
  return ExitCode::kResumable;
}

}  // namespace nntrain::train

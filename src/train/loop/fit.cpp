#include "train/loop/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "train/loop/control.h"
#include "train/loop/deadline.h"
#include "train/loop/divergence.h"
#include "train/loop/ending.h"
#include "train/loop/epoch.h"
#include "train/loop/saver.h"
#include "train/loop/tracing.h"
#include "train/loop/validation.h"
#include "train/report/closing_table.h"
#include "train/report/header.h"
#include "train/report/progress.h"
#include "train/report/run_reports.h"
#include "train/report/status_file.h"
#include "train/run/history.h"
#include "train/step/replica_check.h"

namespace nntrain::train {

namespace {

using Clock = std::chrono::steady_clock;

// Flags of a step beside the exchange's own: rank 0 wants to redraw its progress bar; the checkpoint that it
// was writing has failed; from kStopShift on, reasons to stop.
constexpr std::uint32_t kFlagRefresh = 1U << 3;
constexpr std::uint32_t kFlagSaveFailed = 1U << 4;
constexpr int kStopShift = 8;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Fit {
 public:
  explicit Fit(Run& run);
  ExitCode train();

 private:
  Ending run_epoch(const Epoch& epoch);
  Ending run_steps(const Epoch& epoch);
  Ending after_step(const Epoch& epoch, comm::StepFlags flags);
  Ending finish_epoch(const Epoch& epoch);
  Ending after_divergence();
  comm::StepFlags my_flags();
  void verify_copies();
  void look_at_the_clock();
  Ending save_and(Ending ending);
  bool finish_save();
  void end_on_failure();
  void complete();
  void report_end(Ending ending);
  ExitCode close(Ending ending);

  Run& run_;
  Past& past_;
  Saver saver_;
  Divergence divergence_;
  Validation validation_;
  RunControl control_;
  Progress progress_;
  Tracing tracing_;
  RunReports reports_;
  Work work_;
  Deadline deadline_;                            ///< rank 0's counts
  double age_at_start_ = process_age_seconds();  ///< of the process, at `started_`
  Clock::time_point started_ = Clock::now();
  std::optional<data::Sampler> sampler_;
  BatchRequest batch_;             ///< the last one
  bool step_was_refused_ = false;  ///< the last one, for NaN or Inf
  std::uint32_t stop_reasons_ = 0;
  bool save_is_due_ =
      false;  ///< by step, clock or signal; at an epoch's last step it waits for the epoch's end
};

Deadline deadline_of(const Run& run) {
  const char* job_end = std::getenv("SLURM_JOB_END_TIME");
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  return Deadline::of_run(run.settings.run.max_seconds, job_end == nullptr ? "" : job_end, now,
                          process_age_seconds());
}

Fit::Fit(Run& run)
    : run_(run),
      past_(run.past),
      saver_(run),
      divergence_(run, saver_),
      validation_(run),
      control_(run, saver_, result_names(run, validation_)),
      progress_(run.log, verbose_of(run.settings.fit.verbose, run.log), run.settings.fit.epochs),
      tracing_(run),
      reports_(run),
      deadline_(deadline_of(run)) {
  comm::collectively(run.session, "callbacks", [&] {
    for (std::size_t i = 0; i < run.callbacks.size(); ++i)
      with_origin(run.settings.fit.callback_origins[i], [&] { run.callbacks[i]->check(control_); });
  });
}

ExitCode Fit::train() {
  {
    const QuietScreen quiet(run_.log, progress_.verbose() == Verbose::kSilent);
    print_header(run_);
  }
  if (past_.rollbacks > 0)
    run_.log.note(fmt::format("the run was rolled back {} time{}: learning rates are x {:g}", past_.rollbacks,
                              past_.rollbacks == 1 ? "" : "s",
                              std::ldexp(1.0, -static_cast<int>(past_.rollbacks))));
  work_.start_up_seconds = seconds_since(run_.start);
  past_.times.begin(run_.times);
  for (const auto& callback : run_.callbacks) callback->on_train_begin(control_, past_.state.epoch);
  end_on_failure();
  Ending ending = past_.state.epoch < run_.settings.fit.epochs ? Ending::kNone : Ending::kComplete;
  // A rollback needs something to go back to.
  if (run_.settings.fit.on_nan == OnNan::kRollback && !past_.resumed && ending == Ending::kNone)
    ending = save_and(ending);
  try {
    while (ending == Ending::kNone) {
      ending = run_epoch(epoch_at(past_.state.epoch, run_.data.train.rows(), run_.settings.fit));
      if (ending == Ending::kComplete && !divergence_.values_are_finite()) ending = Ending::kDiverged;
      if (ending == Ending::kDiverged) ending = after_divergence();
    }
  } catch (const DivergedError& error) {  // a callback's way to end the run
    reports_.end(RunPhase::kDiverged, error.what());
    throw;
  }
  return close(ending);
}

Ending Fit::run_epoch(const Epoch& epoch) {
  if (past_.state.step == 0) {
    run_.board->reset();
    past_.state.epoch_seconds = 0;
    for (const auto& callback : run_.callbacks) callback->on_epoch_begin(control_, epoch.index);
  }
  progress_.begin_epoch(epoch.index, epoch.steps, past_.state.step,
                        std::min(run_.settings.fit.batch_size, run_.data.train.rows()));
  const double seconds_before = past_.state.epoch_seconds;
  const Ending ending = run_steps(epoch);
  work_.training_seconds += past_.state.epoch_seconds - seconds_before;
  return ending == Ending::kNone ? finish_epoch(epoch) : ending;
}

Ending Fit::run_steps(const Epoch& epoch) {
  const std::int64_t rows = run_.data.train.rows(), batch_size = run_.settings.fit.batch_size;
  sampler_.emplace(run_.sampler(epoch.pass));
  BatchRequest& batch = batch_;
  batch.samples = &run_.data.train;
  batch.sampler = &*sampler_;
  begin_pass(run_.session, run_.data, run_.data.train, *sampler_, epoch.pass,
             (epoch.first_batch + past_.state.step) * batch_size);
  while (past_.state.step < epoch.steps) {
    const Clock::time_point start = Clock::now();
    batch.position = (epoch.first_batch + past_.state.step) * batch_size;
    batch.rows = std::min(batch_size, rows - batch.position);
    batch.step = static_cast<std::uint64_t>(past_.state.iteration);
    const comm::StepFlags flags =
        run_.engine->step(batch, run_.step_learning_rate(), my_flags(), *run_.board);
    const Clock::time_point end = Clock::now();
    const double seconds = std::chrono::duration<double>(end - start).count();
    tracing_.step(start, end);
    deadline_.took(Deadline::Work::kStep, seconds);
    past_.state.epoch_seconds += seconds;
    if ((flags.bits & kFlagNoInputs) != 0) check_pass(run_.session, run_.data.train);
    step_was_refused_ = (flags.bits & comm::kFlagNonFinite) != 0;
    if (step_was_refused_) {
      for (const auto& callback : run_.callbacks) callback->on_invalid_loss(control_, past_.state.step);
      return Ending::kDiverged;
    }
    ++past_.state.step;
    ++past_.state.iteration;
    ++work_.steps;
    work_.samples += batch.rows;
    if (const Ending ending = after_step(epoch, flags); ending != Ending::kNone) return ending;
  }
  return Ending::kNone;
}

comm::StepFlags Fit::my_flags() {
  comm::StepFlags flags;
  look_at_the_clock();
  flags.bits = run_.stop.reasons() << kStopShift;
  if (run_.stop.take_save_request()) flags.bits |= comm::kFlagCheckpoint;
  if (!run_.session.is_root()) return flags;
  if (saver_.due_by_time()) flags.bits |= comm::kFlagCheckpoint;
  if (saver_.has_failed()) flags.bits |= kFlagSaveFailed;
  if (progress_.wants_update() || reports_.wants_refresh()) flags.bits |= kFlagRefresh;
  return flags;
}

/// Decisions by the clock are rank 0's; the others learn of them with the gradients.
void Fit::look_at_the_clock() {
  if (!run_.session.is_root() || !deadline_.has_limit() || run_.stop.stop_requested()) return;
  if (saver_.longest_seconds() > 0) deadline_.took(Deadline::Work::kCheckpoint, saver_.longest_seconds());
  // A stop writes a checkpoint of its own, after the one that is being written.
  const double now = age_at_start_ + seconds_since(started_) + saver_.seconds_to_finish();
  if (!deadline_.must_stop_before({Deadline::Work::kStep}, now)) return;
  run_.log.note(deadline_.reason(now));
  run_.stop.request_stop(StopReason::kTimeLimit);
}

Ending Fit::after_step(const Epoch& epoch, comm::StepFlags flags) {
  Situation now;
  if ((flags.bits & kFlagSaveFailed) != 0 && !finish_save()) return Ending::kDiverged;
  if ((flags.bits & kFlagRefresh) != 0) {
    const Logs results = run_.engine->totals(*run_.board, "");
    progress_.update(past_.state.step, results);
    reports_.refresh(results);
  }
  for (const auto& callback : run_.callbacks) {
    const std::int64_t every = callback->every_steps();
    if (every > 0 && past_.state.iteration % every == 0)
      callback->on_steps(control_, epoch.index, run_.engine->totals(*run_.board, ""));
  }
  const std::int64_t verify_every = run_.settings.run.verify_every;
  if (verify_every > 0 && past_.state.iteration % verify_every == 0) verify_copies();
  now.diverged = control_.diverged();
  stop_reasons_ |= flags.bits >> kStopShift;
  now.stop_asked = stop_reasons_ != 0;
  now.epochs_done = past_.state.epoch;
  now.epochs = run_.settings.fit.epochs;
  const Ending ending = decide(now);
  if (ending == Ending::kDiverged) return ending;
  const bool inside = past_.state.step < epoch.steps;  // at the end of an epoch, the epoch decides
  if (saver_.due_by_steps() || (flags.bits & comm::kFlagCheckpoint) != 0) save_is_due_ = true;
  const bool due = inside && save_is_due_;
  if (ending == Ending::kNone && !due && control_.failure().empty()) return ending;
  return save_and(ending);
}

Ending Fit::finish_epoch(const Epoch& epoch) {
  Logs logs = run_.engine->totals(*run_.board, "");
  if (validation_.due(epoch.index)) {
    // A process that only came to finish an epoch finishes it, however little time it has: each makes
    // progress.
    const auto look = [this] {
      if (work_.steps > 0) look_at_the_clock();
    };
    const std::optional<Logs> results = validation_.evaluate(look, stop_reasons_);
    if (!results) return save_and(Ending::kResumable);
    logs.values.insert(logs.values.end(), results->values.begin(), results->values.end());
  }
  past_.state.epoch = epoch.index + 1;
  past_.state.step = 0;
  control_.begin_epoch_end();
  for (const auto& callback : run_.callbacks) callback->on_epoch_end(control_, epoch.index, logs);
  Logs row = logs;
  row.set("epoch", static_cast<double>(epoch.index + 1));
  row.set("seconds", past_.state.epoch_seconds);
  append_row(past_.history, row);
  control_.end_epoch();
  past_.times.look(run_.session, run_.times);
  past_.times.table.close_epoch();
  progress_.end_epoch(logs, past_.state.epoch_seconds);
  reports_.end_epoch();
  Situation now;
  now.diverged = control_.diverged();
  now.callback_stops = control_.stops();
  now.epoch_is_complete = true;
  now.epochs_done = past_.state.epoch;
  now.epochs = run_.settings.fit.epochs;
  const Ending ending = decide(now);
  const bool due = save_is_due_ || saver_.due_after_epoch() || !control_.failure().empty();
  return ending == Ending::kNone && due ? save_and(ending) : ending;
}

/// kNone: the run is that of its last checkpoint, as if it had been killed and gone on from there.
Ending Fit::after_divergence() {
  saver_.finish_quietly();
  divergence_.examine(batch_, step_was_refused_ ? Divergence::Step::kRefused : Divergence::Step::kDone);
  if (control_.ended_by_callback() || !divergence_.roll_back()) return Ending::kDiverged;
  control_.begin_again();
  save_is_due_ = false;
  for (const auto& callback : run_.callbacks) callback->on_train_begin(control_, past_.state.epoch);
  end_on_failure();
  return Ending::kNone;
}

/// `ending`, with a checkpoint that is on its way to the disk, or there when the run ends; kDiverged when
/// there is nothing that may be saved.
Ending Fit::save_and(Ending ending) {
  if (run_.settings.run.verify_every > 0) verify_copies();
  if (!finish_save() || !saver_.save()) return Ending::kDiverged;
  save_is_due_ = false;
  const bool waits = ending != Ending::kNone || !control_.failure().empty();
  if (waits && !finish_save()) return Ending::kDiverged;
  end_on_failure();
  return ending;
}

/// Waits for the checkpoint that is being written. False: the optimizer's state in it was not finite, and the
/// run may be rolled back.
bool Fit::finish_save() {
  try {
    saver_.finish();
  } catch (const comm::SharedError& error) {
    if (error.code() != ExitCode::kDiverged || run_.settings.fit.on_nan == OnNan::kStop) throw;
    return false;
  }
  return true;
}

void Fit::verify_copies() {
  const ActivityTimes::Scope time(run_.times, Activity::kExchange);
  require_equal_copies(run_.session, *run_.engine, *run_.model);
}

/// A file of a callback's could not be written: the run's own checkpoint is there, so the run may end.
void Fit::end_on_failure() {
  if (!control_.failure().empty()) throw comm::SharedError(ExitCode::kRuntime, control_.failure());
}

void Fit::complete() {
  run_.engine->settle();
  run_.engine->updater().finalize();
  for (const auto& callback : run_.callbacks) callback->on_train_end(control_);
  past_.state.finished = true;
}

void Fit::report_end(Ending ending) {
  switch (ending) {
    case Ending::kDiverged:
      return reports_.end(RunPhase::kDiverged, divergence_.message());
    case Ending::kComplete:
      return reports_.end(RunPhase::kFinished, past_.ended_by);
    default:
      return reports_.end(RunPhase::kStopped, stop_reasons_text(stop_reasons_));
  }
}

ExitCode Fit::close(Ending ending) {
  if (ending == Ending::kComplete) {
    complete();
    ending = save_and(ending);
  }
  if (ending == Ending::kDiverged) {
    saver_.finish_quietly();
    if (divergence_.message().empty()) divergence_.examine(batch_, Divergence::Step::kDone);
  }
  run_.engine->settle();
  const ClosingReport report = make_closing_report(run_, work_);
  if (work_.steps > 0) {
    const QuietScreen quiet(run_.log, progress_.verbose() == Verbose::kSilent);
    for (const std::string& line : closing_lines(report)) run_.log.info(line);
  }
  if (ending == Ending::kComplete && work_.steps == 0) run_.log.info(no_epoch_text(run_));
  tracing_.write();
  report_end(ending);
  const checkpoint::RunState& state = past_.state;
  if (ending == Ending::kDiverged) {
    throw comm::SharedError(
        ExitCode::kDiverged,
        fmt::format("{}Stopped, nothing was saved since: {}. A smaller learning rate, clipping (clipnorm=1) "
                    "or warm-up may help, or fit.on_nan = rollback",
                    divergence_.message(), saver_.on_disk()));
  }
  if (ending == Ending::kComplete) return ExitCode::kDone;
  run_.log.info(fmt::format("Stopped early ({}) after epoch {}, step {}; the same command goes on from {}.",
                            stop_reasons_text(stop_reasons_), state.epoch, state.step,
                            run_.settings.checkpoint.path));
  return ExitCode::kResumable;
}

}  // namespace

ExitCode fit(Run& run) {
  const std::int64_t done = run.past.state.epoch, epochs = run.settings.fit.epochs;
  if (run.past.resumed && (run.past.state.finished || done >= epochs)) {
    if (run.session.is_root()) remove_abandoned_status(run.settings.checkpoint.path);
    run.log.info(nothing_to_do_text(run));
    return ExitCode::kDone;
  }
  if (run.settings.fit.on_nan == OnNan::kRollback && run.settings.checkpoint.path.empty())
    throw comm::SharedError(ExitCode::kInput,
                            "fit.on_nan = rollback goes back to the last checkpoint; give checkpoint.path");
  try_checkpoint(run);  // before anything is written
  return Fit(run).train();
}

}  // namespace nntrain::train

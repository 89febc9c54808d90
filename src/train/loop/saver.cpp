#include "train/loop/saver.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "checkpoint/checkpoint.h"
#include "core/error.h"
#include "train/run/snapshot.h"

namespace nntrain::train {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// "after epoch 2", "after epoch 2, step 7"
std::string position(const checkpoint::RunState& state) {
  const std::string epoch = fmt::format("after epoch {}", state.epoch);
  return state.step == 0 ? epoch : fmt::format("{}, step {}", epoch, state.step);
}

/// The larger one stays. One thread at a time.
void raise(std::atomic<double>& largest, double value) { largest.store(std::max(largest.load(), value)); }

}  // namespace

Saver::Saver(Run& run) : run_(run), last_(Clock::now()) {
  if (run.past.resumed) saved_ = position(run.past.state);
  if (run.session.is_root() && !run.settings.checkpoint.path.empty())
    preparing_.start([this] { prepare_memory(); });
}

/// New pages cost more than the copy into them, and the run would wait for both.
void Saver::prepare_memory() noexcept try {
  state_.slots.resize(static_cast<std::size_t>(run_.engine->updater().slots()));
  for (const nn::Variable& variable : run_.model->variables()) {
    const auto floats = static_cast<std::size_t>(variable.size());
    state_.weights.emplace_back().values.assign(floats, 0.0F);
    if (!variable.trainable) continue;
    for (checkpoint::Slot& slot : state_.slots) slot.values.emplace_back(floats);
  }
} catch (...) {  // no room now: the copy says so, or finds some
  state_ = {};
}

bool Saver::due_by_steps() const {
  const std::int64_t every = run_.settings.checkpoint.every_steps;
  return every > 0 && run_.past.state.iteration % every == 0;
}

bool Saver::due_by_time() const {
  const double minutes = run_.settings.checkpoint.every_minutes;
  return minutes > 0 && seconds_since(last_) > 60 * minutes;
}

bool Saver::due_after_epoch() const {
  return run_.past.state.epoch % run_.settings.checkpoint.every_epochs == 0;
}

Saver::~Saver() {
  try {
    writing_.wait();
  } catch (const std::exception& error) {
    run_.log.note(fmt::format("the last checkpoint could not be written: {}", error.what()));
  } catch (...) {
  }
}

bool Saver::take_state() {
  preparing_.wait();
  bool finite = true;
  state_ = take(run_, &finite, std::move(state_));
  return run_.session.maximum(std::int64_t{finite ? 0 : 1}) == 0;
}

bool Saver::save() {
  finish();
  const ActivityTimes::Scope time(run_.times, Activity::kCheckpoint);
  const Clock::time_point start = Clock::now();
  if (!take_state()) return false;
  last_ = Clock::now();
  if (run_.settings.checkpoint.path.empty()) return true;
  pending_ = position(run_.past.state);
  if (!run_.session.is_root()) return true;
  begun_ = start;
  writing_.start([this, start] {
    run_.file->write(state_);
    raise(longest_seconds_, seconds_since(start));
  });
  return true;
}

void Saver::finish() {
  if (pending_.empty()) return;
  const ActivityTimes::Scope time(run_.times, Activity::kCheckpoint);
  const std::string position = std::exchange(pending_, "");
  comm::collectively(run_.session, "write " + run_.settings.checkpoint.path, [&] { writing_.wait(); });
  saved_ = position;
}

void Saver::finish_quietly() {
  try {
    finish();
  } catch (const Error& error) {
    run_.log.note(error.what());
  }
}

bool Saver::save_as(const std::string& path, Control::Save what) {
  const ActivityTimes::Scope time(run_.times, Activity::kCheckpoint);
  const Clock::time_point start = Clock::now();
  if (!take_state()) return false;
  std::vector<checkpoint::Slot> aside;        // their memory is for the next copy
  if (what == Control::Save::kWeightsOnly) {  // an architecture with weights, which cannot be gone on from
    state_.training_config = Json();
    aside = std::exchange(state_.slots, {});
  }
  comm::collectively(run_.session, "write " + path, [&] {
    if (!run_.session.is_root()) return;
    if (path == run_.settings.checkpoint.path) return run_.file->write(state_);
    run_.outputs.add_output(path, "ModelCheckpoint filepath", checkpoint::is_ours);
    checkpoint::write(path, state_);
  });
  if (!aside.empty()) state_.slots = std::move(aside);
  raise(longest_seconds_, seconds_since(start));
  return true;
}

double Saver::seconds_under_way() const { return writing_.running() ? seconds_since(begun_) : 0; }

double Saver::longest_seconds() const { return std::max(longest_seconds_.load(), seconds_under_way()); }

double Saver::seconds_to_finish() const {
  return writing_.running() ? std::max(0.0, longest_seconds_.load() - seconds_under_way()) : 0;
}

std::string Saver::on_disk() const {
  const std::string& path = run_.settings.checkpoint.path;
  if (saved_.empty()) return "no checkpoint of this run was written";
  return path + " holds the state " + saved_;
}

}  // namespace nntrain::train

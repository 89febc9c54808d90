#include "train/loop/saver.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "checkpoint/checkpoint.h"
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

bool is_finite(const std::vector<checkpoint::WeightArray>& weights) {
  return std::all_of(weights.begin(), weights.end(), [](const checkpoint::WeightArray& weight) {
    return std::all_of(weight.values.begin(), weight.values.end(),
                       [](float value) { return std::isfinite(value); });
  });
}

}  // namespace

Saver::Saver(Run& run) : run_(run), last_(Clock::now()) {
  if (run.past.resumed) saved_ = position(run.past.state);
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

bool Saver::save() {
  if (!write(run_.settings.checkpoint.path, Control::Save::kCheckpoint)) return false;
  last_ = Clock::now();
  saved_ = position(run_.past.state);
  return true;
}

bool Saver::save_as(const std::string& path, Control::Save what) { return write(path, what); }

bool Saver::write(const std::string& path, Control::Save what) {
  const ActivityTimes::Scope time(run_.times, Activity::kCheckpoint);
  const Clock::time_point start = Clock::now();
  checkpoint::Contents now = take(run_);
  const std::int64_t bad = run_.session.is_root() && !is_finite(now.weights) ? 1 : 0;
  if (run_.session.maximum(bad) != 0) return false;
  if (what == Control::Save::kWeightsOnly) {  // an architecture with weights, which cannot be gone on from
    now.training_config = Json();
    now.slots.clear();
  }
  comm::collectively(run_.session, "write " + path, [&] {
    if (!run_.session.is_root()) return;
    if (path == run_.settings.checkpoint.path) return path.empty() ? void() : run_.file->write(now);
    run_.outputs.add_output(path, "ModelCheckpoint filepath", checkpoint::is_ours);
    checkpoint::write(path, now);
  });
  longest_seconds_ = std::max(longest_seconds_, seconds_since(start));
  return true;
}

std::string Saver::on_disk() const {
  const std::string& path = run_.settings.checkpoint.path;
  if (saved_.empty()) return "no checkpoint of this run was written";
  return path + " holds the state " + saved_;
}

}  // namespace nntrain::train

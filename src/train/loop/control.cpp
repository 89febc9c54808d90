// What callbacks may do to a run.

#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "train/loop/trainer.h"

namespace nntrain::train {

double Trainer::learning_rate() const { return optimizer_->learning_rate(state_.iteration); }

void Trainer::set_learning_rate(double rate) { optimizer_->set_learning_rate(rate); }

void Trainer::stop(const std::string& reason) {
  stop_training_ = true;
  stop_reason_ = reason;
}

void Trainer::fail_diverged(const std::string& message) {
  stop(message);
  diverged_ = true;
  log::info(message);
}

void Trainer::keep_weights(const std::string& name) {
  exchange_->settle();
  session_.node_barrier();  // nobody's values are being written
  std::vector<float>& kept = kept_weights_[name];
  if (session_.is_root()) kept.assign(exchange_->values().begin(), exchange_->values().end());
}

void Trainer::restore_weights(const std::string& name) {
  const auto kept = kept_weights_.find(name);
  if (kept == kept_weights_.end())
    throw RuntimeError("internal: no weights were kept under \"" + name + "\"");
  set_values(kept->second);
}

bool Trainer::has_kept_weights(const std::string& name) const { return kept_weights_.count(name) != 0; }

/// In the middle of an epoch at once; at its end when every callback has decided and the history has the
/// epoch, so that the file holds a state to go on from.
void Trainer::save(const std::string& path, Save what) {
  saves_.emplace_back(path, what);
  if (!ending_epoch_) write_saves();
}

void Trainer::write_saves() {
  for (const auto& [path, what] : saves_) {
    const ActivityTimes::Scope time(times_, Activity::kCheckpoint);
    checkpoint::Contents now = contents();
    if (what == Save::kWeightsOnly) {  // an architecture with weights, which cannot be gone on from
      now.training_config = Json();
      now.slots.clear();
    }
    comm::collectively(session_, "write " + path, [&, file = path] {
      if (!session_.is_root()) return;
      outputs_.add_output(file, "ModelCheckpoint filepath", checkpoint::is_ours);
      try {
        checkpoint::write(file, now);
      } catch (const RuntimeError& error) {  // a full disk there must not cost the run its own checkpoint
        log::note(error.what());
        save_failure_ = error.what();
      }
    });
  }
  saves_.clear();
}

/// After the run's own checkpoint: what a callback could not write is an error all the same.
void Trainer::require_saves() {
  comm::collectively(session_, "write what callbacks asked for", [&] {
    if (!session_.is_root()) return;
    if (!save_failure_.empty()) throw RuntimeError(save_failure_);
    for (const auto& callback : callbacks_) {
      if (!callback->failure().empty()) throw RuntimeError(callback->failure());
    }
  });
}

void Trainer::say(const std::string& line) {
  if (session_.is_root()) log::info(line);
}

std::vector<std::string> Trainer::result_names() const {
  std::vector<std::string> names;
  const std::vector<double> zeros(static_cast<std::size_t>(board_->width()), 0.0);
  for (const char* prefix : {"", "val_"}) {
    if (*prefix != '\0' && !data_.validation) continue;
    for (const auto& [name, value] : board_->results(zeros, prefix).values) names.push_back(name);
  }
  for (const auto& callback : callbacks_) {
    const std::string kind = callback->spec()["class_name"].get<std::string>();
    if (kind == "ReduceLROnPlateau" || kind == "LearningRateScheduler")
      return names.push_back("learning_rate"), names;
  }
  return names;
}

bool Trainer::larger_is_better(const std::string& monitor) const {
  const std::string name = monitor.rfind("val_", 0) == 0 ? monitor.substr(4) : monitor;
  for (const NamedMetric& entry : compiled_.metrics) {
    if (entry.name == name) return entry.metric->larger_is_better();
  }
  return false;
}

}  // namespace nntrain::train

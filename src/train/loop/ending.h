#pragma once
// How a run ends: decided here and nowhere else.

#include <cstdint>

namespace nntrain::train {

enum class Ending {
  kNone,       ///< the run goes on
  kComplete,   ///< the last epoch is done, or a callback ended the run: finalize, callbacks' on_train_end,
               ///< "finished"
  kResumable,  ///< asked to stop: a checkpoint, exit code 75
  kDiverged,   ///< a loss or a weight is NaN or Inf: nothing is saved any more, exit code 3
};

/// What is known after a step or an epoch; every rank has the same.
struct Situation {
  bool diverged = false;
  bool callback_stops = false;     ///< takes effect at the end of an epoch
  bool epoch_is_complete = false;  ///< its last step, validation and callbacks are done
  std::int64_t epochs_done = 0, epochs = 0;
  bool stop_asked = false;
};

/// A run that diverged ends so whatever else has arrived. A complete run is complete, even when a stop
/// arrived with its last step. A stop takes effect after any step: what remains of an epoch (validation,
/// callbacks) is then done when the run goes on, as if it had never stopped.
constexpr Ending decide(const Situation& now) {
  if (now.diverged) return Ending::kDiverged;
  const bool last = now.callback_stops || now.epochs_done >= now.epochs;
  if (now.epoch_is_complete && last) return Ending::kComplete;
  return now.stop_asked ? Ending::kResumable : Ending::kNone;
}

}  // namespace nntrain::train

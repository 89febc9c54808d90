#include "nntrain/train/callback.h"
#include "train/callbacks.h"

namespace nntrain::train {

Registry<Callback>& callbacks() {
  static Registry<Callback> registry = [] {
    Registry<Callback> made("callback");
    add_early_stopping(made);
    add_model_checkpoint(made);
    add_reduce_learning_rate(made);
    add_csv_logger(made);
    add_terminate_on_nan(made);
    add_learning_rate_scheduler(made);
    return made;
  }();
  return registry;
}

}  // namespace nntrain::train

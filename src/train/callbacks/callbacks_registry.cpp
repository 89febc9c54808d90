#include "train/callbacks/callback.h"
#include "train/callbacks/callbacks.h"

namespace nntrain::train {

Registry<Callback>& callbacks() {
  static Registry<Callback> registry = [] {
    Registry<Callback> made("callback");
    add_early_stopping(made);
    add_model_checkpoint(made);
    add_reduce_learning_rate(made);
    add_csv_logger(made);
    add_tensorboard(made);
    add_terminate_on_nan(made);
    add_learning_rate_scheduler(made);
    made.refuse({"BackupAndRestore"},
                "every run does it: checkpoint.path, checkpoint.every_steps and checkpoint.resume");
    made.refuse({"RemoteMonitor", "OrbaxCheckpoint"},
                "TensorBoard and CSVLogger write the results of every epoch, ModelCheckpoint Keras files");
    made.refuse({"History", "ProgbarLogger", "CallbackList"},
                "every run does it: the history is in the checkpoint, the log on the terminal");
    made.refuse({"SwapEMAWeights"},
                "use_ema=True in the optimizer puts the averages in place at the end, as in Keras");
    made.refuse({"LambdaCallback", "Callback"}, "there is no Python here");
    return made;
  }();
  return registry;
}

}  // namespace nntrain::train

#pragma once
// The room `run`: what a run consists of, how it is opened, and how all of it becomes a checkpoint's contents
// and back. What lives here decides nothing while training goes on: that is the loop's.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/run_file.h"
#include "comm/session/session.h"
#include "core/log.h"
#include "core/stop_token.h"
#include "nn/model/sequential.h"
#include "optim/optimizer.h"
#include "train/callbacks/callback.h"
#include "train/config/settings.h"
#include "train/data/dataset.h"
#include "train/run/epoch_times.h"
#include "train/run/outputs.h"
#include "train/run/products.h"
#include "train/run/setup.h"
#include "train/step/activity_times.h"
#include "train/step/engine.h"

namespace nntrain::train {

/// How far a run is, and what it brought along. All of it is in checkpoints.
struct Past {
  checkpoint::RunState state;
  checkpoint::History history;
  std::map<std::string, std::vector<float>> kept_weights;  ///< values on rank 0, names on every rank
  std::vector<std::int64_t>
      fits;              ///< epochs completed when each fit() of the run began, as Keras would count them
  std::string ended_by;  ///< what ended a finished run before its last epoch, e.g. "EarlyStopping"
  std::int64_t rollbacks = 0;  ///< fit.on_nan: each has halved the learning rate of all later steps
  bool resumed = false;        ///< this process goes on from a checkpoint
  EpochTimes times;
};

/// What the program that runs a run gives it. References outlive the run.
struct Host {
  Log& log;             ///< speaks on rank 0
  StopToken& stop;      ///< wishes from outside
  std::string version;  ///< of the program, for the header and the checkpoint
};

/// Every part of a run, in the order in which they are made and depend on one another.
struct Run {
  comm::Session& session;
  Log& log;
  StopToken& stop;
  std::string version;
  Configuration configuration;
  Settings settings;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  ActivityTimes times;
  DataSets data;
  std::unique_ptr<nn::Sequential> model;
  Compiled compiled;
  std::unique_ptr<optim::Optimizer> optimizer;
  RunProducts products;
  std::vector<std::unique_ptr<Callback>> callbacks;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Scoreboard> board;  ///< sums of the running epoch
  Past past;
  std::unique_ptr<checkpoint::RunFile> file;  ///< rank 0's: the checkpoint, owned by this run
  io::OutputGuard outputs;                    ///< rank 0's: everything that the run reads and writes
  std::vector<std::string> notes;             ///< what the header says besides the facts

  Run(comm::Session& its_session, const Host& host, Configuration its_configuration)
      : session(its_session),
        log(host.log),
        stop(host.stop),
        version(host.version),
        configuration(std::move(its_configuration)) {}

  std::int64_t validation_batch_rows() const;
  /// The order of the training rows in a pass over them, as fit.shuffle says.
  data::Sampler sampler(std::int64_t pass) const;
  /// The learning rate of the step at hand: schedule, scaling, warm-up and rollbacks.
  double step_learning_rate() const;
  double learning_rate_factor() const;  ///< of fit.learning_rate_scaling
};

/// Before the first step: would the checkpoint, with all that it will hold, fit where it goes? Collective.
void try_checkpoint(Run& run);

/// What an embedding program gives in place of files. References outlive the run.
struct RunInputs {
  const data::MemoryArrays* memory = nullptr;  ///< what data.inputs and the like name
  const ModelSource* model = nullptr;          ///< instead of model.layer and model.from
};

/// Loads data, builds and compiles the model, and goes on from the checkpoint when there is one. Collective.
/// Throws InputError, all ranks alike, for everything that is wrong with configuration, data or checkpoint;
/// an Error with ExitCode::kResumable when a stop was asked for meanwhile: then nothing was changed. All
/// references outlive the run. Without a checkpoint.path nothing is looked for and nothing saved.
std::unique_ptr<Run> open_run(comm::Session& session, const Configuration& configuration, const Host& host,
                              const RunInputs& inputs = {});

}  // namespace nntrain::train

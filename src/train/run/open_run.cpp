// A run from its configuration: resolve, load, build, restore. Only leaves run in collectively(); what
// communicates stands outside of it.

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

#include "comm/session/agreement.h"
#include "core/build_id.h"
#include "core/call.h"
#include "core/error.h"
#include "train/data/adaptation.h"
#include "train/data/target_rules.h"
#include "train/data/value_check.h"
#include "train/run/learned_layers.h"
#include "train/run/products.h"
#include "train/run/run.h"
#include "train/run/shards.h"
#include "train/run/snapshot.h"

namespace nntrain::train {

namespace {

/// Between the phases of opening a run: a stop that any rank was asked for ends all of them in order.
void end_if_asked(Run& run, const char* phase) {
  std::uint32_t reasons = 0;
  for (int bit = 0; bit < kStopReasons; ++bit) {
    const std::int64_t mine = run.stop.reasons() >> bit & 1U;
    if (run.session.maximum(mine) != 0) reasons |= 1U << bit;
  }
  if (reasons == 0) return;
  throw comm::SharedError(
      ExitCode::kResumable,
      fmt::format("stopped early ({}) {}, before the first step; nothing was changed, the same "
                  "command starts again",
                  stop_reasons_text(reasons), phase));
}

ModelSource resolve(Run& run, const RunInputs& inputs) {
  comm::collectively(run.session, "configuration", [&] { run.settings = read_settings(run.configuration); });
  run.settings.data.memory = inputs.memory;
  ModelSource source =
      inputs.model != nullptr ? *inputs.model : read_model_source(run.session, run.settings.model);
  comm::collectively(run.session, "configuration", [&] {
    Settings& settings = run.settings;
    settings.data.text = text_demand(source);
    const std::string from = "model.from = " + settings.model.from;
    take_compile(settings.compile, run.configuration, source.training_config, from);
    take_optimizer(settings.compile, run.configuration, source.training_config, from);
    if (!settings.compile.loss_by_output) run.compiled.loss = make_loss(settings.compile);
    run.optimizer = with_origin(settings.compile.optimizer_origin,
                                [&] { return optim::optimizers().make(settings.compile.optimizer); });
    for (std::size_t i = 0; i < settings.fit.callbacks.size(); ++i) {
      run.callbacks.push_back(with_origin(settings.fit.callback_origins[i],
                                          [&] { return callbacks().make(settings.fit.callbacks[i]); }));
    }
  });
  run.session.end_stalls_after(run.settings.run.stall_seconds, run.settings.run.stall_timeout);
  return source;
}

/// The checkpoint to go on from, or null.
std::unique_ptr<checkpoint::Contents> find_previous(Run& run) {
  const CheckpointSettings& settings = run.settings.checkpoint;
  std::int64_t found = 0;
  comm::collectively(run.session, "look for the checkpoint", [&] {
    if (!run.session.is_root()) return;
    run.outputs = guard_outputs(run.configuration, run.settings, run.callbacks);
    if (settings.path.empty()) return;
    run.file = std::make_unique<checkpoint::RunFile>(settings.path, static_cast<int>(settings.keep));
    found = run.file->exists() ? 1 : 0;
    if (settings.resume == Resume::kRequire && found == 0) {
      throw InputError("checkpoint.resume = require, but there is no \"" + settings.path +
                       "\"; start afresh with checkpoint.resume = auto");
    }
    if (settings.resume == Resume::kNever) found = 0;
  });
  if (run.session.maximum(found) == 0) return nullptr;
  std::optional<checkpoint::RunFile::Found> newest;
  comm::collectively(run.session, "read " + settings.path, [&] {
    if (run.session.is_root()) newest = run.file->read_newest();
  });
  if (newest && !newest->note.empty()) run.log.note(newest->note);
  auto previous = std::make_unique<checkpoint::Contents>(
      share_contents(run.session, newest ? std::move(newest->contents) : checkpoint::Contents{}));
  if (previous->ours) return previous;
  throw comm::SharedError(
      ExitCode::kInput,
      "checkpoint.path = \"" + settings.path +
          "\" is a Keras file that nntrain-dist did not write; start from it with model.from = " +
          settings.path + " and another checkpoint.path");
}

/// checkpoint.resume = never. When everything else has been found right: a run that cannot begin moves
/// nothing.
void set_old_checkpoint_aside(Run& run) {
  std::string aside;
  comm::collectively(run.session, "set the old checkpoint aside", [&] {
    const bool never = run.settings.checkpoint.resume == Resume::kNever;
    if (never && run.file && run.file->exists()) aside = run.file->set_aside();
  });
  if (!aside.empty()) run.log.note("checkpoint.resume = never: the old checkpoint is kept as " + aside);
}

void build(Run& run, ModelSource& source, const DataLoader& loader) {
  learn_layers(run.session, source, loader.sets());
  comm::collectively(run.session, "model", [&] {
    Settings& settings = run.settings;
    const DataSets& sets = loader.sets();
    const Shape& sample = sets.input_shape;
    run.model = build_model(source, sample);
    const std::string note = check_sample_shape(sample, run.model->input_shape(), settings.data.inputs);
    if (!note.empty()) run.notes.push_back(note);
    if (run.session.local_rank() == 0) {
      check_values(*run.model, sets.train, sets.scale, sets.columns, "data.inputs = " + settings.data.inputs);
      if (sets.validation)
        check_values(
            *run.model, *sets.validation, sets.scale, sets.columns,
            "validation, of " + (settings.data.validation_inputs.empty()
                                     ? "data.inputs = " + settings.data.inputs
                                     : "data.validation_inputs = " + settings.data.validation_inputs));
    }
    if (run.compiled.loss) return;
    choose_loss(settings.compile, run.model->output_shape());
    run.compiled.loss = make_loss(settings.compile);
  });
  const DataSets& sets = loader.sets();
  check_streamed_values(run.session, *run.model, sets, sets.train, "data.inputs");
  if (sets.validation)
    check_streamed_values(run.session, *run.model, sets, *sets.validation, "the validation inputs");
}

void load_and_build(Run& run, ModelSource& source) {
  DataLoader loader(run.session, run.settings.data, run.settings.fit);
  loader.load_inputs();
  end_if_asked(run, "while data were read");
  build(run, source, loader);
  const CompileSettings& compile = run.settings.compile;
  loader.load_targets({run.compiled.loss.get(), run.model->output_shape(), compile.loss_origin,
                       metric_of_signs(compile, run.model->output_shape())});
  run.data = loader.take();
  run.notes.insert(run.notes.end(), run.data.notes.begin(), run.data.notes.end());
  const FitSettings& fit = run.settings.fit;
  const std::int64_t batches = (run.data.train.rows() + fit.batch_size - 1) / fit.batch_size;
  if (fit.steps_per_epoch > batches)
    run.notes.push_back(
        fmt::format("fit.steps_per_epoch = {}, but the {} training rows make {} steps of "
                    "fit.batch_size = {}: an epoch has {} steps",
                    fit.steps_per_epoch, run.data.train.rows(), batches, fit.batch_size, batches));
  comm::collectively(run.session, "compile", [&] {
    make_metrics(run.settings.compile, run.data.target_shape, run.model->output_shape(), run.compiled);
    fuse_head(*run.model, *run.compiled.loss);
  });
}

/// The number of shards fixes the bits of a run: it comes from the checkpoint, the setting or the batch size.
int choose_shards(Run& run, const checkpoint::Contents* previous) {
  const Settings& settings = run.settings;
  int shards = settings.run.shards != 0 ? settings.run.shards : automatic_shards(settings.fit.batch_size);
  if (previous != nullptr) {
    const int stored = previous->state.shards;
    if (settings.run.shards != 0 && settings.run.shards != stored) {
      throw comm::SharedError(
          ExitCode::kInput,
          fmt::format(
              "run.shards = {}, but the run in \"{}\" has {} shards, which fix its bits; leave run.shards "
              "out, or start afresh with checkpoint.resume = never",
              settings.run.shards, settings.checkpoint.path, stored));
    }
    shards = stored;
  }
  const std::string note =
      idle_ranks_note(run.session.size(), shards, std::min(settings.fit.batch_size, run.data.train.rows()));
  if (!note.empty()) run.notes.push_back(note);
  return shards;
}

void take_products(Run& run, const checkpoint::Contents* previous) {
  const RunSettings& settings = run.settings.run;
  const Json then = previous == nullptr ? Json() : products_of(previous->environment);
  run.products = choose_products(settings, then);
  if (settings.strict) {
    comm::require_agreement(run.session, "the matrix products (run.strict)", run.products.facts.dump(1));
  } else if (run.products.made_by_library()) {
    const std::string mine = run.products.facts.dump();
    for (const std::vector<std::byte>& theirs : run.session.gather(std::as_bytes(std::span(mine)))) {
      const std::string text(reinterpret_cast<const char*>(theirs.data()), theirs.size());
      if (text == mine) continue;
      run.notes.push_back(
          "ranks multiply by " + products_text(run.products.facts) + " and by " +
          products_text(Json::parse(text)) +
          ": the bits of this run depend on who has which rows; give all the same library and "
          "CPU, or take run.products = chains");
      break;
    }
  }
  if (previous == nullptr || then == run.products.facts) return;
  const std::string change = "the run in \"" + run.settings.checkpoint.path + "\" was made with " +
                             products_text(then) + ", here products are made with " +
                             products_text(run.products.facts);
  if (settings.strict)
    throw comm::SharedError(ExitCode::kInput, "run.strict = true: " + change +
                                                  ", which gives other bits; go on where it was, or without "
                                                  "run.strict");
  run.notes.push_back(change + ": other bits from here on");
}

/// Doubles a shard of the widest sum over the shards: of results at an epoch's end, or of a layer that keeps
/// moving statistics (two sums a value, and the count).
std::int64_t widest_sum(const Run& run) {
  std::int64_t widest = run.board->width();
  for (const nn::Variable& variable : run.model->variables()) {
    if (!variable.trainable) widest = std::max(widest, 2 * variable.size() + 1);
  }
  return widest;
}

void make_engine(Run& run) {
  EngineOptions options;
  options.shards = run.past.state.shards;
  options.seed = run.settings.run.seed;
  options.wire = run.settings.run.wire;
  options.products = &run.products.multiplier();
  options.scale = run.data.scale;
  options.target_scale = &run.data.target_scale;
  options.training_rows = std::min(run.settings.fit.batch_size, run.data.train.rows());
  if (run.data.validation) {
    options.evaluation_rows = std::min(run.validation_batch_rows(), run.data.validation->rows());
  }
  run.engine = std::make_unique<Engine>(run.session, *run.model, *run.optimizer, *run.compiled.loss, options,
                                        run.times);
  run.engine->exchange().on_wait([&times = run.times](auto from, auto to) { times.add_wait(from, to); });
  run.board =
      std::make_unique<Scoreboard>(run.compiled.metrics, run.engine->exchange().local_shards().count());
  run.engine->exchange().prepare_sums(widest_sum(run));
}

/// Normalization layers without given statistics learn them from the training rows, before the first step.
void adapt_layers(Run& run) {
  for (std::size_t i = 0; i < run.model->layers().size(); ++i) {
    nn::Layer& layer = *run.model->layers()[i];
    if (!layer.wants_adaptation()) continue;
    if (!adapts_on_inputs(*run.model, static_cast<int>(i))) {
      throw comm::SharedError(
          ExitCode::kInput,
          "layer \"" + layer.name() +
              "\" (Normalization without mean and variance) must come first, or after Flatten, "
              "Reshape and Rescaling by one number: it is adapted on the training inputs");
    }
    TrainingMoments moments(run.session, run.engine->exchange(), *run.model, static_cast<int>(i), run.data,
                            run.past.state.shards);
    layer.adapt(moments);
    run.session.barrier();
  }
}

void start_fresh(Run& run, const ModelSource& source) {
  if (source.has_weights) {
    run.engine->set_values(values_on_root(run, source.weights, "model.from = " + run.settings.model.from));
    const Json then = source.target_scale.description(), now = run.data.target_scale.description();
    if (then != now)
      run.notes.push_back("model.from: its outputs are targets " +
                          (then.is_null() ? "as they are" : "standardised by " + format_call(then)) +
                          ", this run's are " +
                          (now.is_null() ? "as they are" : "standardised by " + format_call(now)) +
                          "; training goes on from there");
    comm::collectively(run.session, "model.from", [&] {
      for (const std::string& change : changed_meanings(source.data, run.data))
        run.notes.push_back("model.from: " + change);
    });
    if (!run.settings.compile.optimizer_from_file) return;
    run.past.state.iteration = take_optimizer_state(run.session, *run.model, source.optimizer,
                                                    run.engine->updater(), *run.optimizer);
    for (const std::string& note : source.notes) run.notes.push_back("model.from: " + note);
    return;
  }
  comm::collectively(run.session, "make the initial weights", [&] {
    if (run.engine->fills_values()) run.model->initialize(run.settings.run.seed);
  });
  run.session.barrier();
  adapt_layers(run);
}

}  // namespace

std::unique_ptr<Run> open_run(comm::Session& session, const Configuration& configuration, const Host& host,
                              const RunInputs& inputs) {
  comm::require_agreement(session, "the program", "version " + host.version + "\nbuild " + build_id());
  comm::require_agreement(session, "the configuration", configuration.to_ini());
  auto run = std::make_unique<Run>(session, host, configuration);
  ModelSource source = resolve(*run, inputs);
  const std::unique_ptr<checkpoint::Contents> previous = find_previous(*run);
  end_if_asked(*run, "while files were opened");
  load_and_build(*run, source);
  run->past.state.seed = run->settings.run.seed;
  run->past.state.shards = choose_shards(*run, previous.get());
  take_products(*run, previous.get());
  run->past.state.epoch = run->settings.fit.initial_epoch;
  run->past.times.table.first_epoch = run->past.state.epoch;
  run->past.fits = {run->past.state.epoch};
  make_engine(*run);
  if (previous) {
    restore(*run, *previous);
  } else {
    start_fresh(*run, source);
  }
  end_if_asked(*run, "while the model was built");
  set_old_checkpoint_aside(*run);
  return run;
}

}  // namespace nntrain::train

#include "train/run/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "checkpoint/keras.h"
#include "core/error.h"
#include "core/products/gemm.h"

namespace nntrain::train {

namespace {

/// Puts `values`, which begin at `begin` of the array, into their place: at its end, which is the rule,
/// without filling the place first.
void put(std::vector<float>& array, std::int64_t begin, const float* values, std::int64_t count) {
  if (static_cast<std::int64_t>(array.size()) == begin) {
    array.insert(array.end(), values, values + count);
    return;
  }
  if (static_cast<std::int64_t>(array.size()) < begin + count)
    array.resize(static_cast<std::size_t>(begin + count));
  std::copy_n(values, count, array.begin() + begin);
}

/// A state array of the optimizer, one array per trainable variable in the model's order, on rank 0; copied
/// once, into the memory of `arrays`.
std::vector<std::vector<float>> take_slot(Run& run, int slot, std::vector<std::vector<float>> arrays) {
  std::vector<const nn::Variable*> variables;
  for (const nn::Variable& variable : run.model->variables()) {
    if (variable.trainable) variables.push_back(&variable);
  }
  arrays.resize(variables.size());
  for (std::vector<float>& array : arrays) array.clear();
  run.engine->updater().gather_slot(slot, [&](const comm::Range& range, const float* values) {
    for (std::size_t i = 0; i < variables.size(); ++i) {
      const std::int64_t offset = variables[i]->offset, size = variables[i]->size();
      const std::int64_t begin = std::max(range.begin, offset), end = std::min(range.end, offset + size);
      if (begin >= end) continue;
      arrays[i].reserve(static_cast<std::size_t>(size));
      put(arrays[i], begin - offset, values + (begin - range.begin), end - begin);
    }
  });
  return arrays;
}

Json environment_of(const Run& run) {
  Json environment = {{"version", run.version},
                      {"mpi", comm::Session::library_version()},
                      {"kernel", gemm::description()},
                      {"ranks", run.session.size()},
                      {"nodes", run.session.nodes()},
                      {"epochs", run.settings.fit.epochs},
                      {"loss", run.compiled.loss->spec()},
                      {"optimizer", run.optimizer->spec()},
                      {"metrics", run.compiled.metric_specs},
                      {"weighted_metrics", run.compiled.weighted_specs},
                      {"batch_size", run.settings.fit.batch_size},
                      {"block_rows", run.data.block_rows},
                      {"products", run.products.facts},
                      {"wire", wire_name(run.settings.run.wire)},
                      {"settings", settings_json(run.configuration)},
                      {"fits", run.past.fits},
                      {"ended_by", run.past.ended_by},
                      {"rollbacks", run.past.rollbacks},
                      {"times", run.past.times.table.to_json()}};
  if (!run.data.block_cuts.empty()) environment["block_cuts"] = run.data.block_cuts;
  if (run.settings.fit.shuffle_window > 0) environment["block_order"] = data::BlockPermutation::kName;
  return environment;
}

void take_board(Run& run, checkpoint::Contents& contents) {
  contents.metric_sums.width = run.board->width();
  for (const std::vector<std::byte>& part : run.session.gather(std::as_bytes(run.board->sums()))) {
    std::vector<double>& sums = contents.metric_sums.values;
    const std::size_t old = sums.size();  // rank order is shard order
    sums.resize(old + part.size() / sizeof(double));
    std::memcpy(sums.data() + old, part.data(), part.size());
  }
}

void take_optimizer(Run& run, checkpoint::Contents& contents, std::vector<checkpoint::Slot> old) {
  const std::vector<std::string> names = run.optimizer->slot_names();
  const auto slots = static_cast<std::size_t>(run.engine->updater().slots());
  old.resize(slots);
  for (std::size_t k = 0; k < slots; ++k)
    contents.slots.push_back({names[k], take_slot(run, static_cast<int>(k), std::move(old[k].values))});
  contents.optimizer = run.optimizer->spec()["class_name"].get<std::string>();
  contents.optimizer_scalars = run.optimizer->scalars();
  contents.optimizer_scalars.push_back(run.optimizer->has_schedule() ? 0.0 : run.optimizer->learning_rate(0));
}

void take_kept_weights(const Run& run, checkpoint::Contents& contents) {
  for (const auto& [name, values] : run.past.kept_weights) {
    std::vector<checkpoint::WeightArray> arrays;
    for (const nn::Variable& variable : run.model->variables()) {
      const auto begin = values.begin() + variable.offset;
      arrays.push_back({variable.layer, variable.name, variable.shape, variable.trainable,
                        std::vector<float>(begin, begin + variable.size())});
    }
    contents.extra_weights.emplace_back(name, std::move(arrays));
  }
}

/// Are the sums of the checkpoint of these very metrics, with all their arguments, and of these weights? The
/// loss is (check_compatible); sums of others may be as many, and mean something else.
bool sums_are_of(const Run& run, const checkpoint::Contents& previous) {
  const auto weights = [](const Json& prints) {
    return prints.value("sample_weight", Json::object()).value("sha256", "");
  };
  if (weights(previous.data.value("fingerprints", Json::object())) != weights(run.data.fingerprints))
    return false;
  const Json plain = run.compiled.metric_specs, weighted = run.compiled.weighted_specs;
  const Json& then = previous.environment;
  if (then.contains("metrics"))
    return then["metrics"] == plain && then.value("weighted_metrics", Json()) == weighted;
  // A checkpoint of an older version: Keras' record of them, which is null where Keras lacks one; then the
  // keys.
  const Json& old = previous.training_config;
  const Json now = checkpoint::keras_training_config(run.compiled.loss->spec(), run.optimizer->spec(),
                                                     run.compiled.metric_specs, run.compiled.weighted_specs);
  const auto same = [](const Json& a, const Json& b, const char* metrics, const char* weighted_metrics) {
    return a.value(metrics, Json()) == b.value(metrics, Json()) &&
           a.value(weighted_metrics, Json()) == b.value(weighted_metrics, Json());
  };
  if (old.is_object() && now.is_object()) return same(old, now, "metrics", "weighted_metrics");
  const Json settings = then.value("settings", Json::object());
  return old.is_null() && now.is_null() &&
         same(settings, settings_json(run.configuration), "compile.metrics", "compile.weighted_metrics");
}

void restore_board(Run& run, const checkpoint::Contents& previous) {
  std::string packed;
  if (run.session.is_root()) {
    packed.resize(previous.metric_sums.values.size() * sizeof(double));
    std::memcpy(packed.data(), previous.metric_sums.values.data(), packed.size());
  }
  packed = run.session.broadcast_text(packed);
  const ShardRange local = run.engine->exchange().local_shards();
  const std::size_t row_bytes = static_cast<std::size_t>(run.board->width()) * sizeof(double);
  const bool fits = packed.size() == row_bytes * static_cast<std::size_t>(run.past.state.shards);
  if (!fits || !sums_are_of(run, previous)) {
    run.board->reset();
    if (run.past.state.step > 0) {
      run.notes.push_back(
          fmt::format("the metrics or the weights of rows changed inside epoch {}: its results cover the "
                      "steps from {} on",
                      run.past.state.epoch + 1, run.past.state.step + 1));
    }
    return;
  }
  const std::span<double> sums = run.board->sums();
  std::memcpy(sums.data(), packed.data() + static_cast<std::size_t>(local.begin) * row_bytes,
              sums.size_bytes());
}

/// The slot `name` of the file as a flat array on rank 0; false when the file does not have it.
bool flat_slot(const Run& run, const checkpoint::Contents& previous, const std::string& name,
               std::vector<float>& flat) {
  flat.resize(static_cast<std::size_t>(run.model->trainable_floats()));
  bool found = false;
  for (const checkpoint::Slot& slot : previous.slots) {
    if (slot.name != name) continue;
    std::size_t i = 0;
    for (const nn::Variable& variable : run.model->variables()) {
      if (!variable.trainable || i >= slot.values.size()) continue;
      const std::vector<float>& values = slot.values[i++];
      if (static_cast<std::int64_t>(values.size()) != variable.size()) continue;
      std::copy(values.begin(), values.end(), flat.begin() + variable.offset);
      found = true;
    }
  }
  return found;
}

void restore_optimizer(Run& run, const checkpoint::Contents& previous) {
  const std::vector<std::string> names = run.optimizer->slot_names();
  for (std::size_t k = 0; k < names.size(); ++k) {
    std::vector<float> flat;
    const bool found = run.session.is_root() && flat_slot(run, previous, names[k], flat);
    // A changed optimizer argument can ask for a slot that the file does not have; it starts as new.
    if (run.session.maximum(std::int64_t{found ? 1 : 0}) == 1)
      run.engine->updater().scatter_slot(static_cast<int>(k), flat);
  }
  std::vector<double> scalars = previous.optimizer_scalars;
  if (scalars.empty()) return;
  const double rate = scalars.back();  // as callbacks left it; a changed compile.optimizer wins
  scalars.pop_back();
  const bool same_optimizer = previous.environment.value("optimizer", Json()) == run.optimizer->spec();
  if (!run.optimizer->has_schedule() && same_optimizer) run.optimizer->set_learning_rate(rate);
  run.optimizer->set_scalars(scalars);
}

void restore_kept_weights(Run& run, const checkpoint::Contents& previous) {
  Json names = Json::array();
  for (const auto& [name, arrays] : previous.extra_weights) names.push_back(name);
  for (const Json& name : Json::parse(run.session.broadcast_text(names.dump())))
    run.past.kept_weights[name.get<std::string>()] = {};
  comm::collectively(run.session, "take the kept weights of the checkpoint", [&] {
    for (const auto& [name, arrays] : previous.extra_weights) {
      std::vector<float>& values = run.past.kept_weights[name];
      values.assign(static_cast<std::size_t>(run.model->total_floats()), 0.0F);
      std::size_t i = 0;
      for (const nn::Variable& variable : run.model->variables()) {
        const bool fits =
            i < arrays.size() && static_cast<std::int64_t>(arrays[i].values.size()) == variable.size();
        if (!fits)
          throw InputError(run.settings.checkpoint.path + ": the kept weights \"" + name +
                           "\" do not fit the model");
        std::copy(arrays[i].values.begin(), arrays[i].values.end(), values.begin() + variable.offset);
        ++i;
      }
    }
  });
}

void restore_callbacks(Run& run, const checkpoint::Contents& previous) {
  comm::collectively(run.session, "take the callbacks' states of the checkpoint", [&] {
    for (std::size_t i = 0; i < run.callbacks.size() && i < previous.callbacks.size(); ++i) {
      if (previous.callbacks[i].value("class_name", Json()) == run.callbacks[i]->spec()["class_name"])
        run.callbacks[i]->set_state(previous.callbacks[i].value("state", Json::object()));
    }
  });
}

/// More epochs for a finished run are a new fit(), as in Keras: what callbacks decided on in the last one is
/// forgotten.
void begin_new_fit(Run& run) {
  Past& past = run.past;
  past.state.finished = false;
  past.ended_by.clear();
  past.fits.push_back(past.state.epoch);
  past.kept_weights.clear();
  for (const auto& callback : run.callbacks) callback->begin_new_fit();
  if (run.callbacks.empty()) return;
  run.notes.push_back(fmt::format(
      "the run was finished after {} epochs; fit.epochs = {} begins a new fit, with callbacks as new",
      past.state.epoch, run.settings.fit.epochs));
}

}  // namespace

checkpoint::Contents take(Run& run, bool* all_finite, checkpoint::Contents old) {
  run.engine->settle();
  run.past.times.look(run.session, run.times);
  checkpoint::Contents contents;
  take_optimizer(run, contents, std::move(old.slots));
  if (run.past.state.step > 0) take_board(run, contents);
  if (all_finite != nullptr) *all_finite = true;
  if (!run.session.is_root()) return {};
  contents.ours = true;
  contents.model_config = run.model->config();
  contents.training_config =
      checkpoint::keras_training_config(run.compiled.loss->spec(), run.optimizer->spec(),
                                        run.compiled.metric_specs, run.compiled.weighted_specs);
  for (const auto& layer : run.model->layers()) contents.layer_names.push_back(layer->name());
  contents.weights = weights_of(*run.model, all_finite, std::move(old.weights));
  contents.state = run.past.state;
  contents.history = run.past.history;
  contents.callbacks = Json::array();
  for (const auto& callback : run.callbacks)
    contents.callbacks.push_back(
        {{"class_name", callback->spec()["class_name"]}, {"state", callback->state()}});
  contents.config = run.configuration.to_ini();
  contents.data = {{"fingerprints", run.data.fingerprints},
                   {"scale", run.data.scale},
                   {"class_names", run.data.class_names},
                   {"rows", run.data.train.rows()},
                   {"validation_rows", run.data.validation ? run.data.validation->rows() : 0},
                   {"target_shape", run.data.target_shape.extents()}};
  contents.data.update(run.data.description());
  contents.environment = environment_of(run);
  take_kept_weights(run, contents);
  return contents;
}

std::vector<float> values_on_root(Run& run, const std::vector<checkpoint::WeightArray>& weights,
                                  const std::string& where) {
  std::vector<float> whole;
  comm::collectively(run.session, "take the weights of the file", [&] {
    if (!run.session.is_root()) return;
    assign_weights(*run.model, weights, where);
    const std::span<const float> values = run.engine->exchange().values();
    whole.assign(values.begin(), values.end());
  });
  return whole;
}

void restore(Run& run, const checkpoint::Contents& previous) {
  comm::collectively(run.session, "resume", [&] { check_compatible(run, previous); });
  for (const std::string& change : changed_settings(run, previous)) run.notes.push_back(change);
  Past& past = run.past;
  past.resumed = true;
  past.state = previous.state;
  past.history = previous.history;
  past.fits = previous.environment.value("fits", past.fits);
  past.ended_by = previous.environment.value("ended_by", "");
  past.rollbacks = previous.environment.value("rollbacks", std::int64_t{0});
  past.times.table = TimeTable::from_json(previous.environment.value("times", Json()), previous.state.epoch);
  if (static_cast<int>(past.times.table.waiting.size()) != run.session.size())
    past.times.table.waiting.clear();
  run.engine->set_values(values_on_root(run, previous.weights, run.settings.checkpoint.path));
  restore_optimizer(run, previous);
  restore_board(run, previous);
  restore_callbacks(run, previous);
  restore_kept_weights(run, previous);
  const bool more = run.settings.fit.epochs > previous.environment.value("epochs", std::int64_t{0});
  if (past.state.finished && more) begin_new_fit(run);
}

}  // namespace nntrain::train

// Checkpoints of a run: everything that decides what comes next, gathered on rank 0, and back.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "checkpoint/keras.h"
#include "core/call.h"
#include "core/error.h"
#include "core/log.h"
#include "core/products/gemm.h"
#include "train/loop/trainer.h"

namespace nntrain::train {

namespace {

template <class T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span<const T>(values));
}

/// Cuts the flat trainable array into one array per trainable variable, in the model's order.
std::vector<std::vector<float>> per_variable(const nn::Sequential& model, const std::vector<float>& flat) {
  std::vector<std::vector<float>> arrays;
  for (const nn::Variable& variable : model.variables()) {
    if (!variable.trainable) continue;
    const auto begin = flat.begin() + variable.offset;
    arrays.emplace_back(begin, begin + variable.size());
  }
  return arrays;
}

}  // namespace

Json Trainer::training_config() const {
  return checkpoint::keras_training_config(compiled_.loss->spec(), optimizer_->spec(), compiled_.metric_specs,
                                           compiled_.weighted_specs);
}

Json Trainer::environment() const {
  return {{"version", version_},
          {"mpi", comm::Session::library_version()},
          {"kernel", gemm::description()},
          {"ranks", session_.size()},
          {"nodes", session_.nodes()},
          {"epochs", settings_.fit.epochs},
          {"loss", compiled_.loss->spec()},
          {"optimizer", optimizer_->spec()},
          {"batch_size", settings_.fit.batch_size},
          {"wire", wire_name(settings_.run.wire)}};
}

void Trainer::gather_board(checkpoint::Contents& result) {
  result.metric_width = board_->width();
  const std::vector<std::vector<std::byte>> parts = session_.gather(std::as_bytes(board_->sums()));
  for (const std::vector<std::byte>& part : parts) {  // rank order is shard order
    const std::size_t old = result.metric_sums.size();
    result.metric_sums.resize(old + part.size() / sizeof(double));
    std::memcpy(result.metric_sums.data() + old, part.data(), part.size());
  }
}

void Trainer::scatter_board(const checkpoint::Contents* previous) {
  std::string packed;
  if (session_.is_root() && previous != nullptr) {
    const auto bytes = bytes_of(previous->metric_sums);
    packed.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  packed = session_.broadcast_text(packed);
  const ShardRange local = exchange_->local_shards();
  const std::size_t row_bytes = static_cast<std::size_t>(board_->width()) * sizeof(double);
  if (packed.size() != row_bytes * static_cast<std::size_t>(shards_)) {
    board_->reset();
    return;
  }
  const std::span<double> sums = board_->sums();
  std::memcpy(sums.data(), packed.data() + static_cast<std::size_t>(local.begin) * row_bytes,
              sums.size_bytes());
}

checkpoint::Contents Trainer::contents() {
  exchange_->settle();
  checkpoint::Contents result;
  const std::vector<std::string> slot_names = optimizer_->slot_names();
  for (int k = 0; k < updater_->slots(); ++k) {
    const std::vector<float> flat = updater_->gather_slot(k);
    if (session_.is_root())
      result.slots.push_back({slot_names[static_cast<std::size_t>(k)], per_variable(*model_, flat)});
  }
  if (state_.step > 0) gather_board(result);
  if (!session_.is_root()) return result;
  result.model_config = model_->config();
  result.training_config = training_config();
  for (const auto& layer : model_->layers()) result.layer_names.push_back(layer->name());
  result.weights = weights_of(*model_);
  result.ours = true;
  result.state = state_;
  result.history = history_;
  result.optimizer = optimizer_->spec()["class_name"].get<std::string>();
  result.optimizer_scalars = optimizer_->scalars();
  result.optimizer_scalars.push_back(optimizer_->has_schedule() ? 0.0 : optimizer_->learning_rate(0));
  result.callbacks = Json::array();
  for (const auto& callback : callbacks_) {
    result.callbacks.push_back(
        {{"class_name", callback->spec()["class_name"]}, {"state", callback->state()}});
  }
  result.config = configuration_.to_ini();
  result.data = {{"fingerprints", data_.fingerprints},
                 {"scale", data_.scale},
                 {"class_names", data_.class_names},
                 {"rows", data_.train.rows()},
                 {"validation_rows", data_.validation ? data_.validation->rows() : 0},
                 {"target_shape", data_.target_shape.extents()}};
  result.environment = environment();
  for (const auto& [name, values] : kept_weights_) {
    std::vector<checkpoint::WeightArray> arrays;
    for (const nn::Variable& variable : model_->variables()) {
      const auto begin = values.begin() + variable.offset;
      arrays.push_back({variable.layer, variable.name, variable.shape, variable.trainable,
                        std::vector<float>(begin, begin + variable.size())});
    }
    result.extra_weights.emplace_back(name, std::move(arrays));
  }
  return result;
}

void Trainer::write_checkpoint(const std::string& path) {
  const ActivityTimes::Scope time(times_, Activity::kCheckpoint);
  const checkpoint::Contents now = contents();
  comm::collectively(session_, "write the checkpoint " + path, [&] {
    if (session_.is_root()) run_file_->write(now);
  });
  last_checkpoint_ = std::chrono::steady_clock::now();
}

/// Weights, slots and what callbacks may keep: would they fit where the checkpoint goes?
void Trainer::try_checkpoint() {
  comm::collectively(session_, "try the checkpoint's path", [&] {
    if (!session_.is_root()) return;
    std::vector<std::string> names;
    for (const auto& layer : model_->layers()) names.push_back(layer->name());
    run_file_->try_write(names, model_->total_floats() + updater_->slots() * model_->trainable_floats());
  });
}

void Trainer::check_compatible(const checkpoint::Contents& previous) const {
  const std::string where = "checkpoint \"" + settings_.checkpoint.path + "\"";
  const auto refuse = [&](const std::string& what, const std::string& then, const std::string& now) {
    throw InputError(where + " was trained with " + what + " " + then + ", the configuration says " + now +
                     "; restore the old value, give another checkpoint.path, or start afresh with "
                     "checkpoint.resume = never");
  };
  const auto compare = [&](const std::string& what, const Json& then, const Json& now) {
    if (then != now) refuse(what, format_call(then), format_call(now));
  };
  const std::vector<Json> then = nn::architecture_from_keras(previous.model_config).layers;
  const std::vector<Json> now = nn::architecture_from_keras(model_->config()).layers;
  if (then.size() != now.size())
    refuse("a model of", fmt::format("{} layers", then.size()), fmt::format("{} layers", now.size()));
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (then[i] != now[i]) refuse(fmt::format("layer {}", i + 1), format_call(then[i]), format_call(now[i]));
  }
  compare("the loss", previous.environment.value("loss", Json()), compiled_.loss->spec());
  compare("fit.batch_size", previous.environment.value("batch_size", Json()), settings_.fit.batch_size);
  if (previous.state.seed != settings_.run.seed)
    refuse("run.seed", std::to_string(previous.state.seed), std::to_string(settings_.run.seed));
  compare("run.wire", previous.environment.value("wire", "float32"), wire_name(settings_.run.wire));
  if (previous.optimizer != optimizer_->spec()["class_name"].get<std::string>()) {
    refuse("the optimizer", previous.optimizer, optimizer_->spec()["class_name"].get<std::string>());
  }
  const Json fingerprints = previous.data.value("fingerprints", Json::object());
  for (const auto& [name, entry] : data_.fingerprints.items()) {
    const Json old = fingerprints.value(name, Json::object());
    if (old.value("sha256", "") != entry.value("sha256", "")) {
      refuse("data." + name,
             old.value("source", "none") + " (SHA-256 " + old.value("sha256", "-").substr(0, 16) + ")",
             entry.value("source", "") + " (SHA-256 " + entry.value("sha256", "").substr(0, 16) + ")");
    }
  }
  compare("data.scale", previous.data.value("scale", Json(1.0F)), Json(data_.scale));
  compare("training rows", previous.data.value("rows", Json(0)), Json(data_.train.rows()));
}

void Trainer::resume(const checkpoint::Contents& previous) {
  check_compatible(previous);
  resumed_ = true;
  state_ = previous.state;
  if (state_.finished && settings_.fit.epochs > previous.environment.value("epochs", std::int64_t{0}))
    state_.finished = false;
  history_ = previous.history;
  std::vector<float> whole;
  comm::collectively(session_, "take the weights of the checkpoint", [&] {
    if (!session_.is_root()) return;
    assign_weights(*model_, previous.weights, settings_.checkpoint.path);
    const std::span<const float> values = exchange_->values();
    whole.assign(values.begin(), values.end());
  });
  set_values(whole);

  const std::vector<std::string> names = optimizer_->slot_names();
  for (std::size_t k = 0; k < names.size(); ++k) {
    std::vector<float> flat;
    std::int64_t found = 0;
    if (session_.is_root()) {
      flat.resize(static_cast<std::size_t>(model_->trainable_floats()));
      for (const checkpoint::Slot& slot : previous.slots) {
        if (slot.name != names[k]) continue;
        std::size_t i = 0;
        for (const nn::Variable& variable : model_->variables()) {
          if (!variable.trainable || i >= slot.values.size()) continue;
          const std::vector<float>& values = slot.values[i++];
          if (static_cast<std::int64_t>(values.size()) != variable.size()) continue;
          std::copy(values.begin(), values.end(), flat.begin() + variable.offset);
          found = 1;
        }
      }
    }
    // A changed optimizer argument can ask for a slot that the file does not have; it starts as new.
    if (session_.maximum(found) == 1) updater_->scatter_slot(static_cast<int>(k), flat);
  }
  std::vector<double> scalars = previous.optimizer_scalars;
  if (!scalars.empty()) {
    const double rate = scalars.back();  // as callbacks left it; a changed compile.optimizer wins
    scalars.pop_back();
    const bool same_optimizer = previous.environment.value("optimizer", Json()) == optimizer_->spec();
    if (!optimizer_->has_schedule() && same_optimizer) optimizer_->set_learning_rate(rate);
    optimizer_->set_scalars(scalars);
  }
  scatter_board(&previous);
  for (std::size_t i = 0; i < callbacks_.size() && i < previous.callbacks.size(); ++i) {
    if (previous.callbacks[i].value("class_name", Json()) == callbacks_[i]->spec()["class_name"]) {
      callbacks_[i]->set_state(previous.callbacks[i].value("state", Json::object()));
    }
  }
  Json kept_names = Json::array();
  for (const auto& [name, arrays] : previous.extra_weights) kept_names.push_back(name);
  kept_names = Json::parse(session_.broadcast_text(kept_names.dump()));
  for (const Json& name : kept_names) kept_weights_[name.get<std::string>()] = {};
  for (const auto& [name, arrays] : previous.extra_weights) {
    std::vector<float>& values = kept_weights_[name];
    values.assign(static_cast<std::size_t>(model_->total_floats()), 0.0F);
    std::size_t i = 0;
    for (const nn::Variable& variable : model_->variables()) {
      const std::vector<float>& array = arrays.at(i++).values;
      if (static_cast<std::int64_t>(array.size()) != variable.size())
        throw InputError(settings_.checkpoint.path + ": the kept weights \"" + name +
                         "\" do not fit the model");
      std::copy(array.begin(), array.end(), values.begin() + variable.offset);
    }
  }
}

/// Every node's copy of the values becomes `whole_on_root`. Collective.
void Trainer::set_values(const std::vector<float>& whole_on_root) {
  exchange_->settle();
  std::vector<float> whole = whole_on_root;
  whole.resize(static_cast<std::size_t>(model_->total_floats()));
  session_.broadcast(std::as_writable_bytes(std::span(whole)));
  session_.node_barrier();
  if (session_.local_rank() == 0 || exchange_->private_values()) {
    std::copy(whole.begin(), whole.end(), exchange_->values().begin());
  }
  session_.barrier();
}

}  // namespace nntrain::train

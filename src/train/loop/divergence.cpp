#include "train/loop/divergence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "train/run/setup.h"
#include "train/run/snapshot.h"
#include "train/run/train_command.h"

namespace nntrain::train {

namespace {

constexpr std::size_t kRowsInMessage = 8;

bool is_finite(std::span<const float> values) {
  bool finite = true;  // without an early end the compiler makes it a vector loop
  for (const float value : values) finite &= std::isfinite(value);
  return finite;
}

std::span<const float> values_of(const nn::Variable& variable) {
  return {variable.values, static_cast<std::size_t>(variable.size())};
}

float largest_of(const nn::Variable& variable) {
  float largest = 0;
  for (const float value : values_of(variable))
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  return largest;
}

/// "dense/kernel 3e+12": the variable with the largest finite value.
std::string largest_weight(const nn::Sequential& model) {
  std::string text;
  float largest = -1;
  for (const nn::Variable& variable : model.variables()) {
    if (!variable.trainable || largest_of(variable) <= largest) continue;
    largest = largest_of(variable);
    text = fmt::format("{}/{} {:.3g}", variable.layer, variable.name, largest);
  }
  return text;
}

/// The number in the data of the mini-batch's row `i`.
std::int64_t row_number(const BatchRequest& batch, std::int64_t i) {
  return batch.samples->inputs.first + batch.sampler->row(batch.position + i);
}

/// All ranks' arrays, one after the other, on rank 0.
template <class T>
std::vector<T> joined(comm::Session& session, std::span<const T> mine) {
  std::vector<T> all;
  for (const std::vector<std::byte>& part : session.gather(std::as_bytes(mine))) {
    const std::size_t old = all.size();
    all.resize(old + part.size() / sizeof(T));
    if (!part.empty()) std::memcpy(all.data() + old, part.data(), part.size());
  }
  return all;
}

/// "row 17", "rows 3, 17, 40 and 5 more"
std::string rows_text(const std::vector<std::int64_t>& rows) {
  std::string text = rows.size() == 1 ? "row " : "rows ";
  const std::size_t shown = std::min(rows.size(), kRowsInMessage);
  for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + std::to_string(rows[i]);
  return shown == rows.size() ? text : text + fmt::format(" and {} more", rows.size() - shown);
}

}  // namespace

bool Divergence::values_are_finite() {
  run_.engine->settle();
  run_.session.node_barrier();  // nobody's values are being written
  const bool finite = !run_.session.is_root() || is_finite(run_.engine->exchange().values());
  return run_.session.minimum(std::int64_t{finite ? 1 : 0}) != 0;
}

Divergence::Origin Divergence::find_origin(const BatchRequest& batch) {
  begin_pass(run_.session, run_.data, *batch.samples, *batch.sampler, kPassAgain, batch.position);
  const NonFinite mine = run_.engine->find_non_finite(batch);
  Origin origin;
  origin.layer = static_cast<int>(run_.session.minimum(std::int64_t{mine.layer}));
  const bool here = mine.layer == origin.layer && !mine.rows.empty();
  std::vector<std::int64_t> rows;
  for (const std::int64_t r : mine.rows)
    if (here) rows.push_back(row_number(batch, run_.engine->replica().rows().first + r));
  origin.rows = joined<std::int64_t>(run_.session, rows);
  std::sort(origin.rows.begin(), origin.rows.end());
  const std::int64_t none = run_.session.size();
  const std::int64_t first = run_.session.minimum(here ? std::int64_t{run_.session.rank()} : none);
  if (first != none) {
    origin.first_rank = run_.session.broadcast_text(
        fmt::format("rank {} on {}", run_.session.rank(), run_.session.host()), static_cast<int>(first));
  }
  origin.largest_given = static_cast<float>(run_.session.maximum(here ? double{mine.largest_given} : 0.0));
  return origin;
}

/// "dense/kernel (12 of 500 values, the first is element 3)"; "" when all are finite. Rank 0.
std::string Divergence::bad_values() const {
  std::string text;
  for (const nn::Variable& variable : run_.model->variables()) {
    const std::span<const float> values = values_of(variable);
    if (is_finite(values)) continue;
    const auto is_bad = [](float value) { return !std::isfinite(value); };
    text += fmt::format("{}{}/{} ({} of {} values, the first is element {})", text.empty() ? "" : ", ",
                        variable.layer, variable.name, std::count_if(values.begin(), values.end(), is_bad),
                        values.size(), std::find_if(values.begin(), values.end(), is_bad) - values.begin());
  }
  return text;
}

/// Rank 0.
std::string Divergence::text_of(const Origin& origin) const {
  const auto layers = static_cast<int>(run_.model->layers().size());
  std::string text;
  if (const std::string bad = bad_values(); !bad.empty())
    text = "NaN or Inf in " + bad + " since the update before";
  if (origin.layer == NonFinite::kNowhere || origin.rows.empty()) {
    const std::string& state = run_.engine->spoiled_state();
    if (!text.empty()) return text;
    return state.empty() ? "NaN or Inf in the loss of the mini-batch"
                         : "NaN or Inf in what it makes of " + state;
  }
  const SplitSettings& split = run_.settings.data.split;
  const bool reordered = split.shuffle || split.folds > 0;
  const std::string rows =
      fmt::format("{} of the {} (first on {})", rows_text(origin.rows),
                  reordered ? "shuffled training rows" : "training data", origin.first_rank);
  const std::string separator = text.empty() ? "" : "; ";
  text += separator;
  if (origin.layer == NonFinite::kInputs) return text + "NaN or Inf in the inputs, in " + rows;
  if (origin.layer == layers) {
    return text + fmt::format(
                      "NaN or Inf in the loss, in {}; the model's outputs there reach {:.3g}, the largest "
                      "weight is {}",
                      rows, origin.largest_given, largest_weight(*run_.model));
  }
  const nn::Layer& layer = *run_.model->layers()[static_cast<std::size_t>(origin.layer)];
  text +=
      fmt::format("NaN or Inf in layer \"{}\" ({}), in {}; what it is given there reaches {:.3g}",
                  layer.name(), layer.spec()["class_name"].get<std::string>(), rows, origin.largest_given);
  for (const nn::Variable& variable : run_.model->variables()) {
    if (variable.layer == layer.name() && variable.trainable && is_finite(values_of(variable)))
      text += fmt::format(", {}/{} {:.3g}", variable.layer, variable.name, largest_of(variable));
  }
  return text;
}

/// What the message says of the file.
std::string Divergence::write_batch(const BatchRequest& batch, const Origin& origin, Step step) {
  const std::string& checkpoint = run_.settings.checkpoint.path;
  if (checkpoint.empty()) return "";
  if (checkpoint::bad_batch_path(checkpoint) == checkpoint) return "";  // it repeats what the file holds
  const Replica& replica = run_.engine->replica();
  checkpoint::BadBatch bad;
  bad.input_shape = run_.model->input_shape();
  bad.inputs = joined(run_.session, replica.inputs());
  bad.targets = joined(run_.session, replica.targets());
  bad.weights = joined(run_.session, replica.row_weights());
  checkpoint::Contents state = take(run_);
  const std::string path = checkpoint::bad_batch_path(checkpoint);
  std::string text;
  comm::collectively(run_.session, "write " + path, [&] {
    if (!run_.session.is_root()) return;
    for (std::int64_t i = 0; i < batch.rows; ++i) bad.rows.push_back(row_number(batch, i));
    bad.target_width = static_cast<std::int64_t>(bad.targets.size()) / std::max<std::int64_t>(batch.rows, 1);
    bad.bad_rows = origin.rows;
    const std::string repeats = train_command(run_.configuration, path);
    const std::string goes_back = train_command(run_.configuration, checkpoint);
    bad.found = {{"message", text_of(origin)},          {"iteration", run_.past.state.iteration},
                 {"epoch", run_.past.state.epoch},      {"step", run_.past.state.step},
                 {"last_checkpoint", saver_.on_disk()}, {"command", repeats}};
    try {
      run_.outputs.add_output(path, "the mini-batch that met NaN or Inf", checkpoint::is_bad_batch);
      const bool has_state =
          checkpoint::write_bad_batch(path, bad, step == Step::kRefused ? &state : nullptr);
      text = fmt::format("The mini-batch is in {}", path);
      if (!repeats.empty())
        text += fmt::format("; `{}` repeats the step with one rank{}", has_state ? repeats : goes_back,
                            has_state ? "" : ", from the last checkpoint");
      text += ". ";
    } catch (const Error& error) {  // what the run has to say is more than this
      text = fmt::format("The mini-batch could not be written to {}: {}. ", path, error.what());
    }
  });
  return text;
}

void Divergence::examine(const BatchRequest& batch, Step step) {
  run_.engine->settle();
  run_.session.barrier();
  Origin origin;
  if (batch.samples != nullptr) origin = find_origin(batch);
  std::string text;
  comm::collectively(run_.session, "look for NaN and Inf", [&] {
    if (run_.session.is_root()) text = text_of(origin);
  });
  const checkpoint::RunState& state = run_.past.state;
  const bool refused = step == Step::kRefused;
  const std::string place =
      !refused && state.step == 0
          ? fmt::format("Epoch {}, after its last step", state.epoch)
          : fmt::format("Epoch {}, step {}", state.epoch + 1, state.step + (refused ? 1 : 0));
  text = fmt::format("{}: {}. ", place, text);
  if (batch.samples != nullptr) text += write_batch(batch, origin, step);
  message_ = run_.session.broadcast_text(text);
}

bool Divergence::roll_back() {
  const FitSettings& fit = run_.settings.fit;
  if (fit.on_nan != OnNan::kRollback) return false;
  const std::int64_t rollbacks = run_.past.rollbacks + 1;
  if (rollbacks > fit.max_rollbacks) {
    message_ += fmt::format("fit.max_rollbacks = {} is used up. ", fit.max_rollbacks);
    return false;
  }
  std::optional<checkpoint::RunFile::Found> newest;
  const std::string& path = run_.settings.checkpoint.path;
  comm::collectively(run_.session, "roll back to " + path, [&] {
    if (!run_.session.is_root()) return;
    newest = run_.file->read_newest();
    if (!newest)
      throw RuntimeError("the checkpoint \"" + path + "\" is gone; there is nothing to go back to");
  });
  const checkpoint::Contents previous =
      share_contents(run_.session, newest ? std::move(newest->contents) : checkpoint::Contents{});
  const std::size_t notes = run_.notes.size();
  run_.past.kept_weights.clear();
  restore(run_, previous);
  run_.notes.resize(notes);
  run_.past.rollbacks = rollbacks;
  run_.log.note(fmt::format(
      "{}Back to {} (epoch {}, step {}), all learning rates from here on x {:g}: rollback {} of {}", message_,
      path, run_.past.state.epoch, run_.past.state.step, std::ldexp(1.0, -static_cast<int>(rollbacks)),
      rollbacks, fit.max_rollbacks));
  message_.clear();
  return true;
}

}  // namespace nntrain::train

#include "train/loop/control.h"

#include <algorithm>

#include "core/error.h"
#include "train/loop/validation.h"

namespace nntrain::train {

std::vector<std::string> result_names(const Run& run, const Validation& validation) {
  std::vector<std::string> names;
  const std::vector<double> zeros(static_cast<std::size_t>(run.board->width()), 0.0);
  for (const auto& [name, value] : run.board->results(zeros, "").values) names.push_back(name);
  if (run.data.validation) {
    for (const auto& [name, value] : validation.names().values) names.push_back(name);
  }
  const bool logs_rate = std::any_of(run.callbacks.begin(), run.callbacks.end(),
                                     [](const auto& callback) { return callback->logs_learning_rate(); });
  if (logs_rate) names.emplace_back("learning_rate");
  return names;
}

RunControl::RunControl(Run& run, Saver& saver, std::vector<std::string> results)
    : run_(run), saver_(saver), results_(std::move(results)) {}

void RunControl::end_epoch() {
  ending_epoch_ = false;
  for (const auto& [path, what] : saves_) write(path, what);
  saves_.clear();
}

void RunControl::begin_again() {
  ending_epoch_ = stops_ = diverged_ = false;
  saves_.clear();
}

double RunControl::learning_rate() const { return run_.optimizer->learning_rate(run_.past.state.iteration); }

void RunControl::set_learning_rate(double rate) { run_.optimizer->set_learning_rate(rate); }

void RunControl::stop(const std::string& reason) {
  stops_ = true;
  run_.past.ended_by = reason;
}

void RunControl::fail_diverged(const std::string& message) {
  diverged_ = ended_by_callback_ = true;
  say(message);
}

void RunControl::keep_weights(const std::string& name) {
  run_.engine->settle();
  run_.session.node_barrier();  // nobody's values are being written
  std::vector<float>& kept = run_.past.kept_weights[name];
  const std::span<const float> values = run_.engine->exchange().values();
  if (is_root()) kept.assign(values.begin(), values.end());
}

void RunControl::restore_weights(const std::string& name) {
  const auto kept = run_.past.kept_weights.find(name);
  if (kept == run_.past.kept_weights.end())
    throw RuntimeError("internal: no weights were kept under \"" + name + "\"");
  run_.engine->set_values(kept->second);
}

bool RunControl::has_kept_weights(const std::string& name) const {
  return run_.past.kept_weights.count(name) != 0;
}

void RunControl::save(const std::string& path, Save what) {
  if (ending_epoch_) {
    saves_.emplace_back(path, what);
  } else {
    write(path, what);
  }
}

/// A full disk for a callback's file must not cost the run its own checkpoint: the failure is kept until that
/// is there.
void RunControl::write(const std::string& path, Save what) {
  saver_.finish();  // one write at a time; that the run's own checkpoint failed is no callback's failure
  try {
    if (!saver_.save_as(path, what)) diverged_ = true;
  } catch (const Error& error) {  // from collectively(): the same on every rank
    if (failure_.empty()) failure_ = error.what();
  }
}

void RunControl::write_on_root(const std::string& what, const std::function<void()>& write) {
  try {
    comm::collectively(run_.session, what, [&] {
      if (is_root()) write();
    });
  } catch (const Error& error) {
    if (failure_.empty()) failure_ = error.what();
  }
}

void RunControl::each_weight(const LookAtWeight& look) {
  run_.engine->settle();
  run_.session.node_barrier();  // nobody's values are being written
  write_on_root("look at the weights", [&] {
    for (const nn::Variable& variable : run_.model->variables())
      look(variable.layer + "/" + variable.name,
           {variable.values, static_cast<std::size_t>(variable.size())});
  });
}

void RunControl::say(const std::string& line) {
  if (is_root()) run_.log.info(line);
}

bool RunControl::larger_is_better(const std::string& monitor) const {
  const std::string name = monitor.rfind("val_", 0) == 0 ? monitor.substr(4) : monitor;
  for (const NamedMetric& entry : run_.compiled.metrics) {
    if (entry.name == name) return entry.metric->larger_is_better();
  }
  return false;
}

}  // namespace nntrain::train

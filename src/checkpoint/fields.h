#pragma once
// The fields of Contents, listed once. Writing, reading, the digest and what ranks hand round visit this
// list, so a field that is added here is in all of them; the tests visit it to see that a run takes and
// restores each.

#include "checkpoint/checkpoint.h"

namespace nntrain::checkpoint {

/// Calls visit(name, value) for the fields of a RunState, constant or not.
template <class State, class Visitor>
void each_state_field(State& state, Visitor&& visit) {
  visit("epoch", state.epoch);
  visit("step", state.step);
  visit("iteration", state.iteration);
  visit("seed", state.seed);
  visit("shards", state.shards);
  visit("finished", state.finished);
  visit("epoch_seconds", state.epoch_seconds);
}

/// Calls visit(name, value) for what /nntrain_dist holds, in the order of the digest. A visitor is a set of
/// overloads for Json, std::string, std::vector<double> and the types of checkpoint.h.
template <class C, class Visitor>
void each_run_field(C& contents, Visitor&& visit) {
  visit("state", contents.state);
  visit("history", contents.history);
  visit("optimizer", contents.optimizer);
  visit("slots", contents.slots);
  visit("scalars", contents.optimizer_scalars);
  visit("metric_sums", contents.metric_sums);
  visit("callbacks", contents.callbacks);
  visit("config", contents.config);
  visit("data", contents.data);
  visit("environment", contents.environment);
  visit("kept_weights", contents.extra_weights);
}

/// The same for all that decides how a run goes on: the fields that Keras reads, then those of
/// each_run_field.
template <class C, class Visitor>
void each_field(C& contents, Visitor&& visit) {
  visit("model_config", contents.model_config);
  visit("training_config", contents.training_config);
  visit("weights", contents.weights);
  each_run_field(contents, visit);
}

}  // namespace nntrain::checkpoint
